//! Programs between the server and the CA.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::Value;

use super::world::World;
use crate::support::DEADLINE;

/// Passes connections on, except those of a CA that validates a name: such middleboxes exist.
pub(super) fn block_validation(at: SocketAddr, to: SocketAddr) {
    let listener = TcpListener::bind(at).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || pass_unless_validation(stream, to));
        }
    });
}

fn pass_unless_validation(mut client: TcpStream, to: SocketAddr) -> Option<()> {
    let mut first = vec![0; 4096];
    let length = client.read(&mut first).ok()?;
    first.truncate(length);
    if first.windows(10).any(|window| window == b"acme-tls/1") {
        return None;
    }
    let mut server = TcpStream::connect(to).ok()?;
    server.write_all(&first).ok()?;
    let (mut from, mut back) = (client.try_clone().ok()?, server.try_clone().ok()?);
    thread::spawn(move || std::io::copy(&mut from, &mut back));
    std::io::copy(&mut server, &mut client).ok()?;
    client.shutdown(std::net::Shutdown::Both).ok()
}

/// Adds renewal information (RFC 9773) to the CA, which has none: it wants its first certificate
/// renewed at once, and later ones in the middle of their lives.
pub(super) struct RenewalInfo {
    pub(super) directory: String,
    /// What each order replaces.
    pub(super) orders: Arc<Mutex<Vec<Option<String>>>>,
    /// The certificates that were asked about.
    pub(super) asked: Arc<Mutex<Vec<String>>>,
}

impl RenewalInfo {
    pub(super) fn before(world: &'static World, ca: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let this = Self {
            directory: format!("https://{address}/dir"),
            orders: Arc::default(),
            asked: Arc::default(),
        };
        let (orders, asked) = (Arc::clone(&this.orders), Arc::clone(&this.asked));
        let config = server_config(world);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                stream.set_read_timeout(Some(DEADLINE)).unwrap();
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut stream = StreamOwned::new(connection, stream);
                let Some((head, body)) = request(&mut stream) else { continue };
                let path = head.split(' ').nth(1).unwrap();
                let response = match path.strip_prefix("/renewal/") {
                    Some(id) => {
                        asked.lock().unwrap().push(id.to_owned());
                        window(asked.lock().unwrap()[0] == id)
                    }
                    None => {
                        let replaces = (path == "/order-plz").then(|| replaces(&body));
                        let mut response = world.ask_ca(ca, &head, &body);
                        if response.starts_with("HTTP/1.1 201")
                            && let Some(replaces) = replaces
                        {
                            orders.lock().unwrap().push(replaces.clone());
                            if let Some(replaces) = replaces {
                                response = add(&response, "replaces", &replaces);
                            }
                        }
                        if path == "/dir" {
                            let url = format!("https://{address}/renewal");
                            response = add(&response, "renewalInfo", &url);
                        }
                        response
                    }
                };
                stream.write_all(response.as_bytes()).unwrap();
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        });
        this
    }
}

fn server_config(world: &World) -> Arc<ServerConfig> {
    let (cert, key) = world.own_certificate();
    let chain = vec![CertificateDer::from_pem_file(cert).unwrap()];
    let config =
        ServerConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth();
    Arc::new(config.with_single_cert(chain, PrivateKeyDer::from_pem_file(key).unwrap()).unwrap())
}

/// Reads a request: head and body.
fn request(stream: &mut impl Read) -> Option<(String, String)> {
    let mut text = String::new();
    let mut piece = [0; 4096];
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length: ")?.trim().parse().ok()
            });
            if body.len() >= length.unwrap_or(0) {
                return Some((head.to_owned(), body.to_owned()));
            }
        }
        match stream.read(&mut piece).ok()? {
            0 => return None,
            length => text.push_str(std::str::from_utf8(&piece[..length]).unwrap()),
        }
    }
}

/// What the order in a signed request replaces.
fn replaces(body: &str) -> Option<String> {
    let signed: Value = serde_json::from_str(body).unwrap();
    let payload = BASE64_URL_SAFE_NO_PAD.decode(signed["payload"].as_str().unwrap()).unwrap();
    let order: Value = serde_json::from_slice(&payload).unwrap();
    order.get("replaces").map(|replaces| replaces.as_str().unwrap().to_owned())
}

/// Adds a field to the JSON of a response.
fn add(response: &str, key: &str, value: &str) -> String {
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    let mut json: Value = serde_json::from_str(body).unwrap();
    json[key] = value.into();
    let body = json.to_string();
    let is_length = |line: &&str| line.to_ascii_lowercase().starts_with("content-length");
    let head: Vec<_> = head.lines().filter(|line| !is_length(line)).collect();
    format!("{}\r\nContent-Length: {}\r\n\r\n{body}", head.join("\r\n"), body.len())
}

fn window(is_past: bool) -> String {
    let year = if is_past { 2020 } else { 2099 };
    let body = format!(
        r#"{{"suggestedWindow": {{"start": "{year}-01-01T00:00:00Z", "end": "{year}-01-02T00:00:00Z"}}}}"#
    );
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nRetry-After: 21600\r\nContent-Length: {length}\r\n\r\n{body}")
}
