//! Keys left in Redis after all servers are gone.

use std::{
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use super::{
    figures::{Figures, is_whole},
    key, pair,
    redis::RedisProcess,
    resume, said,
};
use crate::api::Page;

/// Everything ends by itself in this time.
const EXPIRY: Duration = Duration::from_secs(130);

#[test]
fn rooms_of_servers_that_all_died_are_resumed_or_end_by_themselves() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let servers = pair(&redis, &key);
    let (mut mina, first) = Page::join(&servers[0], "tea", "Mina");
    let (mut ben, second) = Page::join(&servers[1], "tea", "Ben");
    said(&mut ben, "before");
    assert_eq!(mina.event("chat")["text"], "before");
    let kill = |servers: [crate::support::Server; 2]| {
        for mut server in servers {
            server.signal(Signal::KILL);
            server.ended();
        }
    };
    kill(servers);
    let mut figures = Figures::of("stale");
    // Others are started soon: the room is what it was.
    let servers = pair(&redis, &key);
    let begun = Instant::now();
    let (mut mina, again) = resume(&servers[0], &first);
    let (_ben, of_ben) = resume(&servers[1], &second);
    figures.time("until both are back", begun.elapsed(), Duration::from_secs(5));
    assert_eq!(again["self"]["id"], first["self"]["id"]);
    assert_eq!(of_ben["self"]["id"], second["self"]["id"]);
    assert_eq!(mina.event("chat")["text"], "before");
    // Nobody is: each key ends by itself.
    kill(servers);
    let keys = redis.command(&["--scan"]);
    figures.at_least("keys", keys.lines().count(), 3);
    let longest = keys.lines().map(|key| {
        let left: i64 = redis.command(&["PTTL", key]).parse().unwrap();
        // -2: it has ended meanwhile; -1: it never ends.
        assert_ne!(left, -1, "{key} never ends");
        Duration::from_millis(left.max(0).cast_unsigned())
    });
    let longest = longest.max().unwrap();
    figures.time("longest time for which a key stays", longest, EXPIRY);
    if is_whole() {
        thread::sleep(EXPIRY);
        let left = redis.command(&["--scan"]);
        figures.exactly("keys 130 s later", left.lines().count(), 0);
    }
    figures.end();
}
