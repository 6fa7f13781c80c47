//! S5: CAA records of the names for which the server asks a public CA (RFC 8659).
//!
//! The system's resolver has no call for them, so its name servers are asked directly. What they
//! don't tell is no fault.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use doctor::server::dns::Caa;

use crate::config::Config;

/// Time for all names.
const TIMEOUT: Duration = Duration::from_secs(4);
/// Time for a name server to answer one question.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);
/// Names that are looked up.
const MAX_NAMES: usize = 8;
/// Name servers that are asked, as many as the system's resolver uses.
const MAX_SERVERS: usize = 3;
/// The port of DNS.
const PORT: u16 = 53;
/// The type of CAA records, and the class of the Internet.
const CAA: u16 = 257;
const INTERNET: u16 = 1;
/// Bytes of a message's head (RFC 1035 §4.1.1), and of a record's after its name (§4.1.3).
const HEAD_BYTES: usize = 12;
const RECORD_HEAD_BYTES: usize = 10;
/// Most records of an answer.
const MAX_RECORDS: u16 = 64;

/// CAs by a part of their directory's URL, with the domains that CAA records name them by.
const CAS: [(&str, &[&str]); 3] = [
    ("letsencrypt.org/", &["letsencrypt.org"]),
    ("zerossl.com/", &["sectigo.com", "zerossl.com"]),
    ("pki.goog/", &["pki.goog"]),
];

/// The restrictions of all names of --domain.
pub(super) fn gather(config: &Config) -> Vec<Caa> {
    let Some(acme) = &config.acme else { return Vec::new() };
    let known = CAS.iter().find(|(part, _)| acme.directory.contains(part));
    let Some((_, cas)) = known else { return Vec::new() };
    let servers = name_servers(&fs::read_to_string("/etc/resolv.conf").unwrap_or_default());
    let end = Instant::now() + TIMEOUT;
    let of_name = |name: &str| {
        let (found, allowed) = restriction(name, &servers, end)?;
        let cas = cas.iter().map(|ca| (*ca).to_owned()).collect();
        Some(Caa { name: name.to_owned(), found, allowed, cas })
    };
    let domains = acme.domains.iter().take(MAX_NAMES);
    domains.filter_map(|domain| of_name(domain.as_str())).collect()
}

/// Name servers of resolv.conf(5).
fn name_servers(text: &str) -> Vec<SocketAddr> {
    let servers = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let address = words.next().filter(|word| *word == "nameserver").and(words.next())?;
        Some(SocketAddr::new(address.parse::<IpAddr>().ok()?, PORT))
    });
    servers.take(MAX_SERVERS).collect()
}

/// The domain with records, from the name upwards, and the CAs that may issue; `None` if there is
/// no restriction, or nobody tells.
fn restriction(name: &str, servers: &[SocketAddr], end: Instant) -> Option<(String, Vec<String>)> {
    let mut domain = name;
    loop {
        let records = servers.iter().find_map(|server| ask(domain, *server, end))?;
        if !records.is_empty() {
            // Records of other kinds alone, such as `iodef`, forbid nothing.
            let issue: Vec<_> = records.into_iter().filter(|(tag, _)| tag == "issue").collect();
            let issuer = |(_, value): (String, String)| {
                let issuer = value.split(';').next().unwrap_or_default().trim();
                (!issuer.is_empty()).then(|| issuer.to_ascii_lowercase())
            };
            return (!issue.is_empty())
                .then(|| (domain.to_owned(), issue.into_iter().filter_map(issuer).collect()));
        }
        domain = domain.split_once('.')?.1;
    }
}

/// Records by tag and value, of which there may be none; `None` if the server does not tell.
fn ask(domain: &str, server: SocketAddr, end: Instant) -> Option<Vec<(String, String)>> {
    let any: IpAddr =
        if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(server).ok()?;
    let id: u16 = rand::random();
    let question = question(id, domain)?;
    socket.send(&question).ok()?;
    let end = end.min(Instant::now() + ANSWER_TIMEOUT);
    let mut answer = [0; 4096];
    loop {
        let left = end.saturating_duration_since(Instant::now());
        socket.set_read_timeout(Some(left).filter(|left| !left.is_zero())?.into()).ok()?;
        let length = socket.recv(&mut answer).ok()?;
        let answer = answer.get(..length)?;
        if answer.get(..2) == Some(&id.to_be_bytes()) {
            return records(answer);
        }
    }
}

/// A recursive question.
fn question(id: u16, domain: &str) -> Option<Vec<u8>> {
    let mut message = id.to_be_bytes().to_vec();
    message.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in domain.split('.') {
        message.push(u8::try_from(label.len()).ok().filter(|length| (1..64).contains(length))?);
        message.extend(label.bytes());
    }
    message.push(0);
    message.extend(CAA.to_be_bytes());
    message.extend(INTERNET.to_be_bytes());
    Some(message)
}

