//! An OpenID provider that signs its own tokens, and may be told to misbehave.

use std::{
    collections::{HashMap, HashSet},
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::tokens::Issuer;

/// This server's name at the provider.
pub(crate) const CLIENT: &str = "moim";

/// The provider.
pub(crate) struct Provider {
    address: SocketAddr,
    key: Issuer,
    state: Arc<Mutex<State>>,
    released: Arc<Condvar>,
}

#[derive(Default)]
struct State {
    keys: Value,
    metadata: Value,
    codes: HashMap<String, Grant>,
    user_info: Value,
    /// Forms that the token endpoint was sent, and their `Authorization`.
    exchanged: Vec<(HashMap<String, String>, Option<String>)>,
    /// Bytes that are added to each answer.
    padding: usize,
    /// Codes whose exchange is answered later.
    held: HashSet<String>,
}

/// What a code stands for.
struct Grant {
    challenge: String,
    id_token: String,
}

/// The query of the page where a person signs in.
pub(crate) struct Asked {
    pub(crate) query: HashMap<String, String>,
}

impl Provider {
    pub(crate) fn start(key: Issuer) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), key)
    }

    pub(crate) fn start_at(address: SocketAddr, key: Issuer) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let issuer = format!("http://{address}");
        let metadata = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/keys"),
            "userinfo_endpoint": format!("{issuer}/me"),
            "authorization_response_iss_parameter_supported": true,
        });
        let keys = json!({"keys": [key.jwk()]});
        let state = Arc::new(Mutex::new(State { keys, metadata, ..State::default() }));
        let released = Arc::new(Condvar::new());
        let shared = (Arc::clone(&state), Arc::clone(&released));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (state, released) = shared.clone();
                thread::spawn(move || serve(stream.unwrap(), &state, &released));
            }
        });
        Self { address, key, state, released }
    }

    pub(crate) fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The key that it publishes.
    pub(crate) fn key(&self) -> &Issuer {
        &self.key
    }

    /// The claims of an ID token for a person who was asked to sign in.
    pub(crate) fn claims(&self, asked: &Asked, changes: &Value) -> Value {
        let now = crate::tokens::now();
        let mut claims = json!({
            "iss": self.issuer(), "sub": "ann", "aud": CLIENT, "name": "Ann",
            "nonce": asked.query["nonce"], "iat": now, "exp": now + 300,
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    }

    /// A person signs in, and gets a code for this ID token.
    pub(crate) fn grant(&self, asked: &Asked, id_token: String) -> String {
        let mut state = self.state.lock().unwrap();
        let code = format!("code {}", state.exchanged.len() + state.codes.len());
        let challenge = asked.query["code_challenge"].clone();
        state.codes.insert(code.clone(), Grant { challenge, id_token });
        code
    }

    /// Makes every answer so much larger.
    pub(crate) fn pad(&self, bytes: usize) {
        self.state.lock().unwrap().padding = bytes;
    }

    /// Answers the user info with these claims.
    pub(crate) fn tell(&self, claims: Value) {
        self.state.lock().unwrap().user_info = claims;
    }

    /// Has the metadata tell something more.
    pub(crate) fn announce(&self, name: &str, value: Value) {
        self.state.lock().unwrap().metadata[name] = value;
    }

    /// Answers nothing to the exchange of these codes.
    pub(crate) fn hold(&self, codes: &[String]) {
        self.state.lock().unwrap().held.extend(codes.iter().cloned());
    }

    /// Answers what was held.
    pub(crate) fn release(&self) {
        self.state.lock().unwrap().held.clear();
        self.released.notify_all();
    }

    /// Codes that were exchanged, or not.
    pub(crate) fn exchanged(&self) -> Vec<(HashMap<String, String>, Option<String>)> {
        self.state.lock().unwrap().exchanged.clone()
    }
}

impl Asked {
    pub(crate) fn at(url: &str) -> Self {
        Self { query: fields(url.split_once('?').unwrap().1) }
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>, released: &Condvar) {
    let Some((head, body)) = read(&mut stream) else { return };
    let form = fields(&body);
    let is_held =
        |state: &mut State| form.get("code").is_some_and(|code| state.held.contains(code));
    let mut state = released.wait_while(state.lock().unwrap(), is_held).unwrap();
    let state = &mut *state;
    let path = head.split(' ').nth(1).unwrap_or_default();
    let (status, answer) = match path {
        "/.well-known/openid-configuration" => (200, state.metadata.clone()),
        "/keys" => (200, state.keys.clone()),
        "/me" => (200, state.user_info.clone()),
        "/token" => token(&head, &body, state),
        _ => (404, Value::Null),
    };
    let padding = " ".repeat(state.padding);
    let answer = format!("{answer}{padding}");
    let length = answer.len();
    let head = format!("HTTP/1.1 {status} OK\r\nContent-Length: {length}\r\n\r\n");
    let _ = stream.write_all((head + &answer).as_bytes());
}

/// The token endpoint: each code counts once, and with its verifier alone.
fn token(head: &str, body: &str, state: &mut State) -> (u16, Value) {
    let form = fields(body);
    let proof = head.lines().find_map(|line| line.strip_prefix("authorization: "));
    state.exchanged.push((form.clone(), proof.map(str::to_owned)));
    let grant = form.get("code").and_then(|code| state.codes.remove(code));
    let verifier = form.get("code_verifier").map(String::as_bytes).unwrap_or_default();
    let challenge = BASE64.encode(digest(&SHA256, verifier));
    match grant.filter(|grant| grant.challenge == challenge) {
        Some(grant) => (200, json!({"id_token": grant.id_token, "access_token": "at"})),
        None => (400, json!({"error": "invalid_grant"})),
    }
}

/// A request's head and body.
fn read(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).ok()?;
    Some((head, String::from_utf8(body).unwrap()))
}

fn fields(text: &str) -> HashMap<String, String> {
    let decode = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}
