//! A server of a cluster that drains: others take its rooms, sockets and links, and it ends.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{
    dialects::Client,
    figures::{Figures, is_whole, no_gap, runs},
    key, metric, names, pair,
    party::{Heard, Party},
    readiness,
    redis::RedisProcess,
    said, status_number,
    witness::{Witness, check},
};
use crate::{
    api::Page,
    caller::url,
    support::{DEADLINE, Server, within},
};

/// `moim drain`, without a limit of time.
fn begin_drain(server: &Server) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_moim"));
    command.args(["drain", "--no-wait", "--data"]).arg(server.data());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn rooms_of_a_server_that_drains_are_anothers_at_once_and_nothing_is_lost() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let [mut owner, other] = pair(&redis, &key);
    let mut mina = Witness::join(&owner, "Mina");
    let mut ben = Witness::join(&other, "Ben");
    assert!(ben.say("before") && mina.raise_hand());
    let begun = Instant::now();
    owner.terminate();
    let mut count = 0;
    // Whatever is answered until the end must be known to the next owner.
    while mina.say(&format!("{count} of Mina")) && ben.say(&format!("{count} of Ben")) {
        count += 1;
    }
    ben.until_cut();
    ben.resume(&other);
    mina.until_cut();
    mina.resume(&other);
    let away = begun.elapsed();
    assert!(mina.say("after") && ben.say("at last"));
    within(DEADLINE, "all is heard", || {
        let last = |witness: &Witness| witness.heard().last().cloned();
        let heard = (last(&mina), last(&ben));
        (heard == (Some("at last".to_owned()), Some("after".to_owned()))).then_some(())
    });
    check(&[&mina, &ben]);
    let left = |witness: &Witness| witness.seen().iter().any(|it| it.name == "participant:left");
    assert!(!left(&mina) && !left(&ben), "nobody is told that anybody left");
    assert_eq!(owner.ended().code(), Some(0), "{}", owner.log());
    assert_eq!([status_number(&other, "rooms"), status_number(&other, "claims")], [1, 1]);
    let mut figures = Figures::of("drain");
    // The lease of an owner that says nothing takes two seconds to end.
    figures.time("until the room is at another server", away, Duration::from_secs(1));
    figures.end();
}

#[test]
fn server_that_drains_leaves_new_rooms_to_others() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let [mut draining, other] = pair(&redis, &key);
    // It waits for clients that can't resume.
    let mut ann = Client::connect(&draining);
    ann.emit(&json!(["create or join", "old"]));
    ann.on("created");
    let (mina, joined) = Page::join(&draining, "tea", "Mina");
    begin_drain(&draining);
    within(DEADLINE, "its rooms are the other's", || {
        (status_number(&other, "rooms") == 1 && status_number(&draining, "rooms") <= 1)
            .then_some(())
    });
    assert_eq!(readiness(&draining), (503, "draining\n".to_owned()));
    // The cluster's other server has rooms that begin here, and sockets come in here all the same.
    drop(mina);
    let mut mina = Page::connect(&draining);
    let resume = json!({
        "room": "tea", "name": "x", "resume": joined["resume"], "last": joined["last"],
    });
    let back = mina.request("room:join", &resume);
    assert_eq!(back["ok"]["self"]["id"], joined["self"]["id"], "{back}");
    let (mut ben, _) = Page::join(&draining, "coffee", "Ben");
    let (mut sun, coffee) = Page::join(&other, "coffee", "Sun");
    assert_eq!(names(&coffee), ["Ben"]);
    said(&mut ben, "hello");
    assert_eq!(sun.event("chat")["text"], "hello");
    assert_eq!(status_number(&other, "rooms"), 2);
    assert!(draining.is_running());
    drop(ann);
    assert_eq!(draining.ended().code(), Some(0), "{}", draining.log());
    ben.until_closed();
}

