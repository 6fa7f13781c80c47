//! Origin checks and CORS.

use super::{
    peer::{Answer, Peer, http, open_polling},
    server::Server,
};
use crate::socketio::Config;

const HANDSHAKE: &str = "/socket.io/?EIO=4&transport=polling";

fn server() -> Server {
    let mut config = Config::default();
    config.origins.allowed = vec!["https://friend.example".to_owned()];
    Server::start(config)
}

fn ask(server: &Server, method: &str, target: &str, origin: &str) -> Answer {
    let headers = format!("origin: {origin}\r\n");
    http(server.address, &format!("{method} {target}"), &headers, b"")
}

#[test]
fn foreign_origin_is_rejected() {
    let server = server();
    let query = open_polling(server.address);
    for origin in ["https://evil.example", "null", "http://moim.example.evil.example"] {
        for target in [HANDSHAKE, &format!("/socket.io/?{query}")] {
            for method in ["GET", "POST", "OPTIONS"] {
                let answer = ask(&server, method, target, origin);
                assert_eq!(answer.status, 403, "{method} {target} {origin}");
                assert_eq!(answer.body, "{\"code\":4,\"message\":\"Forbidden\"}");
                assert_eq!(answer.header("access-control-allow-origin"), None);
            }
        }
        let refused = Peer::open_from(server.address, "EIO=4&transport=websocket", Some(origin));
        assert_eq!(refused.err(), Some(403), "{origin}");
    }
}

#[test]
fn allowed_origins_get_cors_headers_with_credentials() {
    let server = server();
    for origin in ["http://moim.example", "https://friend.example", "http://localhost:3000"] {
        let answer = ask(&server, "GET", HANDSHAKE, origin);
        assert_eq!(answer.status, 200, "{origin}");
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
        assert_eq!(answer.header("vary"), Some("origin"));
    }
    for origin in ["https://friend.example", "http://localhost:3000"] {
        Peer::open_from(server.address, "EIO=4&transport=websocket", Some(origin)).unwrap();
    }
}

#[test]
fn rejection_has_cors_headers() {
    let answer = ask(&server(), "GET", "/socket.io/?EIO=9&transport=polling", "http://localhost");
    assert_eq!(answer.status, 400);
    assert_eq!(answer.header("access-control-allow-origin"), Some("http://localhost"));
}

#[test]
fn preflight_is_answered() {
    let answer = ask(&server(), "OPTIONS", HANDSHAKE, "https://friend.example");
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://friend.example"));
    assert_eq!(answer.header("access-control-allow-methods"), Some("GET,POST"));
    assert_eq!(answer.header("access-control-allow-headers"), Some("content-type"));
}

#[test]
fn request_without_origin_is_allowed() {
    let server = server();
    let answer = http(server.address, &format!("GET {HANDSHAKE}"), "", b"");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), None);
}
