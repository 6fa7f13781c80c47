//! Redis fails while calls go on: it is restarted, emptied, hangs, or is away.

use std::{
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{
    figures::{Figures, is_whole, no_gap},
    key, metric, pair,
    redis::RedisProcess,
    witness::{Witness, check},
    world::Call,
};
use crate::{
    api::Page,
    ctl::answer,
    support::{DEADLINE, within},
};

/// Pause between requests.
const PAUSE: Duration = Duration::from_millis(40);
/// Pause between messages, of which two a second are allowed.
const CHAT_PAUSE: Duration = Duration::from_millis(600);
/// The longest time for which a message may wait. The gate's is 250 ms; the rest is a slow machine's.
const SLOW: Duration = Duration::from_millis(1500);

/// Two servers with a room whose participants talk all the time, and another one with audio.
struct World {
    mina: Witness,
    ben: Witness,
    said: usize,
    said_at: Instant,
    music: Call,
    figures: Figures,
    /// Rooms that were opened.
    opened: usize,
    guests: Vec<Page>,
}

impl World {
    fn start(redis: &RedisProcess, check: &'static str) -> Self {
        let (folder, key) = key("k");
        let servers = pair(redis, &key);
        let mina = Witness::join(&servers[0], "Mina");
        let ben = Witness::join(&servers[1], "Ben");
        let mut music = Call::over(servers.into(), folder, "music");
        // Nobody is gone here, however busy this computer is.
        music.silence = DEADLINE;
        (0..3).for_each(|number| music.join(number, number as usize % 2));
        music.until_all_hear_all();
        music.forget_gaps();
        let figures = Figures::of(check);
        Self {
            mina,
            ben,
            said: 0,
            said_at: Instant::now(),
            music,
            figures,
            opened: 0,
            guests: Vec::new(),
        }
    }

    /// Somebody opens a room by each server, and others find it by the other one.
    fn open_rooms(&mut self, what: &str) {
        let mut slowest = Duration::ZERO;
        for (one, other) in [(0, 1), (1, 0)] {
            self.opened += 1;
            let room = format!("new {}", self.opened);
            for (server, others) in [(one, &[][..]), (other, &["Guest"])] {
                let begun = Instant::now();
                let (page, joined) = Page::join(&self.music.servers[server], &room, "Guest");
                assert!(joined.is_object(), "{room} can't be entered");
                assert_eq!(super::names(&joined), others, "{room} is two rooms");
                slowest = slowest.max(begun.elapsed());
                self.guests.push(page);
            }
        }
        self.figures.time(what, slowest, Duration::from_secs(3));
    }

    /// Somebody enters each of some new rooms by each server at the same moment.
    fn race_for_rooms(&mut self) {
        for number in 0..4 {
            let join = json!({ "room": format!("raced {number}"), "name": "Racer" });
            let pages: Vec<_> = self.music.servers.iter().map(Page::connect).collect();
            let entered: Vec<_> = thread::scope(|scope| {
                let joins: Vec<_> = pages
                    .into_iter()
                    .map(|mut page| {
                        let join = &join;
                        scope.spawn(move || (page.request("room:join", join), page))
                    })
                    .collect();
                joins.into_iter().map(|joining| joining.join().unwrap()).collect()
            });
            let found = entered.iter().map(|(reply, _)| reply["ok"]["participants"].as_array());
            let mut found: Vec<_> = found.map(|others| others.map(Vec::len)).collect();
            found.sort_unstable();
            assert_eq!(found, [Some(0), Some(1)], "not one room");
            self.guests.extend(entered.into_iter().map(|(_, page)| page));
        }
    }

    /// Both change something that all are told, and sometimes say something.
    fn talk(&mut self) {
        if self.said_at.elapsed() >= CHAT_PAUSE {
            self.said_at = Instant::now();
            self.said += 1;
            let number = self.said;
            assert!(self.mina.say(&format!("Mina {number}")), "the connection was cut");
            assert!(self.ben.say(&format!("Ben {number}")), "the connection was cut");
        }
        assert!(self.mina.raise_hand(), "the connection was cut");
        assert!(self.ben.raise_hand(), "the connection was cut");
        thread::sleep(PAUSE);
    }

    fn talk_for(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.talk();
        }
    }

    /// Talks until the log of the room is kept again.
    fn talk_until_kept(&mut self) {
        let end = Instant::now() + DEADLINE;
        loop {
            self.talk();
            let status = answer(&super::status(&self.music.servers[0], &["--json"]));
            if status["leased"] == true && status["rooms_unkept"] == 0 {
                return;
            }
            assert!(Instant::now() < end, "{status}");
        }
    }

    /// The log has everything: the owner dies, and the other server goes on with all that was said.
    fn check(mut self) {
        let mut times: Vec<_> = self.mina.times.iter().chain(&self.ben.times).copied().collect();
        times.sort_unstable();
        let (all, heard) = (times.len(), self.ben.seen().len());
        eprintln!("{} messages, {heard} events, {all} answers", self.said);
        self.figures.time("answer, p99", times[all * 99 / 100], Duration::from_millis(500));
        self.figures.time("answer, slowest", times[all - 1], SLOW);
        self.figures.time("longest gap of anybody's audio", self.music.longest_gap(), no_gap());
        self.talk_until_kept();
        let [owner, other] = &mut self.music.servers[..] else { panic!("two servers") };
        owner.signal(Signal::KILL);
        owner.ended();
        self.ben.until_cut();
        self.ben.resume(other);
        self.mina.resume(other);
        self.said += 1;
        assert!(self.mina.say("last of Mina") && self.ben.say("last of Ben"));
        within(DEADLINE, "all is heard", || {
            let is_there =
                |witness: &Witness, text: &str| witness.heard().iter().any(|heard| heard == text);
            (is_there(&self.ben, "last of Mina") && is_there(&self.mina, "last of Ben"))
                .then_some(())
        });
        check(&[&self.mina, &self.ben]);
        let (_, joined) = Page::join(other, "tea", "Sun");
        let names: Vec<_> = super::names(&joined);
        assert_eq!(names, ["Ben", "Mina"]);
        // The history is shorter than the talk; what it has is in order and without a gap.
        let texts: Vec<_> = joined["chat"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|it| it["text"].as_str().unwrap().strip_prefix("Ben "))
            .map(|number| number.parse::<usize>().unwrap())
            .collect();
        assert!(texts.windows(2).all(|two| two[1] == two[0] + 1), "{texts:?}");
        assert_eq!(texts.last(), Some(&(self.said - 1)));
        self.figures.end();
    }
}

