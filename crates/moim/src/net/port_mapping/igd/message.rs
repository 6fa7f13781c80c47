//! Messages of UPnP IGD: SSDP, the description of a router, and SOAP. Of XML as much as routers
//! write here: elements with or without a prefix, text with the predefined entities.

use std::net::Ipv4Addr;

use axum::http::Uri;

/// Kinds of router to search for. Version 2 also answers to the first.
const ROUTERS: [&str; 2] = [
    "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
    "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
];
/// Services that map ports, by the beginning of their type.
const SERVICES: [&str; 2] = [
    "urn:schemas-upnp-org:service:WANIPConnection:",
    "urn:schemas-upnp-org:service:WANPPPConnection:",
];
/// Length of a type or a path.
const MAX_LEN: usize = 256;
/// Length of a router's own words.
const MAX_WORDS: usize = 80;

/// A service of a router that maps ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Service {
    /// Its type, the namespace of its actions.
    pub(super) kind: String,
    pub(super) control: Uri,
}

/// An error of a router: UPnP's code, 0 if it gave none, and its words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code} {words}")]
pub(super) struct RouterError {
    pub(super) code: u16,
    pub(super) words: String,
}

/// Searches, to be sent to port 1900.
pub(super) fn searches() -> impl Iterator<Item = String> {
    ROUTERS.into_iter().map(|kind| {
        format!(
            "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\n\
             ST: {kind}\r\n\r\n"
        )
    })
}

/// The URL of a description in the reply to a search, if `router` itself serves it.
pub(super) fn location(reply: &[u8], router: Ipv4Addr) -> Option<Uri> {
    let reply = std::str::from_utf8(reply).ok()?;
    let mut lines = reply.lines();
    if !lines.next()?.starts_with("HTTP/1.1 200") {
        return None;
    }
    let mut headers = lines.filter_map(|line| line.split_once(':'));
    let (_, url) = headers.find(|(name, _)| name.trim().eq_ignore_ascii_case("location"))?;
    own(url.trim(), router)
}

/// The services in a description at `location` that map ports, as far as `router` itself has them.
pub(super) fn services(description: &str, location: &Uri, router: Ipv4Addr) -> Vec<Service> {
    let found = elements(description, "service").filter_map(|service| {
        let kind = text(service, "serviceType")?;
        let is_wanted = SERVICES.iter().any(|wanted| kind.starts_with(wanted));
        let is_plain =
            kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":-".contains(&byte));
        let control = text(service, "controlURL")?;
        let control = match control.contains("://") {
            true => control,
            false => {
                let authority = location.authority()?;
                format!("http://{authority}/{}", control.trim_start_matches('/'))
            }
        };
        let control = own(&control, router)?;
        (is_wanted && is_plain && kind.len() <= MAX_LEN).then_some(Service { kind, control })
    });
    found.take(4).collect()
}

/// The body of a request for an action.
pub(super) fn action(kind: &str, name: &str, arguments: &[(&str, String)]) -> String {
    let arguments = arguments.iter().map(|(name, value)| format!("<{name}>{value}</{name}>"));
    let arguments: String = arguments.collect();
    format!(
        "<?xml version=\"1.0\"?>\r\n<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body>\
         <u:{name} xmlns:u=\"{kind}\">{arguments}</u:{name}></s:Body></s:Envelope>\r\n"
    )
}

/// The value of an argument in the response to an action.
pub(super) fn value(response: &str, name: &str) -> Option<String> {
    text(response, name)
}

/// The error in the response to an action.
pub(super) fn error(response: &str) -> RouterError {
    let code = text(response, "errorCode").and_then(|code| code.parse().ok()).unwrap_or(0);
    let words = text(response, "errorDescription").unwrap_or_default();
    let words = words.chars().filter(|c| !c.is_control()).take(MAX_WORDS).collect();
    RouterError { code, words }
}

/// A URL of HTTP at this address; others than the router are not asked.
fn own(url: &str, router: Ipv4Addr) -> Option<Uri> {
    let url: Uri =
        url.get(..url.len().min(MAX_LEN + 1)).filter(|url| url.len() <= MAX_LEN)?.parse().ok()?;
    let is_own = url.scheme_str() == Some("http") && url.host()?.parse() == Ok(router);
    is_own.then_some(url)
}

/// The trimmed text of the first element of this name.
fn text(xml: &str, name: &str) -> Option<String> {
    let text = elements(xml, name).next()?.trim();
    let entities =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    let plain = entities.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    Some(plain)
}

