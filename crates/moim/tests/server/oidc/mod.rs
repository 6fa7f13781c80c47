//! Sign-in of hosts at an OpenID provider.

mod provider;
mod refusals;

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    os::unix::fs::PermissionsExt,
    sync::Arc,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use testnet::claim_port;

use crate::{
    peer::{Answer, ask as request, frame, get_with, tcp, text_frame, websocket_with},
    secrets::ask,
    support::{DEADLINE, Server, command, succeed, within},
    tokens::Issuer,
};
use provider::{Asked, CLIENT, Provider};

const SECRET: &str = "s3cret: of/moim";

/// A server whose hosts sign in at the provider, and more flags.
fn server(provider: &Provider, flags: &[&str]) -> Server {
    server_at(&provider.issuer(), &[&SIGNED_IN, flags].concat())
}

fn server_at(issuer: &str, flags: &[&str]) -> Server {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let secret = folder.path().join("secret");
    fs::write(&secret, SECRET).unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let flags = [own_flags(issuer, secret.to_str().unwrap()), flags.to_vec()].concat();
    Server::start_in(folder, &flags)
}

fn own_flags<'a>(issuer: &'a str, secret: &'a str) -> Vec<&'a str> {
    vec!["--oidc-issuer", issuer, "--oidc-client-id", CLIENT, "--oidc-client-secret-file", secret]
}

const SIGNED_IN: [&str; 4] = ["--create", "signed-in", "--list", "signed-in"];

/// A browser, as far as sign-in needs one.
struct Browser<'a> {
    server: &'a Server,
    cookies: Vec<(String, String)>,
}

impl<'a> Browser<'a> {
    fn new(server: &'a Server) -> Self {
        Self { server, cookies: Vec::new() }
    }

