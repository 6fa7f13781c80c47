//! TLS on the same port.

use std::{
    fs,
    io::{Read, Write},
};

use rcgen::{CertificateParams, KeyPair};
use rustls::version::{TLS12, TLS13};

use crate::{
    peer::{Tls, ask, get, rest},
    support::{DEADLINE, Server, within},
};

#[test]
fn https_shares_the_port_and_verifies_with_the_ca() {
    let server = Server::start(&[]);
    for name in ["localhost", "127.0.0.1", "::1"] {
        for version in [&TLS12, &TLS13] {
            let tls = Tls::trusting(&server).version(version);
            let mut stream = tls.connect(server.address(), name).unwrap();
            assert_eq!(ask(&mut stream, "GET /healthz", &[], b"").unwrap().text(), "ok\n");
        }
    }
    let error = Tls::trusting(&server).connect(server.address(), "other.example").unwrap_err();
    assert!(error.to_string().contains("not valid for name"), "{error}");
}

#[test]
fn ca_download_has_no_key_and_persists() {
    let server = Server::start(&[]);
    let ca = get(&server, "/ca.crt");
    assert_eq!(ca.header("content-type"), Some("application/x-x509-ca-cert"));
    assert!(ca.text().starts_with("-----BEGIN CERTIFICATE-----"));
    assert!(!ca.text().contains("PRIVATE"));
    let data = server.keep_data();
    drop(server);
    let again = Server::start_in(data, &[]);
    assert_eq!(get(&again, "/ca.crt").body, ca.body);
    let tls = Tls::with_root(&ca.body);
    let mut stream = tls.connect(again.address(), "localhost").unwrap();
    assert_eq!(ask(&mut stream, "GET /healthz", &[], b"").unwrap().status, 200);
}

#[test]
fn alpn_negotiates_supported_protocols_only() {
    let server = Server::start(&[]);
    for (offered, chosen) in [
        (&[&b"h2"[..], b"http/1.1"][..], &b"h2"[..]),
        (&[b"http/1.1"], b"http/1.1"),
        (&[b"stun.turn"], b"stun.turn"),
    ] {
        let tls = offered.iter().fold(Tls::trusting(&server), |tls, alpn| tls.alpn(alpn));
        let stream = tls.connect(server.address(), "localhost").unwrap();
        assert_eq!(stream.conn.alpn_protocol(), Some(chosen));
    }
    let error = Tls::trusting(&server).alpn(b"spdy/1").connect(server.address(), "localhost");
    assert!(error.unwrap_err().to_string().contains("NoApplicationProtocol"));
}

#[test]
fn tls_versions_before_1_2_get_an_alert() {
    let server = Server::start(&[]);
    // A ClientHello of TLS 1.0 (RFC 2246 §7.4.1.2).
    let mut hello = vec![0x16, 3, 1, 0, 55, 1, 0, 0, 51, 3, 1];
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0xc0, 0x2b, 1, 0]);
    // Its signature_algorithms include a supported one.
    hello.extend([0, 8, 0, 13, 0, 4, 0, 2, 4, 3]);
    let mut stream = crate::peer::tcp(server.address());
    stream.write_all(&hello).unwrap();
    let alert = rest(&mut stream);
    assert_eq!(alert.first(), Some(&0x15), "{alert:x?}");
    assert_eq!(alert.get(5..7), Some(&[2, 70][..]), "fatal, protocol_version: {alert:x?}");
}

#[test]
fn tls_inside_tls_is_rejected() {
    let server = Server::start(&[]);
    let mut stream = Tls::trusting(&server).connect(server.address(), "localhost").unwrap();
    stream.write_all(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00").unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.is_empty(), "{answer:x?}");
    assert_eq!(get(&server, "/healthz").status, 200);
}

#[test]
fn operator_certificate_is_served_and_reloaded_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let make = || {
        let pair = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["calls.example".to_owned()]).unwrap();
        let made = params.self_signed(&pair).unwrap().pem();
        fs::write(&key, pair.serialize_pem()).unwrap();
        fs::write(&cert, &made).unwrap();
        made.into_bytes()
    };
    let first = make();
    let flags = ["--cert", cert.to_str().unwrap(), "--key", key.to_str().unwrap()];
    let server = Server::start(&flags);
    let serves =
        |pem: &[u8]| Tls::with_root(pem).connect(server.address(), "calls.example").is_ok();
    assert!(serves(&first));
    assert_eq!(get(&server, "/ca.crt").status, 404);

    let second = make();
    within(DEADLINE, "the new certificate is served", || serves(&second).then_some(()));
    assert!(!serves(&first));

    fs::write(&cert, "half a file").unwrap();
    within(DEADLINE, "the mismatch is logged", || {
        server.log().contains("keeping the old certificate").then_some(())
    });
    assert!(serves(&second));
}
