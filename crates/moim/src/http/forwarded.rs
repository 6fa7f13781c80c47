//! The client of a request as reverse proxies report it: `X-Forwarded-*`, `Forwarded` (RFC 7239).

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::net::host::Host;

/// Limit of hops that are searched for the client.
const MAX_HOPS: usize = 16;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Headers that proxies add and clients normally don't send, besides `X-Forwarded-…`.
const PROXY_HEADERS: [HeaderName; 6] = [
    header::FORWARDED,
    header::VIA,
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("x-client-ip"),
    HeaderName::from_static("cf-connecting-ip"),
    HeaderName::from_static("true-client-ip"),
];

/// The client's side of a proxied connection. Each field may be missing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Forwarded {
    /// The client's address.
    pub(super) client: Option<IpAddr>,
    /// True if the client uses TLS to the first proxy.
    pub(super) secure: Option<bool>,
    /// The host that the client requested of the first proxy.
    pub(super) host: Option<Host>,
}

/// A malformed forwarding header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ParseForwardedError;

/// True if a request has headers that proxies add.
pub(super) fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| {
        name.as_str().starts_with("x-forwarded-")
            || name.as_str().starts_with("x-original-")
            || PROXY_HEADERS.contains(name)
    })
}

/// True if a request claims to have reached a proxy over HTTPS.
pub(super) fn claims_https(headers: &HeaderMap) -> bool {
    let claims = |value: &HeaderValue| {
        value.to_str().is_ok_and(|value| value.to_ascii_lowercase().contains("https"))
    };
    headers.get_all(X_FORWARDED_PROTO).iter().any(claims)
        || headers.get_all(header::FORWARDED).iter().any(claims)
}

impl Forwarded {
    /// Reads the headers of a request from a trusted proxy.
    ///
    /// Each proxy appends its own peer, so only the end of a list is trustworthy: the client is the
    /// last address that is not a trusted proxy's. `Forwarded` counts only without any
    /// `X-Forwarded-…`: a proxy that writes one kind passes the client's own other kind through.
    pub(super) fn read(
        headers: &HeaderMap,
        is_trusted: impl Fn(IpAddr) -> bool,
    ) -> Result<Self, ParseForwardedError> {
        let names = [X_FORWARDED_FOR, X_FORWARDED_PROTO, X_FORWARDED_HOST];
        if !names.iter().any(|name| headers.contains_key(name)) {
            return Self::read_forwarded(headers, is_trusted);
        }
        let nodes = last_items(headers, &X_FORWARDED_FOR)?.into_iter().map(Some);
        let (client, depth) = find_client(nodes, is_trusted)?;
        let at_depth = |name| -> Result<Option<&str>, ParseForwardedError> {
            let items = last_items(headers, name)?;
            Ok(items.get(depth).or(items.last()).copied())
        };
        Ok(Self {
            client,
            secure: at_depth(&X_FORWARDED_PROTO)?.map(is_https).transpose()?,
            host: at_depth(&X_FORWARDED_HOST)?.map(parse_host).transpose()?,
        })
    }

    fn read_forwarded(
        headers: &HeaderMap,
        is_trusted: impl Fn(IpAddr) -> bool,
    ) -> Result<Self, ParseForwardedError> {
        let mut elements = Vec::new();
        for value in headers.get_all(header::FORWARDED) {
            elements.extend(parse_elements(value.to_str().map_err(|_| ParseForwardedError)?)?);
        }
        elements.reverse();
        elements.truncate(MAX_HOPS);
        let nodes = elements.iter().map(|element| element.node.as_deref());
        let (client, depth) = find_client(nodes, is_trusted)?;
        let Some(element) = elements.get(depth) else { return Ok(Self::default()) };
        Ok(Self {
            client,
            secure: element.proto.as_deref().map(is_https).transpose()?,
            host: element.host.as_deref().map(parse_host).transpose()?,
        })
    }
}

/// The last items of a list that may span several header lines, in reverse order.
fn last_items<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Vec<&'a str>, ParseForwardedError> {
    let mut items = Vec::new();
    for value in headers.get_all(name) {
        let value = value.to_str().map_err(|_| ParseForwardedError)?;
        items.extend(value.split(',').map(str::trim).filter(|item| !item.is_empty()));
    }
    items.reverse();
    items.truncate(MAX_HOPS);
    Ok(items)
}

