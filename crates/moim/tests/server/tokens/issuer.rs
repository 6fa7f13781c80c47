//! Issues tokens as applications and identity providers do.

#[path = "../../../../access/tests/signer/keys.rs"]
mod keys;

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use serde_json::{Value, json};

pub(crate) use keys::Signer as Issuer;

/// A web server that publishes keys.
pub(crate) struct Publisher {
    port: u16,
    keys: Arc<Mutex<Vec<Value>>>,
    reads: Arc<AtomicUsize>,
}

impl Publisher {
    pub(crate) fn new(issuers: &[&Issuer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let keys = Arc::new(Mutex::new(Vec::new()));
        let reads = Arc::new(AtomicUsize::new(0));
        let (published, count) = (Arc::clone(&keys), Arc::clone(&reads));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    if stream.read_exact(&mut byte).is_err() {
                        break;
                    }
                    head.extend(byte);
                }
                count.fetch_add(1, Ordering::SeqCst);
                let body = json!({"keys": *published.lock().unwrap()}).to_string();
                let length = body.len();
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
                let _ = stream.write_all((head + &body).as_bytes());
            }
        });
        let publisher = Self { port, keys, reads };
        publisher.publish(issuers);
        publisher
    }

    pub(crate) fn publish(&self, issuers: &[&Issuer]) {
        *self.keys.lock().unwrap() = issuers.iter().map(|issuer| issuer.jwk()).collect();
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/keys", self.port)
    }

    /// How often the keys were read.
    pub(crate) fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }
}
