//! `--ask-router`, with a small router that speaks PCP or NAT-PMP. Each test has a network of its own.

use std::{
    net::UdpSocket,
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
    thread,
};

use crate::{
    ctl::{answer, ctl},
    igd::{Igd, Refuses},
    namespace::{add_interface, in_namespace, ip},
    support::{DEADLINE, Server, within},
};

/// A protocol of routers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaks {
    Pcp,
    NatPmp,
}

/// A request for a mapping: protocol (6 TCP, 17 UDP), internal port, lifetime.
type Asked = (u8, u16, u32);

/// A router at the default gateway, behind which the server is.
struct Router(Arc<Mutex<Vec<Asked>>>);

/// Lifetime that the router grants, in seconds.
const GRANTED: u32 = 2;
/// The external port that it gives.
const EXTERNAL: u16 = 5000;

/// Makes the network of a router and this computer.
fn network() {
    add_interface("lan", "10.77.0.1/24");
    // First the route: the gateway must not be this computer's own then.
    ip("route add default via 10.77.0.254 dev lan");
    ip("address add 10.77.0.254/32 dev lo");
}

impl Router {
    fn begin(speaks: Speaks, public: [u8; 4]) -> Self {
        network();
        let socket = UdpSocket::bind("10.77.0.254:5351").unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        thread::spawn(move || {
            let mut request = [0; 1100];
            while let Ok((length, client)) = socket.recv_from(&mut request) {
                let request = &request[..length];
                let answered = match speaks {
                    Speaks::Pcp if request[0] == 2 => pcp(request, public),
                    Speaks::NatPmp if request[0] == 0 => nat_pmp(request, public),
                    // "Unsupported version", with the version that it knows.
                    Speaks::NatPmp => (vec![0, 0x80 | request[1], 0, 1, 0, 0, 0, 9], None),
                    Speaks::Pcp => continue,
                };
                seen.lock().unwrap().extend(answered.1);
                let _ = socket.send_to(&answered.0, client);
            }
        });
        Self(asked)
    }

    /// Waits until the router was asked for this as often as that.
    fn was_asked(&self, protocol: u8, lifetime: impl Fn(u32) -> bool, times: usize) {
        within(DEADLINE, &format!("{protocol} {times} times"), || {
            let asked = self.0.lock().unwrap();
            let is_such = |asked: &&Asked| asked.0 == protocol && lifetime(asked.2);
            assert!(asked.iter().all(|asked| asked.1 == 4000), "{asked:?}");
            (asked.iter().filter(is_such).count() >= times).then_some(())
        });
    }
}

/// RFC 6886 §3.2 and §3.3.
fn nat_pmp(request: &[u8], public: [u8; 4]) -> (Vec<u8>, Option<Asked>) {
    let head = [0, 0x80 | request[1], 0, 0, 0, 0, 0, 9];
    if request[1] == 0 {
        return ([&head[..], &public].concat(), None);
    }
    let internal = u16::from_be_bytes(request[4..6].try_into().unwrap());
    let lifetime = u32::from_be_bytes(request[8..12].try_into().unwrap());
    let external = if lifetime == 0 { 0 } else { EXTERNAL };
    let granted = lifetime.min(GRANTED).to_be_bytes();
    let rest = [&request[4..6], &external.to_be_bytes(), &granted].concat();
    let protocol = if request[1] == 1 { 17 } else { 6 };
    ([&head[..], &rest].concat(), Some((protocol, internal, lifetime)))
}

/// RFC 6887 §7.2 and §11.1.
fn pcp(request: &[u8], public: [u8; 4]) -> (Vec<u8>, Option<Asked>) {
    let lifetime = u32::from_be_bytes(request[4..8].try_into().unwrap());
    let mut response = request.to_vec();
    response[1] |= 0x80;
    response[3] = 0;
    response[4..8].copy_from_slice(&lifetime.min(GRANTED).to_be_bytes());
    response[8..24].copy_from_slice(&[0; 16]);
    response[11] = 9;
    let internal = u16::from_be_bytes(response[40..42].try_into().unwrap());
    response[42..44].copy_from_slice(&EXTERNAL.to_be_bytes());
    response[44..60].copy_from_slice(&[0; 16]);
    response[54..56].copy_from_slice(&[0xff; 2]);
    response[56..60].copy_from_slice(&public);
    (response, Some((request[36], internal, lifetime)))
}

fn start(flags: &[&str]) -> Server {
    Server::start_listening("0.0.0.0:4000".parse().unwrap(), flags)
}

fn announces(server: &Server, expected: &[&str]) {
    within(DEADLINE, &format!("{expected:?} are announced; {}", server.log()), || {
        let status = answer(&ctl(server.data(), &["status"]));
        (status["announced"] == serde_json::json!(expected)).then_some(())
    });
}

