//! Redis fails while calls go on: it is restarted, emptied, hangs, or is away.

use std::{
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::Value;

use super::{
    key, metric, pair,
    redis::RedisProcess,
    witness::{Witness, check},
};
use crate::{
    api::Page,
    ctl::answer,
    support::{DEADLINE, Server, within},
};

/// Pause between requests.
const PAUSE: Duration = Duration::from_millis(40);
/// Pause between messages, of which two a second are allowed.
const CHAT_PAUSE: Duration = Duration::from_millis(600);
/// The longest time for which a message may wait. The gate's is 250 ms; the rest is a slow machine's.
const SLOW: Duration = Duration::from_millis(1500);

/// Two servers with a room whose participants talk all the time.
struct World {
    owner: Server,
    other: Server,
    mina: Witness,
    ben: Witness,
    said: usize,
    said_at: Instant,
    _folder: tempfile::TempDir,
}

impl World {
    fn start(redis: &RedisProcess) -> Self {
        let (folder, key) = key("k");
        let [owner, other] = pair(redis, &key);
        let mina = Witness::join(&owner, "Mina");
        let ben = Witness::join(&other, "Ben");
        Self { owner, other, mina, ben, said: 0, said_at: Instant::now(), _folder: folder }
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
            let status = answer(&super::status(&self.owner, &["--json"]));
            if status["leased"] == true && status["rooms_unkept"] == 0 {
                return;
            }
            assert!(Instant::now() < end, "{status}");
        }
    }

    /// The log has everything: the owner dies, and the other server goes on with all that was said.
    fn check(mut self) {
        let slowest = self.mina.slowest.max(self.ben.slowest);
        let heard = self.ben.seen().len();
        eprintln!("{} messages, {heard} events, at most {slowest:?} to an answer", self.said);
        assert!(slowest < SLOW, "{slowest:?}");
        self.talk_until_kept();
        self.owner.signal(Signal::KILL);
        self.owner.ended();
        self.ben.until_cut();
        self.ben.resume(&self.other);
        self.mina.resume(&self.other);
        self.said += 1;
        assert!(self.mina.say("last of Mina") && self.ben.say("last of Ben"));
        within(DEADLINE, "all is heard", || {
            let is_there =
                |witness: &Witness, text: &str| witness.heard().iter().any(|heard| heard == text);
            (is_there(&self.ben, "last of Mina") && is_there(&self.mina, "last of Ben"))
                .then_some(())
        });
        check(&[&self.mina, &self.ben]);
        let (_, joined) = Page::join(&self.other, "tea", "Sun");
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
    }
}

#[test]
fn calls_go_on_while_redis_restarts_with_its_log() {
    let options = ["--appendonly", "yes", "--appendfsync", "everysec"];
    let Some(mut redis) = RedisProcess::start(&options) else { return };
    let mut world = World::start(&redis);
    world.talk_for(Duration::from_secs(2));
    for _ in 0..3 {
        redis.kill();
        world.talk_for(Duration::from_millis(700));
        redis.start_again();
        world.talk_until_kept();
    }
    world.check();
}

#[test]
fn calls_go_on_while_redis_restarts_with_empty_memory() {
    let Some(mut redis) = RedisProcess::start(&[]) else { return };
    let mut world = World::start(&redis);
    for _ in 0..3 {
        world.talk_for(Duration::from_secs(1));
        redis.kill();
        redis.start_again();
        world.talk_until_kept();
    }
    // Absence of others counts again after a lease.
    world.talk_for(Duration::from_secs(3));
    world.check();
}

#[test]
fn calls_go_on_when_redis_is_emptied() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let mut world = World::start(&redis);
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
    let mut world = World::start(&redis);
    world.talk_for(Duration::from_secs(3));
    redis.hang();
    world.talk_for(Duration::from_secs(4));
    redis.go_on();
    world.talk_until_kept();
    world.talk_for(Duration::from_secs(3));
    world.check();
}

/// `MOIM_REDIS_AWAY_SECONDS` makes it longer.
#[test]
fn calls_chat_and_joins_of_open_rooms_go_on_while_redis_is_away() {
    let options = ["--appendonly", "yes", "--appendfsync", "everysec"];
    let Some(mut redis) = RedisProcess::start(&options) else { return };
    let away = std::env::var("MOIM_REDIS_AWAY_SECONDS");
    let away = Duration::from_secs(away.map_or(8, |seconds| seconds.parse().unwrap()));
    let mut world = World::start(&redis);
    world.talk_for(Duration::from_secs(1));
    redis.kill();
    world.talk_for(away);
    assert_eq!(metric(&world.owner, "moim_cluster_rooms_unkept").as_deref(), Some("1"));
    // Whoever comes by either server finds the room; a new one can't be claimed.
    for server in [&world.owner, &world.other] {
        let (mut guest, joined) = Page::join(server, "tea", "Guest");
        assert_eq!(super::names(&joined), ["Ben", "Mina"]);
        assert!(guest.request("room:leave", &Value::Object(Default::default()))["ok"].is_object());
    }
    let (_, refused) =
        Page::enter(&world.other, "coffee", "Guest", &Value::Object(Default::default()));
    assert_eq!(refused["error"]["code"], "server_full", "{refused}");
    redis.start_again();
    let back = Instant::now();
    world.talk_until_kept();
    eprintln!("kept again {:?} after {away:?} without Redis", back.elapsed());
    world.talk_for(Duration::from_secs(3));
    let (_, joined) = Page::join(&world.other, "coffee", "Guest");
    assert!(joined.is_object(), "{joined}");
    let left = |witness: &Witness| {
        witness.seen().iter().filter(|seen| seen.name == "participant:left").count()
    };
    assert_eq!((left(&world.mina), left(&world.ben)), (2, 2), "the guests");
}