/// The first address that is not a trusted proxy's, otherwise the farthest one, with its index. A
/// hop that hides its client ends the search.
fn find_client<'a>(
    nodes: impl Iterator<Item = Option<&'a str>>,
    is_trusted: impl Fn(IpAddr) -> bool,
) -> Result<(Option<IpAddr>, usize), ParseForwardedError> {
    let (mut client, mut depth) = (None, 0);
    for (place, node) in nodes.enumerate() {
        let Some(address) = node.map(parse_node).transpose()?.flatten() else { break };
        (client, depth) = (Some(address), place);
        if !is_trusted(address) {
            break;
        }
    }
    Ok((client, depth))
}

/// Parses a node (RFC 7239 §6): an address with or without a port; `None` if it is hidden.
fn parse_node(text: &str) -> Result<Option<IpAddr>, ParseForwardedError> {
    if text.eq_ignore_ascii_case("unknown") || text.starts_with('_') {
        return Ok(None);
    }
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
    let address = match text.parse::<IpAddr>() {
        Ok(address) => Some(address),
        Err(_) => text
            .parse()
            .ok()
            .map(|address: SocketAddr| address.ip())
            .or_else(|| bracketed().map(IpAddr::V6)),
    };
    address.map(|address| Some(address.to_canonical())).ok_or(ParseForwardedError)
}

fn is_https(proto: &str) -> Result<bool, ParseForwardedError> {
    match proto.to_ascii_lowercase().as_str() {
        "https" | "wss" => Ok(true),
        "http" | "ws" => Ok(false),
        _ => Err(ParseForwardedError),
    }
}

fn parse_host(text: &str) -> Result<Host, ParseForwardedError> {
    Host::parse(text).ok_or(ParseForwardedError)
}

/// An element of `Forwarded`, added by one proxy.
#[derive(Debug, Default)]
struct Element {
    node: Option<String>,
    proto: Option<String>,
    host: Option<String>,
}

/// Parses `for=…;proto=…, for="…"` (RFC 7239 §4).
fn parse_elements(value: &str) -> Result<Vec<Element>, ParseForwardedError> {
    let mut elements = Vec::new();
    let mut element = Element::default();
    let mut rest = value.trim();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=').ok_or(ParseForwardedError)?;
        let (text, after) = parse_value(after)?;
        let field = match name.trim_start().to_ascii_lowercase().as_str() {
            "for" => Some(&mut element.node),
            "proto" => Some(&mut element.proto),
            "host" => Some(&mut element.host),
            name if !name.is_empty() && name.bytes().all(is_token) => None,
            _ => return Err(ParseForwardedError),
        };
        if let Some(field) = field
            && field.replace(text).is_some()
        {
            return Err(ParseForwardedError);
        }
        let after = after.trim_start();
        rest = match after.as_bytes().first() {
            None => "",
            Some(b';') => after.trim_start_matches(';'),
            Some(b',') => {
                elements.push(std::mem::take(&mut element));
                after.trim_start_matches([',', ' '])
            }
            Some(_) => return Err(ParseForwardedError),
        };
    }
    elements.push(element);
    Ok(elements)
}

/// Splits off a token or quoted string (RFC 9110 §5.6).
fn parse_value(text: &str) -> Result<(String, &str), ParseForwardedError> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ',', ' ', '\t']).unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        let is_value = !value.is_empty() && value.bytes().all(is_token);
        return if is_value { Ok((value.to_owned(), rest)) } else { Err(ParseForwardedError) };
    };
    let mut value = String::new();
    let mut chars = quoted.chars();
    loop {
        match chars.next().ok_or(ParseForwardedError)? {
            '"' => return Ok((value, chars.as_str())),
            '\\' => value.push(chars.next().ok_or(ParseForwardedError)?),
            other => value.push(other),
        }
    }
}

