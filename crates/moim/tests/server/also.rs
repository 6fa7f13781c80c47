//! Several listen addresses (`--also`).

use std::net::{SocketAddr, UdpSocket};

use crate::{
    peer::{Tls, ask, socket, tcp},
    support::{DEADLINE, Server},
};

/// Ports that published clients expect.
const TUTORIALS: [u16; 4] = [4000, 4545, 8000, 8080];

/// A loopback address on which these ports are most likely free.
fn address(port: u16) -> SocketAddr {
    let [.., a, b] = std::process::id().to_be_bytes();
    SocketAddr::from(([127, 77, a, b.max(1)], port))
}

#[test]
fn every_listen_address_serves_every_protocol() {
    let also = TUTORIALS.map(|port| address(port).to_string());
    let flags: Vec<&str> = also.iter().flat_map(|address| ["--also", address]).collect();
    let server = Server::start(&flags);
    let tls = Tls::trusting(&server);
    for address in TUTORIALS.map(address).into_iter().chain([server.address()]) {
        let get = |path: &str, headers: &[(&str, &str)]| {
            ask(&mut tcp(address), &format!("GET {path}"), headers, b"").unwrap()
        };
        assert_eq!(get("/healthz", &[]).text(), "ok\n", "{address}");
        assert_eq!(get("/", &[]).status, 200, "{address}");
        for generation in ["EIO=3", "EIO=4"] {
            let open = get(&format!("/socket.io/?{generation}&transport=polling"), &[]);
            assert!(open.text().contains("\"sid\""), "{address}: {}", open.text());
        }
        let upgrade = [
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        let own_path = get("/webRTC_V0/?EIO=4&transport=websocket", &upgrade);
        assert_eq!(own_path.status, 101, "{address}");
        socket(tcp(address));
        socket(tls.connect(address, "localhost").unwrap());
        assert_eq!(reflected(address), address, "STUN answers from the address it was asked at");
    }
}

#[test]
fn address_in_use_fails_and_nothing_is_served() {
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap();
    let data = tempfile::tempdir().unwrap();
    let flags = ["--also", &taken.to_string()];
    let output = crate::support::moim(&["--listen", "127.0.0.1:0"], data.path(), &flags).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&format!("Port {} of 127.0.0.1 is taken", taken.port())), "{said}");
}

/// Asks over UDP to have our own address reflected, and tells who answered (RFC 8489 §7).
pub(crate) fn reflected(server: SocketAddr) -> SocketAddr {
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.set_read_timeout(Some(DEADLINE)).unwrap();
    let request = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], b"who am I now"].concat();
    client.send_to(&request, server).unwrap();
    let mut answer = [0; 256];
    let (length, from) = client.recv_from(&mut answer).unwrap();
    assert_eq!(answer[..2], [1, 1], "a success");
    assert_eq!(answer[4..20], request[4..], "to this request");
    // XOR-MAPPED-ADDRESS holds our port, masked with the cookie's first half.
    let port = client.local_addr().unwrap().port() ^ 0x2112;
    let mapped = [&[0, 0x20, 0, 8, 0, 1][..], &port.to_be_bytes()].concat();
    assert!(answer[20..length].windows(8).any(|bytes| bytes == mapped));
    from
}
