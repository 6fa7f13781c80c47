//! What people say and what authenticates them is in no log, at any level.

use std::io::{Read, Write};

use serde_json::{Value, json};

use crate::{
    peer::{frame, socket, tcp, text_frame},
    support::Server,
};

/// Sends a request and returns its acknowledgement. Events before it are discarded.
pub(crate) fn ask(stream: &mut (impl Read + Write), event: &str, payload: &Value) -> Value {
    let packet = format!("421{}", json!([event, payload]));
    stream.write_all(&text_frame(&packet)).unwrap();
    loop {
        let (_, data) = frame(stream).unwrap();
        if let Some(answer) = data.strip_prefix(b"431") {
            return serde_json::from_slice::<Value>(answer).unwrap()[0].clone();
        }
    }
}

#[test]
fn rooms_leave_no_secret_in_the_log() {
    let mut server = Server::start(&["--log", "trace", "--topology", "sfu"]);
    let (mut ann, mut ben) = (socket(tcp(server.address())), socket(tcp(server.address())));
    let mut secrets: Vec<String> =
        ["sesame-4711", "guess-0815", "what we said", "Annegret Xu"].map(str::to_owned).into();
    let create = json!({"name": "tea", "password": secrets[0]});
    assert!(ask(&mut ann, "room:create", &create)["ok"].is_object());
    let join = |password: &str| json!({"room": "tea", "name": "Annegret Xu", "password": password, "sfu": true});
    assert_eq!(ask(&mut ann, "room:join", &join(&secrets[1]))["error"]["code"], "wrong_password");
    for client in [&mut ann, &mut ben] {
        let joined = ask(client, "room:join", &join("sesame-4711"));
        let joined = &joined["ok"];
        let servers = joined["iceServers"].as_array().unwrap();
        let credentials = servers.iter().filter_map(|server| server["credential"].as_str());
        let before = secrets.len();
        secrets.extend(credentials.chain(joined["resume"].as_str()).map(str::to_owned));
        assert!(secrets.len() >= before + 2, "{joined}");
    }
    assert!(ask(&mut ann, "chat", &json!({"text": "what we said", "serial": 1}))["ok"].is_object());
    // A description, whole and broken.
    let ice = ["ufrg-5318", "the-ice-password-of-ann-0123456789"];
    secrets.push(ice[1].to_owned());
    for version in ["v=0", "v=1"] {
        let fingerprint = "00:".repeat(31) + "07";
        let sdp = format!(
            "{version}\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
             a=fingerprint:sha-256 {fingerprint}\r\na=ice-ufrag:{}\r\na=ice-pwd:{}\r\n\
             a=setup:actpass\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n\
             a=rtpmap:111 opus/48000/2\r\na=rtcp-mux\r\na=sendrecv\r\n",
            ice[0], ice[1]
        );
        let description = json!({"type": "offer", "sdp": sdp});
        let signal = json!({"to": "sfu", "description": description});
        assert!(ask(&mut ann, "signal", &signal)["ok"].is_object());
        let answered = loop {
            let (_, data) = frame(&mut ann).unwrap();
            let text = String::from_utf8(data).unwrap();
            if text.contains("\"signal\"") || text.contains("\"refused\"") {
                break text;
            }
        };
        assert_eq!(answered.contains("a=ice-pwd:"), version == "v=0", "{answered}");
        let own = answered.split("a=ice-pwd:").skip(1).filter_map(|it| it.split('\\').next());
        secrets.extend(own.map(str::to_owned));
    }
    server.terminate();
    assert!(server.ended().success());
    let log = server.until_logged("stopped");
    assert!(log.contains("TRACE"), "{log}");
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(&secret));
        assert_eq!(line, None, "{secret}");
    }
}