#[test]
fn s4_router_forwards_the_port_until_the_server_ends() {
    for speaks in [Speaks::Pcp, Speaks::NatPmp] {
        in_namespace(move || {
            let router = Router::begin(speaks, [93, 184, 216, 34]);
            let mut server = start(&["--ask-router"]);
            announces(&server, &["93.184.216.34:5000"]);
            // Renewed at half of their lives.
            for protocol in [6, 17] {
                router.was_asked(protocol, |lifetime| lifetime > 0, 3);
            }
            server.terminate();
            assert_eq!(server.ended().code(), Some(0), "{}", server.log());
            for protocol in [6, 17] {
                router.was_asked(protocol, |lifetime| lifetime == 0, 1);
            }
        });
    }
}

#[test]
fn s4_router_is_asked_with_the_flag_alone_and_the_operators_address_counts() {
    in_namespace(|| {
        let router = Router::begin(Speaks::NatPmp, [93, 184, 216, 34]);
        let quiet = start(&[]);
        announces(&quiet, &[]);
        assert!(router.0.lock().unwrap().is_empty());
        drop(quiet);
        let server = start(&["--ask-router", "--announce", "151.101.1.69"]);
        router.was_asked(17, |lifetime| lifetime > 0, 2);
        announces(&server, &["151.101.1.69:4000"]);
    });
}

/// The examination with the flag, which asks for another port than the server's.
fn doctor(data: &Path) -> serde_json::Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_moim"));
    command.args(["doctor", "--json", "--lang", "en", "--ask-router", "--listen", "0.0.0.0:4000"]);
    let output = command.arg("--data").arg(data).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|check| check["check"] == "router").unwrap().clone()
}

#[test]
fn s15_doctor_asks_the_router_and_tells_its_answer() {
    for (speaks, protocol) in [(Speaks::Pcp, "PCP"), (Speaks::NatPmp, "NAT-PMP")] {
        in_namespace(move || {
            let router = Router::begin(speaks, [93, 184, 216, 34]);
            let data = tempfile::tempdir().unwrap();
            let told = doctor(data.path()).to_string();
            assert!(told.contains(&format!("93.184.216.34 · {protocol}")), "{told}");
            let asked = router.0.lock().unwrap();
            assert!(asked.iter().all(|(_, port, _)| *port != 4000), "not the server's: {asked:?}");
            assert!(asked.iter().any(|(.., lifetime)| *lifetime == 0), "taken back: {asked:?}");
        });
    }
    in_namespace(|| {
        add_interface("lan", "10.77.0.1/24");
        ip("route add default via 10.77.0.254 dev lan");
        let data = tempfile::tempdir().unwrap();
        let told = doctor(data.path()).to_string();
        assert!(told.contains("ROUTER-REFUSES"), "{told}");
    });
}

#[test]
fn s4_router_that_speaks_upnp_alone_forwards_the_port_until_the_server_ends() {
    for refuses in [Refuses::Nothing, Refuses::LowPortsAndLifetimes] {
        in_namespace(move || {
            network();
            let router = Igd::begin([93, 184, 216, 34], refuses);
            let mut server = start(&["--ask-router"]);
            within(DEADLINE, "both are forwarded", || (router.forwarded() == 2).then_some(()));
            let asked = router.asked();
            let [tcp, udp] = &asked[..] else { panic!("{asked:?}") };
            assert_eq!((tcp.protocol.as_str(), udp.protocol.as_str()), ("TCP", "UDP"));
            assert_eq!((tcp.internal, udp.internal, udp.external), (4000, 4000, tcp.external));
            match refuses {
                Refuses::Nothing => assert_eq!((tcp.external, tcp.lifetime), (4000, Some(1200))),
                Refuses::LowPortsAndLifetimes => assert_eq!(tcp.lifetime, Some(0)),
            }
            announces(&server, &[&format!("93.184.216.34:{}", tcp.external)]);
            server.terminate();
            assert_eq!(server.ended().code(), Some(0), "{}", server.log());
            assert_eq!((router.forwarded(), router.misled()), (0, 0), "{:?}", router.asked());
        });
    }
}

#[test]
fn s15_doctor_asks_a_router_that_speaks_upnp() {
    in_namespace(|| {
        network();
        let router = Igd::begin([93, 184, 216, 34], Refuses::Nothing);
        let data = tempfile::tempdir().unwrap();
        let told = doctor(data.path()).to_string();
        assert!(told.contains("93.184.216.34 · UPnP"), "{told}");
        let asked = router.asked();
        assert!(asked.iter().all(|asked| asked.internal != 4000), "not the server's: {asked:?}");
        assert_eq!((asked.len(), router.forwarded(), router.misled()), (4, 0, 0), "{asked:?}");
    });
}

#[test]
fn s4_router_behind_another_nat_is_told_and_not_announced() {
    in_namespace(|| {
        let _router = Router::begin(Speaks::Pcp, [100, 64, 0, 7]);
        let server = start(&["--ask-router"]);
        within(DEADLINE, "the log says so", || {
            server.log().contains("the router is behind a NAT itself").then_some(())
        });
        announces(&server, &[]);
    });
}