    fn cookie(&self) -> String {
        let pairs = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    fn has(&self, name: &str) -> bool {
        self.cookies.iter().any(|(known, _)| known == name)
    }

    /// Requests a path and keeps the cookies of the answer.
    fn get(&mut self, path: &str) -> Answer {
        let answer = get_with(self.server, path, &[("Cookie", &self.cookie())]);
        self.keep(&answer);
        answer
    }

    fn keep(&mut self, answer: &Answer) {
        for line in answer.head.lines() {
            let Some(field) = line.strip_prefix("set-cookie: ") else { continue };
            assert!(field.contains("HttpOnly; SameSite=Lax"), "{field}");
            let (name, value) = field.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    /// Follows the button; returns what the provider is asked.
    fn begin(&mut self, to: &str) -> Asked {
        let answer = self.get(&format!("/auth/sign-in?to={to}"));
        assert_eq!(answer.status, 303, "{}", answer.head);
        Asked::at(answer.header("location").unwrap())
    }

    /// Returns from the provider; the address that this leads to.
    fn finish(&mut self, query: &[(&str, &str)]) -> String {
        let pairs = query.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
        let query = pairs.collect::<Vec<_>>().join("&");
        let answer = self.get(&format!("/auth/callback?{query}"));
        assert_eq!(answer.status, 303, "{} {}", answer.head, answer.text());
        answer.header("location").unwrap().to_owned()
    }

    /// Signs in as a person with these claims.
    fn sign_in(&mut self, provider: &Provider, changes: &Value) -> String {
        let asked = self.begin("/");
        let token = provider.key().token(&provider.claims(&asked, changes));
        let code = provider.grant(&asked, token);
        self.answer(provider, &asked, &code)
    }

    /// Returns from the provider with a code.
    fn answer(&mut self, provider: &Provider, asked: &Asked, code: &str) -> String {
        let (state, iss) = (asked.query["state"].as_str(), provider.issuer());
        self.finish(&[("code", code), ("state", state), ("iss", &iss), ("session_state", "x")])
    }

    /// The name of the person who has signed in.
    fn person(&mut self) -> Value {
        let answer = self.get("/auth/session");
        let session: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(session["provider"], true);
        session["person"].clone()
    }

    fn sign_out(&mut self, origin: &str) -> u16 {
        self.sign_out_answer(origin).status
    }

    fn sign_out_answer(&mut self, origin: &str) -> Answer {
        let headers = [("Cookie", self.cookie()), ("Origin", origin.to_owned())];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let mut stream = tcp(self.server.address());
        let answer = request(&mut stream, "DELETE /auth/session", &headers, b"").unwrap();
        self.keep(&answer);
        answer
    }

    /// A socket of a page of an origin.
    fn socket(&self, origin: &str) -> TcpStream {
        let headers = [("Cookie", self.cookie()), ("Origin", origin.to_owned())];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let mut stream = websocket_with(tcp(self.server.address()), &headers);
        std::io::Write::write_all(&mut stream, &text_frame("40")).unwrap();
        assert!(frame(&mut stream).unwrap().1.starts_with(b"40{"));
        stream
    }
}

const OWN: &str = "http://localhost";

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn join(stream: &mut TcpStream, room: &str, device: &str) -> Value {
    let join = json!({"room": room, "name": "Somebody", "device": device.repeat(16)});
    ask(stream, "room:join", &join)
}

#[test]
fn person_creates_rooms_and_is_host_from_each_device_while_guests_need_no_account() {
    let provider = Provider::start(Issuer::rs256("a"));
    let server = server(&provider, &[]);
    let create = |stream: &mut TcpStream, name: &str| {
        ask(stream, "room:create", &json!({"name": name, "device": "d".repeat(16)}))
    };
    let mut guest = Browser::new(&server).socket(OWN);
    let sign_in_required = |reply: &Value| reply["error"]["code"] == "sign_in_required";
    assert!(sign_in_required(&create(&mut guest, "tea")));
    assert!(sign_in_required(&ask(&mut guest, "room:list", &json!({}))));
    assert!(sign_in_required(&join(&mut guest, "tea", "g")));

    let mut desktop = Browser::new(&server);
    assert_eq!(desktop.person(), Value::Null);
    assert_eq!(desktop.sign_in(&provider, &json!({})), "/");
    assert_eq!(desktop.person(), "Ann");
    let mut ann = desktop.socket(OWN);
    assert!(create(&mut ann, "tea")["ok"].is_object());
    assert!(ask(&mut ann, "room:list", &json!({}))["ok"]["rooms"].is_array());
    let reply = join(&mut guest, "tea", "g");
    assert_eq!(reply["ok"]["self"]["role"], "speaker", "no host by coming first: {reply}");
    assert_eq!(join(&mut ann, "tea", "d")["ok"]["self"]["role"], "host");

    // The same person with another name on another device; somebody else isn't host.
    let mut phone = Browser::new(&server);
    phone.sign_in(&provider, &json!({"name": "Ann Lee"}));
    assert_eq!(join(&mut phone.socket(OWN), "tea", "p")["ok"]["self"]["role"], "host");
    let mut ben = Browser::new(&server);
    ben.sign_in(&provider, &json!({"sub": "ben"}));
    assert_eq!(join(&mut ben.socket(OWN), "tea", "b")["ok"]["self"]["role"], "speaker");
    // Whoever signed in also opens rooms by their links, and is host there.
    let mut ben = ben.socket(OWN);
    assert_eq!(join(&mut ben, "milk", "b")["ok"]["self"]["role"], "host");

    // Signed out: nothing is left on the open socket either.
    assert_eq!(phone.sign_out("https://evil.example"), 403);
    let mut socket = phone.socket(OWN);
    assert_eq!(phone.sign_out(OWN), 204);
    assert_eq!(phone.person(), Value::Null);
    assert!(sign_in_required(&create(&mut socket, "soup")));

    let (form, proof) = provider.exchanged().remove(0);
    assert_eq!(form["redirect_uri"], "http://localhost/auth/callback");
    let pair = format!("{CLIENT}:s3cret%3A%20of%2Fmoim");
    assert_eq!(proof.unwrap(), format!("Basic {}", BASE64_STANDARD.encode(pair)));
    within(DEADLINE, "an entry of the audit log", || {
        let list = succeed(&["audit", "--data", server.data().to_str().unwrap()]);
        String::from_utf8_lossy(&list.stdout).contains("person.sign_in").then_some(())
    });
}

#[test]
fn pages_of_other_sites_dont_act_as_the_person_and_the_return_stays_here() {
    let provider = Provider::start(Issuer::es256("a"));
    let server = server(&provider, &["--origin", "https://other.example"]);
    let mut browser = Browser::new(&server);
    for (to, expected) in [("/r/tea?join=1", "/r/tea?join=1"), ("//evil.example", "/")] {
        let asked = browser.begin(&to.replace('?', "%3F").replace('=', "%3D"));
        let token = provider.key().token(&provider.claims(&asked, &json!({})));
        let code = provider.grant(&asked, token);
        assert_eq!(browser.answer(&provider, &asked, &code), expected);
    }
    let may = |origin: &str| {
        let reply = ask(&mut browser.socket(origin), "room:list", &json!({}));
        reply["ok"].is_object()
    };
    assert!(may(OWN));
    assert!(!may("https://other.example"), "it may connect, as a guest");
}

#[test]
fn sessions_survive_a_restart() {
    let provider = Provider::start(Issuer::es256("a"));
    let mut first = server(&provider, &[]);
    let mut browser = Browser::new(&first);
    browser.sign_in(&provider, &json!({}));
    let cookies = browser.cookies;
    first.terminate();
    assert!(first.ended().success());
    let issuer = provider.issuer();
    let secret = first.data().join("secret");
    let flags = own_flags(&issuer, secret.to_str().unwrap());
    let flags = [&flags[..], &SIGNED_IN].concat();
    let second = Server::start_in(first.keep_data(), &flags);
    let mut browser = Browser { server: &second, cookies };
    assert_eq!(browser.person(), "Ann");
    assert!(ask(&mut browser.socket(OWN), "room:list", &json!({}))["ok"].is_object());
}

#[test]
fn session_that_was_ended_stays_ended_after_kill_9() {
    let provider = Provider::start(Issuer::es256("a"));
    let mut first = server(&provider, &[]);
    let [stays, ended] = {
        let mut browsers = [Browser::new(&first), Browser::new(&first)];
        for browser in &mut browsers {
            browser.sign_in(&provider, &json!({}));
        }
        let cookies = browsers.each_ref().map(|browser| browser.cookies.clone());
        assert_eq!(browsers[1].sign_out(OWN), 204);
        cookies
    };
    // The moment after the answer.
    first.signal(rustix::process::Signal::KILL);
    first.ended();
    let issuer = provider.issuer();
    let secret = first.data().join("secret");
    let flags = own_flags(&issuer, secret.to_str().unwrap());
    let flags = [&flags[..], &SIGNED_IN].concat();
    let second = Server::start_in(first.keep_data(), &flags);
    let person = |cookies: Vec<_>| Browser { server: &second, cookies }.person();
    assert_eq!((person(stays), person(ended)), ("Ann".into(), Value::Null));
}

#[test]
fn signing_out_goes_on_at_the_provider_if_it_has_a_page_for_that() {
    let provider = Provider::start(Issuer::es256("a"));
    provider.announce("end_session_endpoint", json!(format!("{}/end?a=b", provider.issuer())));
    let mut first = server(&provider, &[]);
    let sign_out = |browser: &mut Browser<'_>| {
        let answer = browser.sign_out_answer(OWN);
        assert_eq!(answer.status, 200, "{}", answer.head);
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        let page = body["page"].as_str().unwrap().to_owned();
        assert!(page.starts_with(&format!("{}/end?a=b&", provider.issuer())), "{page}");
        assert_eq!(browser.person(), Value::Null);
        Asked::at(&page).query
    };
    let (cookies, token) = {
        let mut browser = Browser::new(&first);
        browser.sign_in(&provider, &json!({}));
        let cookies = browser.cookies.clone();
        let mut other = Browser::new(&first);
        let asked = other.begin("/");
        let token = provider.key().token(&provider.claims(&asked, &json!({})));
        let code = provider.grant(&asked, token.clone());
        other.answer(&provider, &asked, &code);
        let query = sign_out(&mut other);
        let [client, back] = ["client_id", "post_logout_redirect_uri"].map(|name| &query[name]);
        assert_eq!((client.as_str(), back.as_str()), (CLIENT, "http://localhost/auth/callback"));
        // The provider returns with the state, or without.
        let state = query["state"].clone();
        for back in [&[("state", state.as_str())][..], &[]] {
            assert_eq!(other.finish(back), "/");
        }
        assert_eq!(other.sign_out(OWN), 204, "nobody is signed in");
        assert_eq!(query["id_token_hint"], token);
        (cookies, token)
    };
    assert!(!first.log().contains(&token));
    // The token is not on disk: the next process knows who has signed in, and the provider asks.
    first.terminate();
    assert!(first.ended().success());
    let signature = token.rsplit_once('.').unwrap().1.as_bytes();
    for entry in fs::read_dir(first.data()).unwrap() {
        let path = entry.unwrap().path();
        let Ok(bytes) = fs::read(&path) else { continue };
        let has_it = bytes.windows(signature.len()).any(|bytes| bytes == signature);
        assert!(!has_it, "{}", path.display());
    }
    let issuer = provider.issuer();
    let secret = first.data().join("secret");
    let flags = own_flags(&issuer, secret.to_str().unwrap());
    let second = Server::start_in(first.keep_data(), &[&flags[..], &SIGNED_IN].concat());
    let mut browser = Browser { server: &second, cookies };
    assert_eq!(browser.person(), "Ann");
    assert!(!sign_out(&mut browser).contains_key("id_token_hint"));
}

/// One client that begins many sign-ins leaves room for others, while the provider is slow.
#[test]
fn slow_provider_is_not_taken_up_by_one_client() {
    let provider = Provider::start(Issuer::es256("a"));
    let server = server(&provider, &["--trusted-proxy", "127.0.0.1/32"]);
    let get = |path: &str, cookie: &str, client: &str| {
        let from = [("X-Forwarded-For", client), ("X-Forwarded-Proto", "https")];
        get_with(&server, path, &[&[("Cookie", cookie)], &from[..]].concat())
    };
    // The code, the answer that has it, and the cookie of the browser.
    let granted = |client: &str| {
        let mut browser = Browser::new(&server);
        let begun = get("/auth/sign-in?to=/", "", client);
        browser.keep(&begun);
        let asked = Asked::at(begun.header("location").unwrap());
        let token = provider.key().token(&provider.claims(&asked, &json!({})));
        let code = provider.grant(&asked, token);
        let (state, iss) = (asked.query["state"].clone(), provider.issuer());
        let pairs = [("code", code.clone()), ("state", state), ("iss", iss)];
        let query = pairs.map(|(name, value)| format!("{name}={}", encoded(&value)));
        (code, format!("/auth/callback?{}", query.join("&")), browser.cookie())
    };
    let finish = |(_, path, cookie): &(String, String, String), client: &str| {
        get(path, cookie, client).header("location").unwrap().to_owned()
    };
    let (one, another) = ("198.51.100.7", "203.0.113.9");
    let of_one: Vec<_> = (0..9).map(|_| granted(one)).collect();
    let of_another = granted(another);
    let codes: Vec<_> = of_one.iter().map(|(code, ..)| code.clone()).collect();
    provider.hold(&codes);
    std::thread::scope(|scope| {
        let finishing = of_one.iter().map(|attempt| scope.spawn(|| finish(attempt, one)));
        let finishing: Vec<_> = finishing.collect();
        // Eight have all of its share.
        let is_over = |ended: usize| {
            (finishing.iter().filter(|one| one.is_finished()).count() == ended).then_some(())
        };
        within(DEADLINE, "one is refused", || is_over(1));
        assert_eq!(finish(&of_another, another), "/");
        assert_eq!(is_over(1), Some(()), "the provider has answered none of them");
        provider.release();
        let mut ended: Vec<_> = finishing.into_iter().map(|one| one.join().unwrap()).collect();
        ended.sort_unstable();
        assert_eq!(ended[..8], [(); 8].map(|()| "/".to_owned()));
        assert_eq!(ended[8], "/?sign-in=busy");
    });
}

#[test]
fn host_rules_and_names_may_come_from_the_user_info() {
    let provider = Provider::start(Issuer::es256("a"));
    let server = server(&provider, &["--oidc-host-claim", "groups:teachers"]);
    provider.tell(json!({"sub": "ann", "groups": ["teachers"], "name": "Ann Lee"}));
    let mut browser = Browser::new(&server);
    assert_eq!(browser.sign_in(&provider, &json!({"name": null})), "/");
    assert_eq!(browser.person(), "Ann Lee");
    // What is signed comes first, and another person's claims don't count.
    let mut browser = Browser::new(&server);
    let pupil = json!({"groups": ["pupils"]});
    assert_eq!(browser.sign_in(&provider, &pupil), "/?sign-in=not_host");
    let other = json!({"sub": "ben"});
    assert_eq!(browser.sign_in(&provider, &other), "/?sign-in=away");
    assert_eq!(browser.person(), Value::Null);
}

#[test]
fn provider_that_is_away_stops_neither_the_server_nor_guests() {
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, claim_port()));
    let issuer = format!("http://{free}");
    let server = server_at(&issuer, &[]);
    let mut guest = Browser::new(&server).socket(OWN);
    assert!(join(&mut guest, "tea", "g")["ok"].is_object());
    let mut browser = Browser::new(&server);
    let answer = browser.get("/auth/sign-in?to=/");
    assert_eq!(answer.header("location"), Some("/?sign-in=away"));
    server.until_logged("the OpenID provider is away");
    let arguments = ["config", "check", "--oidc-issuer", &issuer, "--oidc-client-id", CLIENT];
    let checked = command(&arguments);
    assert!(checked.status.success(), "{checked:?}");
    let warning = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(warning.contains("nobody can sign in at --oidc-issuer"), "{warning}");
    // It comes back.
    let provider = Provider::start_at(free, Issuer::es256("a"));
    within(DEADLINE, "sign-in", || {
        let answer = browser.get("/auth/sign-in?to=/");
        (answer.header("location") != Some("/?sign-in=away")).then_some(())
    });
    assert_eq!(browser.sign_in(&provider, &json!({})), "/");
}

#[test]
fn without_a_provider_nobody_can_sign_in() {
    let server = Server::start(&[]);
    let answer = get_with(&server, "/auth/session", &[]);
    assert_eq!(answer.text(), r#"{"provider":false,"person":null}"#);
    assert_eq!(get_with(&server, "/auth/sign-in?to=/", &[]).status, 404);
}