/// True for the bytes of a token, and for colon and brackets, which proxies forget to quote.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:[]".contains(&byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    /// Proxies in 10.0.0.0/8 are trusted.
    fn read(lines: &[(&'static str, &str)]) -> Result<Forwarded, ParseForwardedError> {
        Forwarded::read(&headers(lines), |ip| ip.to_string().starts_with("10."))
    }

    fn client(lines: &[(&'static str, &str)]) -> Option<String> {
        read(lines).unwrap().client.map(|client| client.to_string())
    }

    #[test]
    fn client_is_the_last_address_of_no_trusted_proxy() {
        for (list, expected) in [
            ("203.0.113.7", "203.0.113.7"),
            ("6.6.6.6, 203.0.113.7", "203.0.113.7"),
            ("garbage, 203.0.113.7", "203.0.113.7"),
            ("203.0.113.7, 10.0.0.2", "203.0.113.7"),
            ("6.6.6.6, 203.0.113.7,10.0.0.3 , 10.0.0.2", "203.0.113.7"),
            ("10.0.0.9, 10.0.0.2", "10.0.0.9"),
            ("unknown, 10.0.0.2", "10.0.0.2"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]:5000", "2001:db8::7"),
            ("203.0.113.7:5000", "203.0.113.7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
        ] {
            assert_eq!(client(&[("x-forwarded-for", list)]).as_deref(), Some(expected), "{list}");
        }
        let lines = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "203.0.113.7")];
        assert_eq!(client(&lines).as_deref(), Some("203.0.113.7"), "over two lines");
        let far = "203.0.113.7,".to_owned() + &"10.0.0.1,".repeat(MAX_HOPS);
        assert_eq!(client(&[("x-forwarded-for", &far)]).as_deref(), Some("10.0.0.1"), "bounded");
    }

    #[test]
    fn proto_and_host_are_those_of_the_clients_hop() {
        let lines = [
            ("x-forwarded-for", "203.0.113.7, 10.0.0.2"),
            ("x-forwarded-proto", "https, http"),
            ("x-forwarded-host", "meet.example, inner:4000"),
        ];
        let host = Host::parse("meet.example");
        let client = "203.0.113.7".parse().ok();
        assert_eq!(read(&lines), Ok(Forwarded { client, secure: Some(true), host }));
        let lines = [("x-forwarded-for", "203.0.113.7"), ("x-forwarded-proto", "https, http")];
        assert_eq!(
            read(&lines).unwrap().secure,
            Some(false),
            "the first one comes from the client"
        );
        assert_eq!(read(&[("x-forwarded-proto", "WSS")]).unwrap().secure, Some(true));
    }

    #[test]
    fn forwarded_counts_without_x_forwarded_headers() {
        let value = r#"for=6.6.6.6;host=evil.example, for="[2001:db8::7]:99";proto=https;by=10.0.0.1;host="meet.example:8443", for=10.0.0.2;proto=http"#;
        let read_one = read(&[("forwarded", value)]).unwrap();
        assert_eq!(read_one.client, "2001:db8::7".parse().ok());
        assert_eq!(read_one.secure, Some(true));
        assert_eq!(read_one.host, Host::parse("meet.example:8443"));
        let both = [("forwarded", "for=6.6.6.6;proto=https"), ("x-forwarded-for", "203.0.113.7")];
        let both = read(&both).unwrap();
        assert_eq!((both.client, both.secure), ("203.0.113.7".parse().ok(), None));
        assert_eq!(read(&[("forwarded", "for=_hidden;proto=http")]).unwrap().client, None);
        assert_eq!(read(&[]), Ok(Forwarded::default()));
    }

    #[test]
    fn malformed_headers_are_rejected() {
        for (name, value) in [
            ("x-forwarded-for", "203.0.113.7, garbage"),
            ("x-forwarded-for", "203.0.113.7; 10.0.0.2"),
            ("x-forwarded-for", "999.0.0.1"),
            ("x-forwarded-proto", "ftp"),
            ("x-forwarded-host", "a b"),
            ("x-forwarded-host", "a/b"),
            ("forwarded", "for"),
            ("forwarded", "for="),
            ("forwarded", "=x"),
            ("forwarded", r#"for="203.0.113.7"#),
            ("forwarded", "for=203.0.113.7;for=6.6.6.6"),
            ("forwarded", "for=203.0.113.7 proto=https"),
            ("forwarded", "for=here"),
        ] {
            assert_eq!(read(&[(name, value)]), Err(ParseForwardedError), "{name}: {value}");
        }
    }

    #[test]
    fn is_forwarded_recognises_headers_of_proxies_only() {
        for name in ["forwarded", "x-forwarded-anything", "via", "x-real-ip", "cf-connecting-ip"] {
            assert!(is_forwarded(&headers(&[(name, "x")])), "{name}");
        }
        let browser = [("host", "localhost"), ("accept", "*/*"), ("user-agent", "x"), ("x-y", "z")];
        assert!(!is_forwarded(&headers(&browser)));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[ -~]{0,80}") {
            for name in ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded"] {
                let _ = read(&[(name, &text)]);
            }
        }

        #[test]
        fn a_client_cannot_choose_what_its_proxy_appends(text in "[ -~]{0,80}") {
            let list = format!("{text}, 203.0.113.7");
            let found = client(&[("x-forwarded-for", &list)]);
            prop_assert_eq!(found.as_deref(), Some("203.0.113.7"));
        }
    }
}
