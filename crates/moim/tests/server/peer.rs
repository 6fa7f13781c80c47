//! Clients that send exact bytes.

use std::{
    fs,
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};

use crate::support::{DEADLINE, Server};

/// A plain TCP connection.
pub(crate) fn tcp(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.set_write_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// Options of a TLS connection.
pub(crate) struct Tls {
    roots: RootCertStore,
    versions: Vec<&'static SupportedProtocolVersion>,
    alpn: Vec<&'static [u8]>,
}

impl Tls {
    /// Trusts the server's local CA.
    pub(crate) fn trusting(server: &Server) -> Self {
        let text = fs::read(server.data().join("ca.pem")).unwrap();
        Self::with_root(&text)
    }

    /// Trusts this certificate.
    pub(crate) fn with_root(pem: &[u8]) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(pem).unwrap()).unwrap();
        Self { roots, versions: rustls::ALL_VERSIONS.to_vec(), alpn: Vec::new() }
    }

    /// Allows this version only.
    pub(crate) fn version(mut self, version: &'static SupportedProtocolVersion) -> Self {
        self.versions = vec![version];
        self
    }

    /// Offers this protocol (ALPN).
    pub(crate) fn alpn(mut self, protocol: &'static [u8]) -> Self {
        self.alpn.push(protocol);
        self
    }

    /// Connects and completes the handshake.
    pub(crate) fn connect(
        &self,
        address: SocketAddr,
        name: &str,
    ) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
        self.over(tcp(address), name)
    }

    /// Completes the handshake over a connected stream.
    pub(crate) fn over(
        &self,
        mut stream: TcpStream,
        name: &str,
    ) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let mut connection = ClientConnection::new(Arc::new(self.config()), name).unwrap();
        while connection.is_handshaking() {
            connection.complete_io(&mut stream)?;
        }
        Ok(StreamOwned::new(connection, stream))
    }

    /// The configuration of a client. Its connections resume sessions of earlier ones.
    pub(crate) fn config(&self) -> ClientConfig {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&self.versions)
            .unwrap()
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = self.alpn.iter().map(|protocol| protocol.to_vec()).collect();
        config
    }
}

/// Reads until the other side closes or resets the connection.
pub(crate) fn rest(stream: &mut impl Read) -> Vec<u8> {
    let mut all = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return all,
            Ok(read) => all.extend_from_slice(&piece[..read]),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionReset
                        | io::ErrorKind::BrokenPipe
                        | io::ErrorKind::UnexpectedEof
                        | io::ErrorKind::ConnectionAborted
                ) =>
            {
                return all;
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return all,
            Err(error) => panic!("neither data nor a close: {error}, after {all:x?}"),
        }
    }
}

/// A response to an HTTP request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The body as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// Reads one response with a `Content-Length`.
pub(crate) fn answer(stream: &mut impl Read) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        read_on(stream, &mut bytes)?;
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    let mut answer = Answer { status, head, body: bytes.split_off(head_end + 4) };
    let length = match status {
        100 | 101 | 204 | 304 => 0,
        _ => answer.header("content-length").map_or(0, |length| length.parse().unwrap()),
    };
    while answer.body.len() < length {
        read_on(stream, &mut answer.body)?;
    }
    Ok(answer)
}

fn read_on(stream: &mut impl Read, bytes: &mut Vec<u8>) -> io::Result<()> {
    let mut piece = [0; 4096];
    match stream.read(&mut piece)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        read => {
            bytes.extend_from_slice(&piece[..read]);
            Ok(())
        }
    }
}

/// Sends a request over `stream` and reads the response.
pub(crate) fn ask(
    stream: &mut (impl Read + Write),
    start: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Answer> {
    let mut request = format!("{start} HTTP/1.1\r\nHost: localhost\r\n");
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() {
        request += &format!("Content-Length: {}\r\n", body.len());
    }
    request += "\r\n";
    stream.write_all(request.as_bytes())?;
    stream.write_all(body)?;
    stream.flush()?;
    answer(stream)
}

/// Requests a path over a new plain connection.
pub(crate) fn get(server: &Server, path: &str) -> Answer {
    get_with(server, path, &[])
}

/// [`get`] with headers.
pub(crate) fn get_with(server: &Server, path: &str, headers: &[(&str, &str)]) -> Answer {
    ask(&mut tcp(server.address()), &format!("GET {path}"), headers, b"").unwrap()
}

/// A WebSocket that has received Engine.IO's open packet.
pub(crate) fn websocket<S: Read + Write>(stream: S) -> S {
    websocket_with(stream, &[])
}

/// [`websocket`] with more headers.
pub(crate) fn websocket_with<S: Read + Write>(mut stream: S, more: &[(&str, &str)]) -> S {
    let headers = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let path = "GET /socket.io/?EIO=4&transport=websocket";
    let mut request = format!("{path} HTTP/1.1\r\nHost: localhost\r\n");
    for (name, value) in headers.iter().chain(more) {
        request += &format!("{name}: {value}\r\n");
    }
    stream.write_all((request + "\r\n").as_bytes()).unwrap();
    // Byte by byte, since frames may follow immediately.
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    let open = frame(&mut stream).unwrap();
    assert!(open.1.starts_with(b"0{"), "{open:?}");
    stream
}

/// One frame from the server: opcode and payload.
pub(crate) fn frame(stream: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 2];
    stream.read_exact(&mut head)?;
    let length = match head[1] {
        126 => {
            let mut length = [0; 2];
            stream.read_exact(&mut length)?;
            u16::from_be_bytes(length).into()
        }
        127 => panic!("a longer message than any test expects"),
        length => usize::from(length),
    };
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload)?;
    Ok((head[0] & 0x0f, payload))
}

/// A masked text frame (RFC 6455 §5.3), with a mask of zeros.
pub(crate) fn text_frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match text.len() {
        short @ 0..126 => frame.push(0x80 | u8::try_from(short).unwrap()),
        long => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(long).unwrap().to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(text.as_bytes());
    frame
}

/// A WebSocket connected to the namespace `/`.
pub(crate) fn socket<S: Read + Write>(stream: S) -> S {
    let mut stream = websocket(stream);
    stream.write_all(&text_frame("40")).unwrap();
    let connected = frame(&mut stream).unwrap();
    assert!(connected.1.starts_with(b"40{"), "{connected:?}");
    stream
}
