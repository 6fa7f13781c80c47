//! Addresses of this computer that change while the server runs.

use std::{
    fs,
    net::{IpAddr, SocketAddr, UdpSocket},
    process::{Command, Output},
};

use rustix::process::Signal;

use crate::{
    namespace::{add_interface, in_namespace, ip},
    relaying::Client,
    support::{DEADLINE, Server, succeed, within},
};

const CHANNEL: u16 = 0x4001;

fn at(ip: &str, server: &Server) -> SocketAddr {
    SocketAddr::new(ip.parse().unwrap(), server.address().port())
}

/// Two participants in a call at this address, with the certificate checked. It fails if one of
/// them receives no media.
fn call(ip: &str, server: &Server) -> Output {
    let url = format!("https://{}", at(ip, server));
    let ca = server.data().join("ca.pem");
    let ca = ca.to_str().unwrap();
    let options = ["--publishers", "2", "--media", "audio", "--duration", "1s"];
    succeed(&[&["load", "--url", &url, "--ca", ca], &options[..]].concat())
}

fn changed(server: &Server, addresses: &str) {
    let line = format!("addresses have changed: {addresses}\n");
    within(DEADLINE, &line, || server.log().contains(&line).then_some(()));
}

fn start(flags: &[&str]) -> Server {
    let relay = ["--turn-user", "tester:open sesame", "--turn-allow", "10.0.0.0/8"];
    Server::start_on(IpAddr::from([0, 0, 0, 0]), &[&relay, flags].concat())
}

/// Sends a datagram through the relay and back.
fn relays(client: &mut Client, peer: &UdpSocket, relayed: SocketAddr) {
    let mut buffer = [0; 16];
    client.send_channel(CHANNEL, b"there");
    let (length, from) = peer.recv_from(&mut buffer).unwrap();
    assert_eq!((&buffer[..length], from), (&b"there"[..], relayed));
    peer.send_to(b"back", relayed).unwrap();
    assert_eq!(client.channel_data(), (CHANNEL, b"back".to_vec()));
}

/// A computer that gets another address by DHCP, or changes its network.
#[test]
fn replaced_address_is_used_by_new_calls_and_allocations() {
    in_namespace(|| {
        add_interface("lan", "10.77.0.1/24");
        add_interface("other", "10.78.0.1/24");
        let server = start(&[]);
        call("10.77.0.1", &server);
        // A TURN client on the other interface, which goes on meanwhile.
        let peer = UdpSocket::bind("10.78.0.1:0").unwrap();
        peer.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut running = Client::at(at("10.78.0.1", &server));
        let running_at = running.allocate();
        running.bind(CHANNEL, peer.local_addr().unwrap());

        ip("address del 10.77.0.1/24 dev lan");
        ip("address add 10.77.0.7/24 dev lan");
        changed(&server, "10.77.0.7, 10.78.0.1");

        relays(&mut running, &peer, running_at);
        call("10.77.0.7", &server);
        let mut new = Client::at(at("10.77.0.7", &server));
        let relayed = new.allocate();
        assert_eq!(relayed.ip(), IpAddr::from([10, 77, 0, 7]));
        new.bind(CHANNEL, peer.local_addr().unwrap());
        relays(&mut new, &peer, relayed);
        relays(&mut running, &peer, running_at);
    });
}

#[test]
fn announce_only_keeps_interface_addresses_out_of_the_certificate() {
    in_namespace(|| {
        add_interface("lan", "10.77.0.1/24");
        let server = start(&["--announce", "203.0.113.7", "--announce-only"]);
        ip("address add 10.77.0.9/24 dev lan");
        changed(&server, "10.77.0.1, 10.77.0.9");
        let named = names_in(&server);
        assert!(named.contains("203.0.113.7") && !named.contains("10.77.0."), "{named}");
    });
}

#[test]
fn announced_address_is_applied_by_a_reload() {
    let server = Server::start(&[]);
    fs::write(server.data().join("moim.toml"), "announce = ['10.5.5.5']").unwrap();
    server.signal(Signal::HUP);
    within(DEADLINE, "a certificate with the new address", || {
        names_in(&server).contains("10.5.5.5").then_some(())
    });
    server.until_logged("reloaded; applied: announce");
}

/// The names in the server's certificate, as OpenSSL shows them.
fn names_in(server: &Server) -> String {
    let certificate = server.data().join("server.pem");
    let shown = Command::new("openssl")
        .args(["x509", "-noout", "-ext", "subjectAltName", "-in"])
        .arg(certificate)
        .output()
        .expect("openssl is there");
    String::from_utf8(shown.stdout).unwrap()
}
