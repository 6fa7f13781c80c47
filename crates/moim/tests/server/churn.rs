//! Connection churn leaks neither memory nor descriptors.

use std::{io::Write, process::Command, thread};

use crate::{
    bad_input::stun,
    peer::{Tls, ask, frame, get, socket, tcp, text_frame},
    support::{DEADLINE, Server, within},
};

const CONNECTIONS: usize = 1000;
const ROUNDS: usize = 20;
/// Rounds until the allocator has reserved what this many connections need.
const WARM_UP: usize = 10;
/// Threads that open and close connections.
const THREADS: usize = 4;

/// Permitted growth after the warm-up, in KiB: as much as a leak of 100 bytes per connection.
const GROWTH: u64 = 1024;

#[test]
fn connection_churn_leaks_no_memory_or_descriptors() {
    let server = Server::start(&[]);
    let idle = server.descriptors();
    let mut memory = Vec::new();
    for _ in 0..ROUNDS {
        open_and_close(&server);
        within(DEADLINE * 3, "every connection is closed", || {
            (server.descriptors() <= idle).then_some(())
        });
        memory.push(server.memory());
    }
    let (warming_up, _) = memory.split_at(WARM_UP);
    let allowed = warming_up.iter().max().unwrap() + GROWTH;
    println!("KiB after each round: {memory:?}");
    within(DEADLINE, "memory is returned", || (server.memory() <= allowed).then_some(()));
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

/// Consecutive calls over the media server, with participants who join and leave.
const CALLS: usize = 6;
/// Calls until the allocator has reserved what a call needs.
const FIRST_CALLS: usize = 3;

/// Permitted growth in the remaining calls, in KiB. Four dozen participants join and leave; a peer
/// connection takes some 100 KiB. Rooms keep their events for a while, for resuming.
const CALLS_GROWTH: u64 = 3 * 1024;

#[test]
fn sfu_call_churn_leaks_nothing() {
    let server = Server::start(&["--topology", "sfu"]);
    let mut memory = Vec::new();
    for call in 0..CALLS {
        come_and_go(&server, call);
        within(DEADLINE, "no entry of a peer connection is left", || {
            let page = get(&server, "/metrics").text().to_owned();
            let gauges = ["moim_media_peers", "moim_media_rooms", "moim_media_kept_entries"];
            gauges.iter().all(|gauge| page.contains(&format!("{gauge} 0\n"))).then_some(())
        });
        memory.push(server.memory());
    }
    println!("KiB after each call: {memory:?}");
    let (first, _) = memory.split_at(FIRST_CALLS);
    let allowed = first.iter().max().unwrap() + CALLS_GROWTH;
    within(DEADLINE, "memory is returned", || (server.memory() <= allowed).then_some(()));
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

/// One call in two rooms. Twice a second one participant leaves and another joins.
fn come_and_go(server: &Server, call: usize) {
    let mut load = Command::new(env!("CARGO_BIN_EXE_moim"));
    load.args(["load", "--url", &format!("http://{}", server.address())]);
    load.args(["--prefix", &format!("call {call}"), "--media", "single", "--json"]);
    load.args(["--rooms", "2", "--publishers", "2", "--subscribers", "5"]);
    let done = load.args(["--churn", "2", "--duration", "5s"]).output().unwrap();
    let output = String::from_utf8_lossy(&done.stdout);
    // The load fails if a participant was rejected or lost.
    assert!(done.status.success(), "{output}{}", String::from_utf8_lossy(&done.stderr));
    let report: serde_json::Value = serde_json::from_str(&output).unwrap();
    for kind in ["sound", "pictures"] {
        assert!(report[kind]["frames"].as_u64().unwrap() > 0, "{output}");
    }
}

/// Opens all connections of one round, then closes them.
fn open_and_close(server: &Server) {
    let tls = Tls::trusting(server);
    thread::scope(|scope| {
        let opening: Vec<_> = (0..THREADS)
            .map(|first| {
                let mine = (first..CONNECTIONS).step_by(THREADS);
                let tls = &tls;
                scope
                    .spawn(move || mine.map(|number| open(server, tls, number)).collect::<Vec<_>>())
            })
            .collect();
        let open: Vec<_> = opening.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!(open.iter().flatten().count(), CONNECTIONS);
    });
}

/// An active connection: HTTP, WebSocket, HTTPS, or TURN over TCP.
fn open(server: &Server, tls: &Tls, number: usize) -> Box<dyn Send> {
    let address = server.address();
    match number % 4 {
        0 => {
            let mut stream = tcp(address);
            assert_eq!(ask(&mut stream, "GET /healthz", &[], b"").unwrap().status, 200);
            Box::new(stream)
        }
        1 => {
            let mut stream = socket(tcp(address));
            let join =
                format!("421[\"room:join\",{{\"room\":\"churn {}\",\"name\":\"A\"}}]", number % 50);
            stream.write_all(&text_frame(&join)).unwrap();
            assert_eq!(frame(&mut stream).unwrap().0, 1);
            // Leaves explicitly: otherwise the room would keep the place for 30 s.
            stream.write_all(&text_frame("41")).unwrap();
            Box::new(stream)
        }
        2 => {
            let mut stream = tls.connect(address, "localhost").unwrap();
            assert_eq!(ask(&mut stream, "GET /", &[], b"").unwrap().status, 200);
            Box::new(stream)
        }
        _ => {
            let mut stream = tcp(address);
            // Unauthenticated responses are limited, so most stop in the middle of their request.
            let probe = stun::probe();
            if number % 40 != 3 {
                stream.write_all(&probe[..12]).unwrap();
                return Box::new(stream);
            }
            stream.write_all(&probe).unwrap();
            let mut answer = [0; 32];
            std::io::Read::read_exact(&mut stream, &mut answer).unwrap();
            assert!(stun::answers_probe(&answer));
            Box::new(stream)
        }
    }
}
