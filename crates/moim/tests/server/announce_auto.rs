//! `--announce auto` (S4 of the operations' design): the server finds its public address, and no
//! visitor can make it announce another one.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    process::Command,
    thread,
};

use rustix::process::Signal;

use serde_json::json;

use crate::{
    namespace::{Hosts, add_interface, in_namespace, ip},
    peer::{socket, tcp},
    secrets::ask,
    support::{DEADLINE, Server, within},
};

/// The server on the inner side of a NAT, at a port that the NAT maps to itself.
const LISTEN: &str = "0.0.0.0:4000";

fn start(flags: &[&str]) -> Server {
    Server::start_listening(LISTEN.parse().unwrap(), flags)
}

/// A NAT that passes a port of an outer address to the server, from inside as well.
fn hairpin_nat(outer: &str, inner: &str) {
    let script = format!(
        "add table ip edge
         add chain ip edge out {{ type nat hook output priority -100; }}
         add rule ip edge out ip daddr {outer} tcp dport 4000 dnat to {inner}:4000"
    );
    let mut nft = Command::new("nft");
    let mut nft = nft.args(["-f", "-"]).stdin(std::process::Stdio::piped()).spawn().unwrap();
    nft.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(nft.wait().unwrap().success(), "{script}");
    ip(&format!("route add {outer}/32 dev lan"));
}

fn logged(server: &Server, line: &str) {
    let what = format!("{line:?} in {}", server.log());
    within(DEADLINE, &what, || server.log().contains(line).then_some(()));
}

/// Waits until the log has a line as often as that.
fn logged_times(server: &Server, line: &str, times: usize) {
    let what = format!("{times} times {line:?} in {}", server.log());
    within(DEADLINE, &what, || (server.log().matches(line).count() == times).then_some(()));
}

/// The addresses that participants are told: those of the STUN URLs.
fn told(server: &Server) -> Vec<String> {
    let mut ann = socket(tcp(([127, 0, 0, 1], server.address().port()).into()));
    let joined = ask(&mut ann, "room:join", &json!({"room": "lobby", "name": "Ann"}));
    ask(&mut ann, "room:leave", &json!({}));
    let urls = joined["ok"]["iceServers"][0]["urls"].as_array();
    let urls = urls.unwrap_or_else(|| panic!("{joined}")).clone();
    let urls = urls.iter().map(|url| url.as_str().unwrap().trim_start_matches("stun:").to_owned());
    urls.collect()
}

/// Waits until participants are told these addresses.
fn tells(server: &Server, addresses: &[&str]) {
    let what = format!("{addresses:?} are told; {}", server.log());
    within(DEADLINE, &what, || (told(server) == addresses).then_some(()));
}

/// A page asked for at the loopback address, under any host.
fn visit(server: &Server, host: &str) -> String {
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", server.address().port())).unwrap();
    write!(stream, "GET /livez HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn s4_address_of_the_operators_name_is_announced_and_followed() {
    in_namespace(|| {
        let hosts = Hosts::begin();
        add_interface("lan", "10.77.0.1/24");
        hairpin_nat("203.0.113.7", "10.77.0.1");
        hosts.lead("meet.example", &["203.0.113.7", "10.0.0.9"]);
        let server = start(&["--announce", "auto", "--host", "meet.example"]);
        logged(&server, "announced: 203.0.113.7 (this server answers there as meet.example)");
        tells(&server, &["203.0.113.7:4000", "10.77.0.1:4000"]);

        // A dial-up line gets another address, where nothing answers from inside.
        ip("route add unreachable 203.0.113.8/32");
        hosts.lead("meet.example", &["203.0.113.8"]);
        server.signal(Signal::HUP);
        logged(&server, "announced: 203.0.113.8 (the address of meet.example)");
        tells(&server, &["203.0.113.8:4000", "10.77.0.1:4000"]);

        // A public address of an interface is certain.
        ip("address add 203.0.113.30/24 dev lan");
        logged(&server, "announced: 203.0.113.30 (of an interface)");
    });
}

#[test]
fn s4_address_of_another_server_is_not_announced() {
    in_namespace(|| {
        let hosts = Hosts::begin();
        add_interface("lan", "10.77.0.1/24");
        ip("address add 198.51.100.4/32 dev lo");
        hosts.lead("meet.example", &["198.51.100.4"]);
        let other = TcpListener::bind("198.51.100.4:4000").unwrap();
        thread::spawn(move || {
            for stream in other.incoming() {
                let _ = stream.unwrap().write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            }
        });
        let flags = ["--announce", "auto", "--host", "meet.example", "--also", "127.0.0.1:4000"];
        let server = Server::start_listening("10.77.0.1:4000".parse().unwrap(), &flags);
        logged(&server, "meet.example leads to 198.51.100.4, which answers as another server");
        logged(&server, "no public address is found to announce");
        tells(&server, &["localhost:4000"]);
    });
}

#[test]
fn s4_visitors_cannot_have_an_address_announced() {
    in_namespace(|| {
        let hosts = Hosts::begin();
        add_interface("lan", "10.77.0.1/24");
        hairpin_nat("203.0.113.7", "10.77.0.1");
        hosts.lead("evil.meet.example", &["203.0.113.66"]);
        ip("route add unreachable 203.0.113.66/32");
        let folder = tempfile::tempdir().unwrap();
        let (cert, key) = wildcard(folder.path(), "*.meet.example");
        let server = start(&["--announce", "auto", "--cert", &cert, "--key", &key]);
        logged(&server, "no public address is found to announce");
        for host in ["203.0.113.66", "203.0.113.66:4000", "box.local"] {
            visit(&server, host);
        }
        // A name of the operator's certificate, but no proof that it leads here.
        assert!(visit(&server, "evil.meet.example").contains("200"));
        // A proof, behind which the others have been looked at.
        hosts.lead("good.meet.example", &["203.0.113.7"]);
        assert!(visit(&server, "good.meet.example").contains("200"));
        // Visitors cause a look each ten seconds at most, and the operator at once.
        server.signal(Signal::HUP);
        logged(&server, "announced: 203.0.113.7 (this server answers there as good.meet.example)");
        assert!(!server.log().contains("203.0.113.66"), "{}", server.log());
    });
}

#[test]
fn s4_reload_changes_between_given_and_found_addresses() {
    in_namespace(|| {
        let hosts = Hosts::begin();
        add_interface("lan", "10.77.0.1/24");
        hairpin_nat("203.0.113.7", "10.77.0.1");
        hosts.lead("meet.example", &["203.0.113.7"]);
        let server = start(&["--host", "meet.example"]);
        let reload = |announce: &str| {
            let text = format!("announce = ['{announce}']\n");
            fs::write(server.data().join("moim.toml"), text).unwrap();
            server.signal(Signal::HUP);
        };
        reload("auto");
        logged_times(&server, "announced: 203.0.113.7 (this server answers", 1);
        reload("203.0.113.99");
        tells(&server, &["203.0.113.99:4000", "10.77.0.1:4000"]);
        reload("auto");
        logged_times(&server, "announced: 203.0.113.7 (this server answers", 2);
        tells(&server, &["203.0.113.7:4000", "10.77.0.1:4000"]);
    });
}

/// A certificate of some CA for a name, and its key.
fn wildcard(folder: &Path, name: &str) -> (String, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate =
        rcgen::CertificateParams::new([name.to_owned()]).unwrap().self_signed(&key).unwrap();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    fs::write(path("cert.pem"), certificate.pem()).unwrap();
    fs::write(path("key.pem"), key.serialize_pem()).unwrap();
    (path("cert.pem"), path("key.pem"))
}
