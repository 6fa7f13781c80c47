//! The time without a room after its owner ends, for participants on all servers.

use std::{
    net::{IpAddr, Ipv4Addr},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use super::{
    key, nodes,
    redis::RedisProcess,
    witness::{Witness, check},
};
use crate::{
    namespace::in_namespace,
    support::{DEADLINE, Server, within},
};

/// The longest time for which a room may be away.
const MOST: Duration = Duration::from_secs(5);
/// A client takes a server that says nothing for gone. Pages see it by their media.
const SILENCE: Duration = Duration::from_secs(1);

/// The end of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Its process is killed; its computer says so to everybody.
    Killed,
    /// Its process hangs, and its computer goes on to take what is sent. It wakes later.
    Hung,
    /// Its computer is gone, and says nothing.
    Dark,
}

/// The address of the server that ends.
const OWNER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Begins or ends to drop what the owner sends and is sent, in a namespace of the test.
fn drop_packets(action: &str) {
    for (chain, side) in [("INPUT", "-d"), ("OUTPUT", "-s")] {
        let ip = OWNER.to_string();
        let mut command = Command::new("iptables");
        command.args([action, chain, side, &ip, "-j", "DROP"]);
        assert!(command.status().expect("needs iptables").success());
    }
}

/// Ends the owner of a room with a participant on each server. Returns the time until the last of
/// them has spoken again, and was heard.
fn gap(end: End) -> Option<Duration> {
    let redis = RedisProcess::start(&[])?;
    let (_folder, key) = key("k");
    let url = redis.url();
    let start = |ip: Ipv4Addr| {
        Server::start_on(IpAddr::from(ip), &["--cluster", &url, "--cluster-key", &key])
    };
    let (mut owner, other) = (start(OWNER), start(Ipv4Addr::LOCALHOST));
    for server in [&owner, &other] {
        within(DEADLINE, "both are there", || (nodes(server) == 2).then_some(()));
    }
    let mut mina = Witness::join(&owner, "Mina");
    let mut ben = Witness::join(&other, "Ben");
    // The other server must have listened for a lease, as one that runs has.
    let listened = Instant::now() + Duration::from_millis(2500);
    let mut number = 0;
    while Instant::now() < listened {
        number += 1;
        assert!(mina.raise_hand() && ben.raise_hand());
        if number % 20 == 0 {
            assert!(mina.say(&format!("Mina {number}")) && ben.say(&format!("Ben {number}")));
        }
        thread::sleep(Duration::from_millis(25));
    }
    let begun = Instant::now();
    match end {
        End::Killed => {
            owner.signal(Signal::KILL);
            owner.ended();
        }
        End::Hung => owner.signal(Signal::STOP),
        End::Dark => {
            drop_packets("-I");
            // It speaks with Redis from another address.
            owner.signal(Signal::STOP);
        }
    }
    ben.until_cut();
    ben.resume(&other);
    if end != End::Killed {
        // Her page hears nothing for so long before it tries another server.
        thread::sleep(SILENCE.saturating_sub(begun.elapsed()));
    }
    mina.resume(&other);
    assert!(mina.say("Mina is back") && ben.say("Ben is back"));
    let is_heard =
        |witness: &Witness, text: &str| witness.heard().iter().any(|heard| heard == text);
    within(DEADLINE, "they hear each other", || {
        (is_heard(&ben, "Mina is back") && is_heard(&mina, "Ben is back")).then_some(())
    });
    let gap = begun.elapsed();
    check(&[&mina, &ben]);
    if end == End::Dark {
        drop_packets("-D");
    }
    if end == End::Hung {
        // The former owner wakes, and yields: nobody hears of it.
        owner.signal(Signal::CONT);
        within(DEADLINE, "it gives the room up", || {
            (super::metric(&owner, "moim_cluster_rooms").as_deref() == Some("0")).then_some(())
        });
        assert!(ben.say("Ben goes on") && mina.say("Mina goes on"));
        within(DEADLINE, "they hear each other", || {
            (is_heard(&ben, "Mina goes on") && is_heard(&mina, "Ben goes on")).then_some(())
        });
        check(&[&mina, &ben]);
    }
    Some(gap)
}

/// The gaps of some runs; `MOIM_CLUSTER_RUNS` makes it more.
fn gaps(end: End, median: Duration) {
    let runs = std::env::var("MOIM_CLUSTER_RUNS").map_or(1, |runs| runs.parse().unwrap());
    let mut gaps = Vec::new();
    for _ in 0..runs {
        let Some(gap) = gap(end) else { return };
        gaps.push(gap);
    }
    gaps.sort_unstable();
    eprintln!("{end:?}: {gaps:?}");
    assert!(gaps.iter().all(|gap| *gap <= MOST), "{gaps:?}");
    assert!(gaps[gaps.len() / 2] <= median, "{gaps:?}");
}

#[test]
fn room_of_a_killed_server_is_back_in_two_seconds() {
    gaps(End::Killed, Duration::from_secs(2));
}

#[test]
fn room_of_a_server_that_hangs_is_back_in_less_than_four_seconds() {
    gaps(End::Hung, Duration::from_millis(3300));
}

#[test]
fn room_of_a_computer_that_is_gone_is_back_in_less_than_four_seconds() {
    in_namespace(|| gaps(End::Dark, Duration::from_millis(3300)));
}
