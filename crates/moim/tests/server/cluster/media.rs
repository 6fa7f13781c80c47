//! Media of a room whose participants are on several servers.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::time::sleep;

use super::{key, metric, nodes, party::Party, redis::RedisProcess};
use crate::{
    caller::url,
    support::{DEADLINE, Server, within},
};

/// The longest silence that nobody notices: a few packets of 20 ms, on a busy machine.
pub(super) const SHORT: Duration = Duration::from_millis(500);

/// Servers of two shards that know of each other.
pub(super) fn servers<const N: usize>(redis: &RedisProcess, key: &str) -> [Server; N] {
    servers_of_shards(redis, key, "2")
}

pub(super) fn servers_of_shards<const N: usize>(
    redis: &RedisProcess,
    key: &str,
    shards: &str,
) -> [Server; N] {
    let url = redis.url();
    let flags = ["--cluster", &url, "--cluster-key", key, "--topology", "sfu", "--shards", shards];
    let servers = [(); N].map(|()| Server::start(&flags));
    for server in &servers {
        within(DEADLINE, "all are there", || (nodes(server) == N).then_some(()));
    }
    servers
}

pub(super) async fn until(what: &str, holds: impl Fn() -> bool) {
    until_within(DEADLINE, what, holds).await;
}

pub(super) async fn until_within(time: Duration, what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + time;
    while !holds() {
        assert!(Instant::now() < end, "{what}: not within {time:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until all of these, by their numbers, have sound and picture of each other.
pub(super) async fn until_all_have_all(parties: &[(u32, &Party)], what: &str) {
    let all = || {
        parties.iter().all(|(number, party)| {
            parties.iter().all(|(other, _)| number == other || party.has(*other))
        })
    };
    let end = Instant::now() + DEADLINE;
    while !all() {
        if Instant::now() > end {
            let seen: Vec<_> = parties.iter().map(|(n, party)| (n, party.seen())).collect();
            panic!("{what}: not within {DEADLINE:?}: {seen:#?}");
        }
        sleep(Duration::from_millis(20)).await;
    }
}

pub(super) fn number(server: &Server, name: &str) -> f64 {
    metric(server, name).map_or(0.0, |value| value.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn participants_on_two_servers_hear_and_see_each_other_and_a_track_crosses_once() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let [one, two] = servers(&redis, &key);
    let urls = [&one, &two].map(|server| url(server.address()));
    let mina = Party::join(&[&urls[0]], "tea", 1);
    until("she is in", || mina.seen().sessions == 1).await;
    let ben = Party::join(&[&urls[1]], "tea", 2);
    // On the second server, six are on both shards.
    let listeners = [3, 4, 5, 6, 7].map(|number| Party::listen(&[&urls[1]], "tea", number));
    let all_have_all =
        || mina.has(2) && ben.has(1) && listeners.iter().all(|party| party.has(1) && party.has(2));
    until("all have all", all_have_all).await;
    assert_eq!([&one, &two].map(|server| number(server, "moim_media_peers")), [1.0, 6.0]);
    assert!(number(&two, "moim_media_relayed_total") > 0.0, "the room is on two shards");
    // Of what crosses, the sole listener at the other end has each byte once.
    assert_once(&one, &mina, 2).await;
    // And six listeners do not make it more.
    assert_once(&two, &listeners[4], 1).await;
    for server in [&one, &two] {
        assert_eq!(number(server, "moim_node_malformed_total"), 0.0);
    }
}

/// Bytes that cross to a server are those that one of its listeners has of a track, with heads of
/// some 40 bytes a packet.
async fn assert_once(server: &Server, listener: &Party, publisher: u32) {
    let crossed = || number(server, "moim_node_media_bytes_total");
    let heard = || listener.seen().from.get(&publisher).map_or(0, |heard| heard.bytes);
    listener.begin_measuring();
    let before = crossed();
    until("much has crossed", || heard() > 60_000).await;
    let (crossed, heard) = (crossed() - before, heard());
    let heard = f64::from(u32::try_from(heard).unwrap());
    assert!(crossed > heard * 0.6 && crossed < heard * 1.7, "{crossed} crossed for {heard}");
}

#[tokio::test(flavor = "multi_thread")]
async fn media_of_others_goes_on_when_a_server_with_sockets_and_links_is_killed() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let [owner, mut other] = servers(&redis, &key);
    let urls = [&owner, &other].map(|server| url(server.address()));
    let mina = Party::join(&[&urls[0]], "tea", 1);
    until("she is in", || mina.seen().sessions == 1).await;
    let max = Party::join(&[&urls[0]], "tea", 2);
    let ben = Party::join(&[&urls[1], &urls[0]], "tea", 3);
    let all = [(1, &mina), (2, &max), (3, &ben)];
    until_all_have_all(&all, "all have all").await;
    assert_eq!(number(&other, "moim_media_peers"), 1.0, "his link is at his server");
    all.iter().for_each(|(_, party)| party.begin_measuring());
    other.signal(Signal::KILL);
    other.ended();
    until_all_have_all(&all, "he is back at the owner").await;
    let (mina, max) = (mina.seen(), max.seen());
    assert!(mina.from[&2].longest_gap < SHORT && max.from[&1].longest_gap < SHORT, "{mina:?}");
    assert_eq!((mina.sessions, mina.links, ben.seen().links), (1, 1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn media_on_servers_that_live_goes_on_when_the_rooms_owner_is_killed() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let [mut owner, second, third] = servers(&redis, &key);
    let urls = [&owner, &second, &third].map(|server| url(server.address()));
    let mina = Party::join(&[&urls[0], &urls[1]], "tea", 1);
    until("she is in", || mina.seen().sessions == 1).await;
    let ben = Party::join(&[&urls[1]], "tea", 2);
    let sun = Party::join(&[&urls[2]], "tea", 3);
    let all = [(1, &mina), (2, &ben), (3, &sun)];
    until_all_have_all(&all, "all have all").await;
    for server in [&owner, &second, &third] {
        assert_eq!(number(server, "moim_media_peers"), 1.0);
    }
    all.iter().for_each(|(_, party)| party.begin_measuring());
    owner.signal(Signal::KILL);
    owner.ended();
    until_all_have_all(&all, "all have all again").await;
    let (ben, sun) = (ben.seen(), sun.seen());
    assert!(ben.from[&3].longest_gap < SHORT && sun.from[&2].longest_gap < SHORT, "{ben:?}");
    // They have resumed with the links that they had.
    assert_eq!((ben.sessions, sun.sessions), (2, 2));
    assert_eq!((ben.links, sun.links, mina.seen().links), (1, 1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn offer_that_died_with_the_rooms_owner_is_made_again() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let [mut owner, second, third] = servers(&redis, &key);
    let urls = [&owner, &second, &third].map(|server| url(server.address()));
    let mina = Party::listen(&[&urls[0], &urls[1]], "tea", 1);
    until("she is in", || mina.seen().sessions == 1).await;
    let ben = Party::join(&[&urls[1]], "tea", 2);
    let sun = Party::join(&[&urls[2]], "tea", 3);
    until_all_have_all(&[(2, &ben), (3, &sun)], "both have both").await;
    ben.ignore_offers(true);
    let max = Party::join(&[&urls[2]], "tea", 4);
    until("the others have him", || sun.has(4) && max.has(2)).await;
    owner.signal(Signal::KILL);
    ben.ignore_offers(false);
    owner.ended();
    until("he is back", || ben.seen().sessions == 2).await;
    let all = [(2, &ben), (3, &sun), (4, &max)];
    until_all_have_all(&all, "he has him, too").await;
    assert_eq!([&ben, &sun, &max].map(|party| party.seen().links), [1; 3]);
}
