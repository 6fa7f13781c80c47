//! Media links on another server than the room's, whose connection breaks while both servers live.

use super::{
    key,
    media::{SHORT, number, until, until_all_have_all},
    nodes,
    party::Party,
    proxy::Proxy,
    redis::RedisProcess,
};
use crate::{
    caller::url,
    support::{DEADLINE, Server, within},
};

/// Two servers. The first reaches the second by a proxy alone, the second the first directly.
fn servers(redis: &RedisProcess, key: &str) -> (Proxy, [Server; 2]) {
    let proxy = Proxy::start();
    let (redis, address) = (redis.url(), proxy.address().to_string());
    let flags = ["--cluster", &redis, "--cluster-key", key, "--topology", "sfu", "--shards", "2"];
    let first = Server::start(&flags);
    let second = Server::start(&[&flags[..], &["--cluster-address", &address]].concat());
    proxy.lead_to(second.address());
    for server in [&first, &second] {
        within(DEADLINE, "both are there", || (nodes(server) == 2).then_some(()));
    }
    (proxy, [first, second])
}

#[tokio::test(flavor = "multi_thread")]
async fn links_go_on_when_the_connection_to_their_server_breaks() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let (proxy, servers) = servers(&redis, &key);
    let urls = servers.each_ref().map(|server| url(server.address()));
    let mina = Party::join(&[&urls[0]], "tea", 1);
    until("she is in", || mina.seen().sessions == 1).await;
    let [ben, sun] = [2, 3].map(|number| Party::join(&[&urls[1]], "tea", number));
    until_all_have_all(&[(1, &mina), (2, &ben), (3, &sun)], "all have all").await;
    assert_eq!(number(&servers[1], "moim_media_peers"), 2.0, "their links are at their server");
    let parties = [&mina, &ben, &sun];
    parties.iter().for_each(|party| party.begin_measuring());
    let before = proxy.connections();
    proxy.cut();
    until("the owner connects again", || proxy.connections() > before).await;
    // The stream works: links on the other server are negotiated.
    let max = Party::join(&[&urls[0]], "tea", 4);
    let all = [(1, &mina), (2, &ben), (3, &sun), (4, &max)];
    until_all_have_all(&all, "all have all, and him").await;
    for party in parties {
        let seen = party.seen();
        assert_eq!((seen.sessions, seen.links), (1, 1));
        assert!(seen.from.values().all(|heard| heard.longest_gap < SHORT), "{seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_and_offers_that_a_break_has_lost_are_repeated() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let (proxy, servers) = servers(&redis, &key);
    let urls = servers.each_ref().map(|server| url(server.address()));
    let mina = Party::join(&[&urls[0]], "tea", 1);
    until("she is in", || mina.seen().sessions == 1).await;
    let ben = Party::join(&[&urls[1]], "tea", 2);
    until_all_have_all(&[(1, &mina), (2, &ben)], "both have both").await;
    // He gets an offer, and one who joins by his server offers, while the connection breaks.
    let sun = Party::join(&[&urls[0]], "tea", 3);
    let max = Party::join(&[&urls[1]], "tea", 4);
    until("they are in", || sun.seen().links + max.seen().links == 2).await;
    proxy.cut();
    let all = [(1, &mina), (2, &ben), (3, &sun), (4, &max)];
    until_all_have_all(&all, "all have all").await;
    assert_eq!(all.map(|(_, party)| (party.seen().sessions, ben.seen().links)), [(1, 1); 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn links_begin_at_the_owner_when_it_no_longer_reaches_their_server() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let (proxy, servers) = servers(&redis, &key);
    let urls = servers.each_ref().map(|server| url(server.address()));
    let mina = Party::join(&[&urls[0]], "tea", 1);
    until("she is in", || mina.seen().sessions == 1).await;
    let [ben, sun] = [2, 3].map(|number| Party::join(&[&urls[1]], "tea", number));
    let all = [(1, &mina), (2, &ben), (3, &sun)];
    until_all_have_all(&all, "all have all").await;
    proxy.fall_silent();
    until("they are told to begin new links", || {
        [&ben, &sun].iter().all(|it| it.seen().links == 2)
    })
    .await;
    all.iter().for_each(|(_, party)| party.begin_measuring());
    until_all_have_all(&all, "all have all again").await;
    // Their sockets were never cut.
    assert_eq!([&mina, &ben, &sun].map(|party| party.seen().sessions), [1; 3]);
    assert_eq!(number(&servers[0], "moim_media_peers"), 3.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn links_begin_at_the_owner_when_it_never_reaches_their_server() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let (proxy, servers) = servers(&redis, &key);
    proxy.fall_silent();
    let urls = servers.each_ref().map(|server| url(server.address()));
    let mina = Party::join(&[&urls[0]], "tea", 1);
    until("she is in", || mina.seen().sessions == 1).await;
    let ben = Party::join(&[&urls[1]], "tea", 2);
    until_all_have_all(&[(1, &mina), (2, &ben)], "both have both").await;
    assert_eq!(number(&servers[0], "moim_media_peers"), 2.0);
    // Nobody was told anything, and the next does not wait for what fails.
    let connections = proxy.connections();
    let sun = Party::join(&[&urls[1]], "tea", 3);
    until_all_have_all(&[(1, &mina), (2, &ben), (3, &sun)], "all have all").await;
    assert_eq!([&mina, &ben, &sun].map(|party| party.seen().links), [1; 3]);
    assert_eq!(proxy.connections(), connections);
    let log = servers[0].until_logged("this node does not reach another one");
    assert_eq!(log.matches("this node does not reach another one").count(), 1, "{log}");
}
