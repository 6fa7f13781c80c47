//! Headers of the PROXY protocol, versions 1 and 2, by which a proxy that passes streams through
//! tells the address of its client (<https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt>).

use std::{io, net::SocketAddr};

use proxy_header::{ParseConfig, Protocol};
use tokio::io::{AsyncRead, AsyncReadExt};

/// The longest line of version 1, with its line break (§2.1).
const MAX_V1_LEN: usize = 107;
/// Bytes of version 2 before its addresses (§2.2).
const V2_START_LEN: usize = 16;
/// The longest rest of version 2: proxies send addresses and a few short fields.
const MAX_V2_REST_LEN: usize = 2048;

/// The client of a proxied stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProxyHeader {
    /// The client's address; `None` for a connection of the proxy itself.
    pub(crate) client: Option<SocketAddr>,
    /// The client uses TLS to the proxy, which terminates it.
    pub(crate) secure: bool,
}

impl ProxyHeader {
    /// Reads a header, and nothing behind it.
    ///
    /// # Errors
    /// Those of the stream, and `InvalidData` for a malformed header.
    pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        let mut bytes = vec![stream.read_u8().await?];
        if bytes == [b'P'] {
            while !bytes.ends_with(b"\n") {
                if bytes.len() >= MAX_V1_LEN {
                    return Err(invalid());
                }
                bytes.push(stream.read_u8().await?);
            }
        } else {
            bytes.resize(V2_START_LEN, 0);
            stream.read_exact(bytes.get_mut(1..).ok_or_else(invalid)?).await?;
            let rest = bytes.last_chunk::<2>().copied().map(u16::from_be_bytes);
            let rest = usize::from(rest.unwrap_or_default());
            if rest > MAX_V2_REST_LEN {
                return Err(invalid());
            }
            bytes.resize(V2_START_LEN + rest, 0);
            stream.read_exact(bytes.get_mut(V2_START_LEN..).ok_or_else(invalid)?).await?;
        }
        Self::parse(&bytes).ok_or_else(invalid)
    }

    /// Parses a header that fills `bytes`.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (header, length) =
            proxy_header::ProxyHeader::parse(bytes, ParseConfig::default()).ok()?;
        let address = header.proxied_address();
        if length != bytes.len() || address.is_some_and(|it| it.protocol != Protocol::Stream) {
            return None;
        }
        let client = address.map(|address| address.source);
        // A client has an address that answers can reach.
        let is_possible = |client: &SocketAddr| {
            let ip = client.ip().to_canonical();
            client.port() != 0 && !ip.is_unspecified() && !ip.is_multicast()
        };
        if client.is_some_and(|client| !is_possible(&client)) {
            return None;
        }
        Some(Self { client, secure: header.ssl().is_some_and(|ssl| ssl.client_ssl()) })
    }
}

fn invalid() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "malformed PROXY header")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proxy_header::{ProxiedAddress, ProxyHeader as Encoder};

    use super::*;

    /// Reads a header from the start of a stream; returns what is left, too.
    fn read(mut bytes: &[u8]) -> (io::Result<ProxyHeader>, Vec<u8>) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let header = runtime.block_on(ProxyHeader::read(&mut bytes));
        (header, bytes.to_vec())
    }

    fn v2(client: &str) -> Vec<u8> {
        let client: SocketAddr = client.parse().unwrap();
        let proxy = SocketAddr::new(client.ip(), 443);
        let header = Encoder::with_address(ProxiedAddress::stream(client, proxy));
        let mut bytes = [0; 256];
        let length = header.encode_to_slice_v2(&mut bytes).unwrap();
        bytes[..length].to_vec()
    }

    #[test]
    fn headers_of_both_versions_tell_the_client_and_leave_the_rest() {
        let v1 = |line: &str| [line.as_bytes(), b"\r\n"].concat();
        for (header, client) in [
            (v1("PROXY TCP4 192.0.2.7 10.0.0.1 5000 443"), Some("192.0.2.7:5000")),
            (v1("PROXY TCP6 2001:db8::7 2001:db8::1 5000 443"), Some("[2001:db8::7]:5000")),
            (v1("PROXY UNKNOWN"), None),
            (v2("192.0.2.7:5000"), Some("192.0.2.7:5000")),
            (v2("[2001:db8::7]:5000"), Some("[2001:db8::7]:5000")),
            (b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0".to_vec(), None),
        ] {
            let (parsed, rest) = read(&[&header[..], b"GET / HTTP/1.1"].concat());
            let client = client.map(|client| client.parse().unwrap());
            assert_eq!(parsed.unwrap(), ProxyHeader { client, secure: false }, "{header:x?}");
            assert_eq!(rest, b"GET / HTTP/1.1");
        }
    }

    #[test]
    fn malformed_headers_are_rejected() {
        let datagram = [b"\r\n\r\n\0\r\nQUIT\n\x21\x12\0\x0c".as_slice(), &[1; 12]].concat();
        let long = [b"PROXY UNKNOWN ".as_slice(), &[b'x'; 200], b"\r\n"].concat();
        let large = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff".to_vec();
        let port = b"PROXY TCP4 192.0.2.7 10.0.0.1 0 443\r\n".to_vec();
        let multicast = b"PROXY TCP4 224.0.0.1 10.0.0.1 5000 443\r\n".to_vec();
        let line_feed = b"PROXY TCP4 192.0.2.7 10.0.0.1 5000 443\n".to_vec();
        for bytes in [datagram, long, large, port, multicast, line_feed] {
            let error = read(&bytes).0.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{bytes:x?}");
        }
        assert_eq!(
            read(&v2("192.0.2.7:1")[..20]).0.unwrap_err().kind(),
            io::ErrorKind::UnexpectedEof
        );
    }

    proptest! {
        #[test]
        fn read_never_panics_nor_takes_more_than_the_header(
            start in prop_oneof![
                Just(b"PROXY TCP4 ".to_vec()),
                Just(b"PROXY TCP6 ".to_vec()),
                Just(b"PROXY ".to_vec()),
                Just(b"\r\n\r\n\0\r\nQUIT\n".to_vec()),
                Just(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0".to_vec()),
                Just(b"\r\n\r\n\0\r\nQUIT\n\x21\x31\0\xd8".to_vec()),
                Just(Vec::new()),
            ],
            rest in proptest::collection::vec(any::<u8>(), 0..400),
        ) {
            let bytes = [start, rest].concat();
            let (header, left) = read(&bytes);
            prop_assert!(bytes.ends_with(&left));
            let taken = bytes.len() - left.len();
            prop_assert!(taken <= V2_START_LEN + MAX_V2_REST_LEN);
            if header.is_ok() {
                prop_assert!(ProxyHeader::parse(&bytes[..taken]).is_some());
            }
        }

        #[test]
        fn any_client_is_told(ip: std::net::IpAddr, port in 1_u16..) {
            let client = SocketAddr::new(ip, port);
            prop_assume!(!ip.to_canonical().is_unspecified() && !ip.to_canonical().is_multicast());
            let parsed = read(&v2(&client.to_string())).0.unwrap();
            prop_assert_eq!(parsed.client, Some(client));
        }
    }
}
