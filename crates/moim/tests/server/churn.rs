//! Connections that come and go leave nothing behind.

use std::{io::Write, thread};

use crate::{
    bad_input::stun,
    peer::{Tls, ask, frame, socket, tcp, text_frame},
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