#[test]
fn room_that_no_other_server_can_take_stays_and_goes_on() {
    let Some(mut redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let [mut owner, other] = pair(&redis, &key);
    let mut mina = Witness::join(&owner, "Mina");
    let mut ben = Witness::join(&other, "Ben");
    redis.kill();
    within(DEADLINE, "Redis is missed", || {
        (metric(&owner, "moim_cluster_engine_up").as_deref() == Some("0")).then_some(())
    });
    begin_drain(&owner);
    within(DEADLINE, "it drains", || (readiness(&owner).0 == 503).then_some(()));
    assert!(mina.say("without") && ben.say("Redis"));
    redis.start_again();
    ben.until_cut();
    ben.resume(&other);
    mina.until_cut();
    mina.resume(&other);
    assert!(mina.say("with") && ben.say("it"));
    within(DEADLINE, "all is heard", || {
        (mina.heard() == ["Redis", "it"] && ben.heard() == ["without", "with"]).then_some(())
    });
    check(&[&mina, &ben]);
    assert_eq!(owner.ended().code(), Some(0), "{}", owner.log());
}

/// Drains the first of three servers, which has this many of eight people and their media. Returns the
/// longest gap of anybody's audio, without a drain and with it, and the time until the server has ended.
async fn drain_call(here: usize, people: usize) -> Option<([Duration; 2], Duration)> {
    let redis = RedisProcess::start(&[])?;
    let (_folder, key) = key("k");
    let servers = super::media::servers::<3>(&redis, &key);
    let urls = servers.each_ref().map(|server| url(server.address()));
    let mut parties = Vec::new();
    for number in 0..people {
        let home = if number < here { 0 } else { 1 + number % 2 };
        let via = [&urls[home], &urls[1 + number % 2], &urls[2 - number % 2]];
        let number = u32::try_from(number).unwrap();
        parties.push((number, Party::join(&via, "tea", number)));
        super::media::until("one is in", || parties.last().unwrap().1.seen().sessions == 1).await;
    }
    let all: Vec<_> = parties.iter().map(|(number, party)| (*number, party)).collect();
    super::media::until_all_have_all(&all, "all have all").await;
    all.iter().for_each(|(_, party)| party.begin_measuring());
    super::media::until_all_have_all(&all, "all have all, measured").await;
    let gap = |since: Instant| {
        let gaps = all.iter().flat_map(|(number, party)| {
            let gap = |(of, heard): (u32, Heard)| {
                let ended = heard.gap_ended.unwrap_or(since).saturating_duration_since(since);
                (heard.longest_gap, ended, *number, of)
            };
            party.seen().from.into_iter().map(gap).collect::<Vec<_>>()
        });
        let longest = gaps.max().unwrap();
        let (gap, ended, to, of) = longest;
        eprintln!(
            "{gap:.3?} without audio of {of} for {to}, until {ended:.3?} after the beginning"
        );
        gap
    };
    let quiet = gap(Instant::now());
    all.iter().for_each(|(_, party)| party.begin_measuring());
    let begun = Instant::now();
    servers[0].terminate();
    let [first, second, third] = servers;
    let first = tokio::task::spawn_blocking(move || {
        let mut first = first;
        let code = first.ended().code();
        (code, begun.elapsed(), first)
    });
    let (code, end, first) = first.await.unwrap();
    assert_eq!(code, Some(0), "{}", first.log());
    // Whoever lost a link has all from the next one.
    let before = |party: &Party| party.seen().from.values().map(|heard| heard.packets).sum::<u64>();
    let counts: Vec<_> = all.iter().map(|(_, party)| before(party)).collect();
    let more = || {
        let mut more = all.iter().zip(&counts);
        more.all(|((_, party), count)| {
            before(party) > count + 20 * u64::try_from(people - 1).unwrap()
        })
    };
    let deadline = Instant::now() + DEADLINE;
    while !more() {
        if Instant::now() > deadline {
            let seen: Vec<_> = all.iter().map(|(number, party)| (number, party.seen())).collect();
            panic!("not all hear more: {counts:?}, {seen:#?}\n{}\n{}", second.log(), third.log());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for (number, party) in &all {
        let seen = party.seen();
        assert_eq!(seen.from.len(), people - 1, "{number}: {seen:?}");
    }
    let links: usize = all.iter().map(|(_, party)| party.seen().links).sum();
    assert_eq!(links, people + here, "each link that was there is moved once, and no other");
    let drained = gap(begun);
    drop((second, third));
    for (number, party) in all.iter().filter(|(number, _)| *number < u32::try_from(here).unwrap()) {
        let media = party.seen().media;
        let [Some((_, last)), Some((first, _))] = media[..] else { panic!("{number}: {media:?}") };
        assert!(first < last, "{number}: the next link had media while the former one lived");
    }
    Some(([quiet, drained], end))
}

// More threads than cores: a handshake of one participant must not stop the others, as it would not
// in pages of their own.
#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn call_goes_on_while_the_server_that_has_it_drains() {
    let people = if is_whole() { 8 } else { 3 };
    let mut figures = Figures::of("drain");
    let (mut gaps, mut ends, mut quiet) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..runs() {
        let Some(([before, gap], end)) = drain_call(people, people).await else { return };
        quiet.push(before);
        gaps.push(gap);
        ends.push(end);
    }
    let second = Duration::from_secs(1);
    eprintln!("longest gaps before that, which the machine makes: {quiet:.3?}");
    figures.times("longest gap of anybody's audio", &gaps, no_gap(), no_gap());
    figures.times("until the server has ended", &ends, 4 * second, 5 * second);
    figures.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn links_of_rooms_elsewhere_leave_a_server_that_drains() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let [owner, mut door] = super::media::servers(&redis, &key);
    let urls = [&owner, &door].map(|server| url(server.address()));
    let mina = Party::join(&[&urls[0]], "tea", 1);
    super::media::until("she is in", || mina.seen().sessions == 1).await;
    let max = Party::join(&[&urls[0]], "tea", 2);
    let ben = Party::join(&[&urls[1], &urls[0]], "tea", 3);
    let all = [(1, &mina), (2, &max), (3, &ben)];
    super::media::until_all_have_all(&all, "all have all").await;
    assert_eq!(metric(&door, "moim_media_peers").as_deref(), Some("1"));
    begin_drain(&door);
    let (code, door) =
        tokio::task::spawn_blocking(move || (door.ended().code(), door)).await.unwrap();
    assert_eq!(code, Some(0), "{}", door.log());
    all.iter().for_each(|(_, party)| party.begin_measuring());
    super::media::until_all_have_all(&all, "all have all again").await;
    assert_eq!((mina.seen().links, max.seen().links, ben.seen().links), (1, 1, 2));
    assert_eq!((mina.seen().sessions, ben.seen().sessions), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn link_leaves_a_server_that_drains_though_its_socket_is_elsewhere() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let [mut first, mut second, third] = super::media::servers(&redis, &key);
    let urls = [&first, &second, &third].map(|server| url(server.address()));
    let mina = Party::join(&[&urls[0], &urls[2]], "tea", 1);
    super::media::until("she is in", || mina.seen().sessions == 1).await;
    let ben = Party::join(&[&urls[1], &urls[2]], "tea", 2);
    // As pages that know nothing of two links.
    ben.replace_links();
    let all = [(1, &mina), (2, &ben)];
    super::media::until_all_have_all(&all, "all have all").await;
    // He resumes by the third server, with the link that he has.
    first.signal(rustix::process::Signal::KILL);
    first.ended();
    super::media::until("both are back", || {
        [&mina, &ben].iter().all(|party| party.seen().sessions == 2)
    })
    .await;
    all.iter().for_each(|(_, party)| party.begin_measuring());
    super::media::until_all_have_all(&all, "all have all again").await;
    assert_eq!((metric(&second, "moim_media_peers").as_deref(), ben.seen().links), (Some("1"), 1));
    begin_drain(&second);
    let ended = tokio::task::spawn_blocking(move || (second.ended().code(), second));
    let (code, second) = ended.await.unwrap();
    assert_eq!(code, Some(0), "{}", second.log());
    all.iter().for_each(|(_, party)| party.begin_measuring());
    super::media::until_all_have_all(&all, "all have all at last").await;
    assert_eq!((mina.seen().links, ben.seen().links), (2, 2));
}
