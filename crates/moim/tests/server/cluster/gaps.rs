//! The time without a room after its owner ends, for everybody in it.

use std::{
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use super::{
    figures::{Figures, is_whole, runs},
    hosts::Host,
    world::{Call, start_redis},
};
use crate::{
    namespace::in_namespace,
    support::{DEADLINE, Server, within},
};

/// The longest time for which a room may be away.
const MOST: Duration = Duration::from_secs(5);

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

/// Ends the server that owns a room, and has all sockets and media of it. Returns the longest time
/// for which anybody in it did not hear another one.
fn gap(end: End, figures: &mut Figures) -> Option<Duration> {
    let redis = start_redis()?;
    let hosts = if end == End::Dark { Host::start(3) } else { Vec::new() };
    let mut call = Call::start(&redis, &hosts);
    let people = if is_whole() { 8 } else { 4 };
    // All come by the first server, and know the others.
    (0..people).for_each(|number| call.join(number, 0));
    call.until_all_hear_all();
    // The others must have listened for a lease, as servers that run have.
    thread::sleep(Duration::from_millis(2500));
    call.say("before");
    call.forget_gaps();
    let begun = Instant::now();
    match end {
        End::Killed => {
            call.servers[0].signal(Signal::KILL);
            call.servers[0].ended();
        }
        End::Hung => call.servers[0].signal(Signal::STOP),
        End::Dark => hosts[0].cut(),
    }
    call.until_all_are_back();
    let gap = call.longest_gap();
    call.say("after");
    call.check();
    if end == End::Hung {
        // The former owner wakes, and yields: nobody hears of it.
        let hangs = Duration::from_secs(if is_whole() { 10 } else { 3 });
        thread::sleep(hangs.saturating_sub(begun.elapsed()));
        let owner = &call.servers[0];
        owner.signal(Signal::CONT);
        within(DEADLINE, "it gives the room up", || (number(owner, "rooms") == 0).then_some(()));
        figures.at_least("rooms that the server which woke gave up", number(owner, "fenced"), 1);
        call.say("later");
        call.check();
    }
    Some(gap)
}

fn number(server: &Server, name: &str) -> usize {
    super::status_number(server, name)
}

fn gaps(check: &'static str, end: End, median: Duration) {
    let mut figures = Figures::of(check);
    let mut gaps = Vec::new();
    for _ in 0..runs() {
        let Some(gap) = gap(end, &mut figures) else { return };
        gaps.push(gap);
    }
    // One run has no median, and shares its computer with other tests.
    let median = if is_whole() { median } else { MOST };
    figures.times("longest gap of anybody's audio", &gaps, median, MOST);
    figures.end();
}

#[test]
fn room_of_a_killed_server_is_back_in_two_seconds() {
    gaps("kill", End::Killed, Duration::from_secs(2));
}

#[test]
fn room_of_a_server_that_hangs_is_back_in_less_than_four_seconds() {
    gaps("freeze", End::Hung, Duration::from_millis(3300));
}

#[test]
fn room_of_a_computer_that_is_gone_is_back_in_less_than_four_seconds() {
    in_namespace(|| gaps("dark", End::Dark, Duration::from_millis(3300)));
}