/// The CAA records of an answer; `None` if it is cut, malformed or a failure. A name that does not
/// exist has none.
fn records(message: &[u8]) -> Option<Vec<(String, String)>> {
    const RESPONSE: u8 = 0x80;
    const TRUNCATED: u8 = 2;
    const NO_SUCH_NAME: u8 = 3;
    let (flags, code) = (*message.get(2)?, *message.get(3)? & 0xf);
    if flags & RESPONSE == 0 || flags & TRUNCATED != 0 || !(code == 0 || code == NO_SUCH_NAME) {
        return None;
    }
    let mut at = HEAD_BYTES;
    for _ in 0..number(message, 4)?.min(MAX_RECORDS) {
        at = after_name(message, at)? + 4;
    }
    let mut found = Vec::new();
    for _ in 0..number(message, 6)?.min(MAX_RECORDS) {
        at = after_name(message, at)?;
        let kind = number(message, at)?;
        let start = at + RECORD_HEAD_BYTES;
        let end = start + usize::from(number(message, start - 2)?);
        let data = message.get(start..end)?;
        if kind == CAA {
            // Flags, then the tag with its length, then the value (RFC 8659 §4.1).
            let (head, rest) = data.split_first_chunk::<2>()?;
            let (tag, value) = rest.split_at_checked(usize::from(head[1]))?;
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            found.push((text(tag).to_ascii_lowercase(), text(value)));
        }
        at = end;
    }
    Some(found)
}

/// Skips a name, which may end with a pointer (RFC 1035 §4.1.4).
fn after_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            length if length & 0xc0 == 0xc0 => return Some(at + 2),
            length => at += 1 + usize::from(length),
        }
    }
}

fn number(message: &[u8], at: usize) -> Option<u16> {
    let bytes = message.get(at..at.checked_add(2)?)?;
    Some(u16::from_be_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// An answer to `question` with these records, whose names are pointers.
    fn answer(question: &[u8], code: u8, records: &[(&str, &str)]) -> Vec<u8> {
        let mut message = question.to_vec();
        message[2] |= 0x80;
        message[3] = code;
        message[7] = u8::try_from(records.len()).unwrap();
        for (tag, value) in records {
            let length = u16::try_from(2 + tag.len() + value.len()).unwrap();
            message.extend([0xc0, 12, 1, 1, 0, 1, 0, 0, 0, 60]);
            message.extend(length.to_be_bytes());
            message.extend([0, u8::try_from(tag.len()).unwrap()]);
            message.extend(tag.bytes().chain(value.bytes()));
        }
        message
    }

    /// A name server that has records of `example.org` and fails for `broken.test`.
    fn name_server() -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        thread::spawn(move || {
            let mut question = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut question) {
                let question = &question[..length];
                let is_for = |name: &[u8]| question[12..].starts_with(name);
                let allowed = [("issue", "LetsEncrypt.org; validationmethods=http-01")];
                let answer = if is_for(b"\x07example\x03org\x00") {
                    answer(question, 0, &[&allowed[..], &[("iodef", "mailto:a@b")]].concat())
                } else if is_for(b"\x04none\x04test\x00") {
                    answer(question, 0, &[("issue", ";")])
                } else if is_for(b"\x06broken\x04test\x00") {
                    answer(question, 2, &[])
                } else {
                    answer(question, 3, &[])
                };
                // First one with another id, which is nobody's answer.
                let mut forged = answer.clone();
                forged[0] ^= 1;
                let _ = socket.send_to(&forged, from);
                let _ = socket.send_to(&answer, from);
            }
        });
        address
    }

    #[test]
    fn restriction_of_the_nearest_domain_counts() {
        let servers = [name_server()];
        let of = |name| restriction(name, &servers, Instant::now() + TIMEOUT);
        let expected = ("example.org".to_owned(), vec!["letsencrypt.org".to_owned()]);
        assert_eq!(of("a.meet.example.org"), Some(expected));
        assert_eq!(of("none.test"), Some(("none.test".to_owned(), Vec::new())));
        assert_eq!(of("meet.example.net"), None);
        assert_eq!(of("broken.test"), None, "a failure says nothing");
        assert_eq!(restriction("example.org", &[], Instant::now() + TIMEOUT), None);
    }

    #[test]
    fn damaged_answers_say_nothing() {
        let question = question(7, "example.org").unwrap();
        let whole = answer(&question, 0, &[("issue", "letsencrypt.org")]);
        assert_eq!(records(&whole).unwrap().len(), 1);
        for length in 0..whole.len() {
            assert_eq!(records(&whole[..length]), None, "{length}");
        }
        let mut cut = whole;
        cut[2] |= 2;
        assert_eq!(records(&cut), None);
        assert!(super::question(7, "a..b").is_none());
    }

    #[test]
    fn name_servers_are_those_of_the_resolver() {
        let text = "# nameserver 192.0.2.9\nsearch lan\nnameserver 192.0.2.1\nnameserver ::1\n\
                    nameserver fe80::1%eth0\n";
        let expected = ["192.0.2.1:53", "[::1]:53"].map(|at| at.parse().unwrap());
        assert_eq!(name_servers(text), expected);
    }
}