#[test]
fn calls_go_on_while_redis_restarts_with_its_log() {
    let options = ["--appendonly", "yes", "--appendfsync", "everysec"];
    let Some(mut redis) = RedisProcess::start(&options) else { return };
    let mut world = World::start(&redis, "engine");
    world.talk_for(Duration::from_secs(2));
    for _ in 0..3 {
        redis.kill();
        world.talk_for(Duration::from_millis(700));
        redis.start_again();
        world.open_rooms("slowest entry to a new room");
        world.talk_until_kept();
    }
    world.check();
}

#[test]
fn calls_go_on_while_redis_restarts_with_empty_memory() {
    let Some(mut redis) = RedisProcess::start(&[]) else { return };
    let mut world = World::start(&redis, "engine");
    for _ in 0..3 {
        world.talk_for(Duration::from_secs(1));
        redis.kill();
        redis.start_again();
        world.open_rooms("slowest entry to a new room");
        world.talk_until_kept();
    }
    // Absence of others counts again after a lease.
    world.talk_for(Duration::from_secs(3));
    world.check();
}

#[test]
fn calls_go_on_when_redis_is_emptied() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let mut world = World::start(&redis, "engine");
    for _ in 0..3 {
        world.talk_for(Duration::from_secs(1));
        redis.command(&["FLUSHALL"]);
        world.talk_until_kept();
    }
    world.talk_for(Duration::from_secs(3));
    world.check();
}

#[test]
fn calls_go_on_while_redis_hangs() {
    let Some(mut redis) = RedisProcess::start(&[]) else { return };
    let mut world = World::start(&redis, "engine");
    world.talk_for(Duration::from_secs(3));
    redis.hang();
    world.talk_for(Duration::from_secs(4));
    redis.go_on();
    world.talk_until_kept();
    world.talk_for(Duration::from_secs(3));
    world.check();
}

#[test]
fn calls_chat_and_joins_of_all_rooms_go_on_while_redis_is_away() {
    let options = ["--appendonly", "yes", "--appendfsync", "everysec"];
    let Some(mut redis) = RedisProcess::start(&options) else { return };
    let away = Duration::from_secs(if is_whole() { 60 } else { 6 });
    let mut world = World::start(&redis, "away");
    world.talk_for(Duration::from_secs(1));
    redis.kill();
    world.talk_for(away / 2);
    let owned = metric(&world.music.servers[0], "moim_cluster_rooms_unkept");
    assert!(owned.is_some_and(|rooms| rooms != "0"));
    // By either server the room is found, and new ones.
    for server in &world.music.servers {
        let (mut guest, joined) = Page::join(server, "tea", "Guest");
        assert_eq!(super::names(&joined), ["Ben", "Mina"]);
        assert!(guest.request("room:leave", &Value::Object(Default::default()))["ok"].is_object());
    }
    world.open_rooms("slowest entry to a new room, without Redis");
    world.race_for_rooms();
    world.talk_for(away / 2);
    redis.start_again();
    let back = Instant::now();
    world.talk_until_kept();
    let kept = || {
        let unkept = |server| super::status_number(server, "rooms_unkept");
        (world.music.servers.iter().map(unkept).sum::<usize>() == 0).then_some(())
    };
    within(DEADLINE, "all rooms are kept", kept);
    world.figures.time("until all is normal", back.elapsed(), Duration::from_secs(3));
    // Rooms that were opened meanwhile are those of all servers.
    for number in 1..=world.opened {
        for server in &world.music.servers {
            let (mut guest, joined) = Page::join(server, &format!("new {number}"), "Late");
            assert_eq!(super::names(&joined), ["Guest", "Guest"]);
            assert!(
                guest.request("room:leave", &Value::Object(Default::default()))["ok"].is_object()
            );
        }
    }
    world.open_rooms("slowest entry to a new room, afterwards");
    world.talk_for(Duration::from_secs(3));
    let left = |witness: &Witness| {
        witness.seen().iter().filter(|seen| seen.name == "participant:left").count()
    };
    assert_eq!((left(&world.mina), left(&world.ben)), (2, 2), "the guests");
    world.check();
}
