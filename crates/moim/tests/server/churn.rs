//! Connections that come and go leave nothing behind.

use std::{io::Write, process::Command, thread};

use crate::{
    bad_input::stun,
    peer::{Tls, ask, frame, get, socket, tcp, text_frame},
    support::{SOON, Server, within},
};

const CONNECTIONS: usize = 1000;
const ROUNDS: usize = 20;
/// After these the allocator has what it needs for as many connections at once.
const WARM_UP: usize = 10;
/// Threads that open and close connections.
const THREADS: usize = 4;

/// What memory may have grown by from after the warm-up to the end, in KiB. A leak of 100 bytes a
/// connection would be as much.
const GROWTH: u64 = 1024;

#[test]
fn a_thousand_connections_twenty_times_leave_memory_and_descriptors_where_they_were() {
    let server = Server::start(&[]);
    let idle = server.descriptors();
    let mut memory = Vec::new();
    for _ in 0..ROUNDS {
        open_and_close(&server);
        within(SOON * 3, "every connection is closed", || {
            (server.descriptors() <= idle).then_some(())
        });
        memory.push(server.memory());
    }
    let (warming_up, _) = memory.split_at(WARM_UP);
    let allowed = warming_up.iter().max().unwrap() + GROWTH;
    println!("KiB after each round: {memory:?}");
    within(SOON, "memory is given back", || (server.memory() <= allowed).then_some(()));
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

/// Calls by the media server, one after the other, in each of which people come and go all the
/// time.
const CALLS: usize = 6;
/// After these the allocator has what it needs for a call.
const FIRST_CALLS: usize = 3;

/// What memory may have grown by in the rest of the calls, in KiB. Four dozen come and go in them,
/// and a link is some 100 KiB. Their rooms keep for a while what was said, as somebody might come
/// back.
const CALLS_GROWTH: u64 = 3 * 1024;

#[test]
fn people_who_come_and_go_in_calls_by_the_media_server_leave_nothing_behind() {
    let server = Server::start(&["--topology", "sfu"]);
    let mut memory = Vec::new();
    for call in 0..CALLS {
        come_and_go(&server, call);
        within(SOON, "nothing is kept for a link", || {
            let page = get(&server, "/metrics").text().to_owned();
            let gauges = ["moim_media_peers", "moim_media_rooms", "moim_media_kept_entries"];
            gauges.iter().all(|gauge| page.contains(&format!("{gauge} 0\n"))).then_some(())
        });
        memory.push(server.memory());
    }
    println!("KiB after each call: {memory:?}");
    let (first, _) = memory.split_at(FIRST_CALLS);
    let allowed = first.iter().max().unwrap() + CALLS_GROWTH;
    within(SOON, "memory is given back", || (server.memory() <= allowed).then_some(()));
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

/// One call in two rooms. Twice a second somebody leaves and somebody else comes.
fn come_and_go(server: &Server, call: usize) {
    let mut load = Command::new(env!("CARGO_BIN_EXE_moim"));
    load.args(["load", "--url", &format!("http://{}", server.address())]);
    load.args(["--prefix", &format!("call {call}"), "--media", "single", "--json"]);
    load.args(["--rooms", "2", "--publishers", "2", "--subscribers", "5"]);
    let done = load.args(["--churn", "2", "--duration", "5s"]).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    // It fails where somebody was refused or fell out.
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    let told: serde_json::Value = serde_json::from_str(&said).unwrap();
    for kind in ["sound", "pictures"] {
        assert!(told[kind]["frames"].as_u64().unwrap() > 0, "{said}");
    }
}

/// All connections of one round are open at once, and then none.
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

/// A connection in use: HTTP, a WebSocket, HTTPS, or TURN over TCP.
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
            // Leaves the room at once, which would else keep its place for half a minute.
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
            // Answers to strangers are rationed, so most stop halfway through their request.
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
