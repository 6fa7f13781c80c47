//! A server that is cut off from Redis, or from another server, while everybody else is not.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{
    figures::{Figures, is_whole, no_gap},
    hosts::Host,
    names, status_number,
    world::{Call, start_redis},
};
use crate::{
    api::Page,
    namespace::in_namespace,
    support::{DEADLINE, Server, within},
};

/// The longest time for which a partition may be felt.
const MOST: Duration = Duration::from_secs(5);

fn claims(servers: &[Server]) -> usize {
    servers.iter().map(|server| status_number(server, "claims")).sum()
}

/// The time that somebody takes to join a room by a server.
fn joins(server: &Server, room: &str) -> (Page, Vec<String>, Duration) {
    let begun = Instant::now();
    let (page, joined) = Page::join(server, room, "Guest");
    assert!(joined.is_object(), "{room} can't be entered");
    (page, names(&joined).into_iter().map(str::to_owned).collect(), begun.elapsed())
}

#[test]
fn owner_that_is_cut_off_from_redis_alone_goes_on() {
    in_namespace(|| {
        let Some(redis) = start_redis() else { return };
        let hosts = Host::start(3);
        let mut call = Call::start(&redis, &hosts);
        // Nobody is gone here, however busy this computer is.
        call.silence = DEADLINE;
        (0..6).for_each(|number| call.join(number, number as usize % 3));
        call.until_all_hear_all();
        thread::sleep(Duration::from_millis(2500));
        call.say("before");
        let mut figures = Figures::of("unplug");
        let (before, sessions) = (claims(&call.servers), call.sessions());
        call.forget_gaps();
        hosts[0].cut_from_port(redis.port);
        within(DEADLINE, "its lease ends", || (super::nodes(&call.servers[1]) == 2).then_some(()));
        thread::sleep(Duration::from_secs(if is_whole() { 60 } else { 5 }));
        figures.exactly("claims", claims(&call.servers) - before, 0);
        figures.exactly("sessions that were cut", call.sessions() - sessions, 0);
        call.say("meanwhile");
        let mut slowest = Duration::ZERO;
        for server in &call.servers {
            let (mut guest, others, time) = joins(server, "tea");
            assert_eq!(others.len(), 6, "{others:?}");
            slowest = slowest.max(time);
            guest.request("room:leave", &json!({}));
        }
        figures.time("slowest join of the room", slowest, Duration::from_secs(3));
        // A new room is one, whether it is entered by the server without Redis first or last.
        for (room, order) in [("coffee", [0, 1, 2]), ("milk", [1, 2, 0])] {
            let mut guests = Vec::new();
            for server in order {
                let (guest, others, time) = joins(&call.servers[server], room);
                assert_eq!(others.len(), guests.len(), "{room}: {others:?}");
                guests.push(guest);
                slowest = slowest.max(time);
            }
        }
        figures.time("slowest join of a new room", slowest, Duration::from_secs(3));
        hosts[0].mend();
        within(DEADLINE, "it holds its lease again", || {
            (super::nodes(&call.servers[1]) == 3).then_some(())
        });
        call.say("after");
        figures.time("longest gap of anybody's audio", call.longest_gap(), no_gap());
        call.check();
        figures.end();
    });
}

/// Lets the owner of a room and another server lose what they send to each other, or what one of
/// them sends.
fn split(is_one_way: bool, figures: &mut Figures) {
    let Some(redis) = start_redis() else { return };
    let hosts = Host::start(3);
    let mut call = Call::start(&redis, &hosts);
    (0..6).for_each(|number| call.join(number, number as usize % 3));
    call.until_all_hear_all();
    thread::sleep(Duration::from_millis(2500));
    call.say("before");
    let before = claims(&call.servers);
    call.forget_gaps();
    let begun = Instant::now();
    hosts[0].ignore(&hosts[1]);
    if !is_one_way {
        hosts[1].ignore(&hosts[0]);
    }
    // Clients of the other server must find another way.
    call.say("meanwhile");
    let kind = if is_one_way { "one way" } else { "both ways" };
    figures.time(&format!("{kind}: until all have all chat"), begun.elapsed(), MOST);
    call.until_all_hear_all();
    figures.time(&format!("{kind}: longest gap of audio"), call.longest_gap(), MOST);
    figures.exactly(&format!("{kind}: claims"), claims(&call.servers) - before, 0);
    call.check();
    hosts[0].mend();
    hosts[1].mend();
    call.say("after");
    call.check();
}

#[test]
fn partition_between_two_servers_is_bypassed_by_a_third() {
    in_namespace(|| {
        let mut figures = Figures::of("split");
        split(false, &mut figures);
        figures.end();
    });
}

#[test]
fn loss_of_one_direction_between_two_servers_is_bypassed_by_a_third() {
    in_namespace(|| {
        let mut figures = Figures::of("split");
        split(true, &mut figures);
        figures.end();
    });
}