/// The contents of all elements of this name, which don't contain each other.
fn elements<'x>(xml: &'x str, name: &str) -> impl Iterator<Item = &'x str> {
    let mut rest = xml;
    std::iter::from_fn(move || {
        loop {
            let (_, tag) = rest.split_once('<')?;
            let (head, behind) = tag.split_once('>')?;
            rest = behind;
            if is_named(head, name) && !head.ends_with('/') {
                break;
            }
        }
        let mut from = 0;
        loop {
            let at = from + rest.get(from..)?.find("</")?;
            let head = rest.get(at + 2..)?.split_once('>')?.0;
            if is_named(head, name) {
                let (content, behind) = rest.split_at_checked(at)?;
                rest = behind;
                return Some(content);
            }
            from = at + 2;
        }
    })
}

/// Recognises a tag, without its brackets, that has this name behind any prefix.
fn is_named(tag: &str, name: &str) -> bool {
    let found = tag.split(|c: char| c.is_ascii_whitespace() || c == '/').next().unwrap_or_default();
    found.rsplit(':').next() == Some(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROUTER: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 1);
    const DESCRIPTION: &str = r#"<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><device><serviceList><service>
<serviceType>urn:schemas-upnp-org:service:Layer3Forwarding:1</serviceType>
<controlURL>/ctl/L3F</controlURL></service></serviceList><deviceList><device><serviceList>
<service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType>
<controlURL>ctl/IPConn?a=1&amp;b=2</controlURL><SCPDURL>/x.xml</SCPDURL></service>
<service><serviceType>urn:schemas-upnp-org:service:WANPPPConnection:1</serviceType>
<controlURL>http://10.0.0.9:80/ctl</controlURL></service>
</serviceList></device></deviceList></device></root>"#;

    fn reply(url: &str) -> Vec<u8> {
        format!("HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nLocation: {url}\r\n\r\n").into_bytes()
    }

    #[test]
    fn only_the_router_itself_is_asked() {
        let at = location(&reply("http://192.168.1.1:5000/rootDesc.xml"), ROUTER).unwrap();
        assert_eq!(at, "http://192.168.1.1:5000/rootDesc.xml");
        for url in [
            "http://192.168.1.2:5000/rootDesc.xml",
            "http://203.0.113.7/rootDesc.xml",
            "http://192.168.1.1.example.org/",
            "http://user@192.168.1.2/",
            "https://192.168.1.1/",
            "file:///etc/passwd",
            "/rootDesc.xml",
            "",
        ] {
            assert_eq!(location(&reply(url), ROUTER), None, "{url}");
        }
        let long = format!("http://192.168.1.1/{}", "a".repeat(MAX_LEN));
        assert_eq!(location(&reply(&long), ROUTER), None);
        assert_eq!(
            location(b"NOTIFY * HTTP/1.1\r\nLOCATION: http://192.168.1.1/\r\n", ROUTER),
            None
        );
        assert_eq!(location(&[0xff; 100], ROUTER), None);
    }

    #[test]
    fn service_that_maps_ports_is_found() {
        let at = "http://192.168.1.1:5000/a/rootDesc.xml".parse().unwrap();
        let control = "http://192.168.1.1:5000/ctl/IPConn?a=1&b=2".parse().unwrap();
        let kind = "urn:schemas-upnp-org:service:WANIPConnection:1".to_owned();
        // The other one is at another computer.
        assert_eq!(services(DESCRIPTION, &at, ROUTER), [Service { kind, control }]);
        let odd = DESCRIPTION.replace("WANIPConnection:1", "WANIPConnection:1\"><x y=\"");
        assert!(services(&odd, &at, ROUTER).is_empty());
    }

    #[test]
    fn errors_and_values_are_read() {
        let fault = "<s:Envelope><s:Body><s:Fault><detail><UPnPError><errorCode>718</errorCode>\
                     <errorDescription>Conflict\u{1b}[31m</errorDescription></UPnPError></detail>";
        let expected = RouterError { code: 718, words: "Conflict[31m".to_owned() };
        assert_eq!(error(fault), expected);
        assert_eq!(error("busy"), RouterError { code: 0, words: String::new() });
        let response = action(
            "urn:x",
            "GetExternalIPAddressResponse",
            &[("NewExternalIPAddress", "93.184.216.34".to_owned())],
        );
        assert_eq!(value(&response, "NewExternalIPAddress").as_deref(), Some("93.184.216.34"));
        assert_eq!(value(&response, "NewLeaseDuration"), None);
    }

    proptest! {
        #[test]
        fn no_reply_panics(text in "[<>/a-c: &;\u{e9}]{0,60}", name in "[a-c]{1,2}") {
            let _ = elements(&text, &name).take(100).count();
            let at = "http://192.168.1.1/".parse().unwrap();
            let _ = (services(&text, &at, ROUTER), error(&text), location(text.as_bytes(), ROUTER));
        }

        #[test]
        fn text_of_an_element_round_trips(value in "[a-z&<>'\" ]{1,20}") {
            let escaped = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let xml = format!("<?xml?><r><b/><u:b c=\"d\">{escaped}</u:b></r>");
            prop_assert_eq!(text(&xml, "b").unwrap(), value.trim());
        }
    }
}
