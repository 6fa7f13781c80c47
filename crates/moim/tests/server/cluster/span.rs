//! Media between servers on their cables: what crosses them, and what their loss leaves.

use std::{
    thread,
    time::{Duration, Instant},
};

use tokio::runtime::Runtime;

use super::{
    figures::{Figures, is_whole},
    hosts::Host,
    party::{HIDDEN, Heard, Party, SMALL},
    redis::RedisProcess,
    status,
    world::{Cluster, start_redis},
};
use crate::{
    caller::url,
    ctl::answer,
    namespace::in_namespace,
    peer::get_with,
    support::{DEADLINE, within},
};

/// The presenter's number.
const MINA: u32 = 1;
/// Width and height of a large picture.
const LARGE: (u16, u16) = (1280, 720);

/// Has the servers tell their metrics to other hosts.
const TOKEN: &str = "right";

/// Packets of media that came after they had been asked for.
const REPAIRED: &str = "moim_node_media_packets_total{outcome=\"repaired\"}";

/// Three servers, each on a host of its own.
struct World {
    // Participants end first, then servers, then their hosts.
    runtime: Runtime,
    cluster: Cluster,
    hosts: Vec<Host>,
    _redis: RedisProcess,
}

impl World {
    fn start() -> Option<Self> {
        let redis = start_redis()?;
        let hosts = Host::start(3);
        let cluster = Cluster::start_each(&redis, &hosts, |host, flags| {
            let more = ["--topology", "sfu", "--metrics-token", TOKEN];
            host.unwrap().serve(&[flags, &more].concat())
        });
        // Its threads are in the namespace of this one.
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
        Some(Self { runtime, cluster, hosts, _redis: redis })
    }

    /// A number of a server's metrics.
    fn metric(&self, server: usize, name: &str) -> usize {
        let token = format!("Bearer {TOKEN}");
        let headers = [("Authorization", token.as_str())];
        let page = get_with(&self.cluster.servers[server], "/metrics", &headers);
        let number = page.text().lines().find_map(|line| line.strip_prefix(name));
        number.unwrap_or_else(|| panic!("{}", page.text())).trim().parse().unwrap()
    }

    /// The reason that a server's status gives for which it has no media of another one.
    fn no_media(&self, server: usize) -> Option<String> {
        let status = answer(&status(&self.cluster.servers[server], &["--json"]));
        let nodes = status["nodes"].as_array().unwrap();
        nodes.iter().find_map(|node| node["no_media"].as_str().map(str::to_owned))
    }

    /// Somebody presents by the first server.
    fn present(&self) -> Party {
        let _entered = self.runtime.enter();
        let mina = Party::present(&url(self.cluster.servers[0].address()), "tea", MINA);
        within(DEADLINE, "she is in", || (mina.seen().sessions == 1).then_some(()));
        mina
    }

    /// Somebody comes by a server and wants a picture of this size.
    fn watch(&self, server: usize, number: u32, wanted: (u16, u16)) -> Party {
        let _entered = self.runtime.enter();
        let server = url(self.cluster.servers[server].address());
        Party::watch(&[&server], "tea", number, wanted)
    }
}

/// Waits until a party has sound, and a picture of this height.
fn until_it_comes(party: &Party, height: u16) {
    within(DEADLINE, "sound and picture come", || {
        let seen = party.seen();
        let heard = seen.from.get(&MINA)?;
        (heard.packets > 10 && heard.picture.height == height).then_some(())
    });
}

/// Waits until this many packets of sound have come, at 50 a second, and returns all that came.
fn receive(party: &Party, packets: u64) -> Heard {
    party.begin_measuring();
    let end = Instant::now() + Duration::from_millis(packets * 20) + DEADLINE;
    loop {
        let mut seen = party.seen();
        match seen.from.remove(&MINA) {
            Some(heard) if heard.packets >= packets => return heard,
            heard => assert!(Instant::now() < end, "{heard:?} of {packets} came: {seen:?}"),
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn packets(short: u64, whole: u64) -> u64 {
    if is_whole() { whole } else { short }
}

/// Bytes of UDP from the first host to others, and from these to their participants.
struct Counts<'a> {
    hosts: &'a [Host],
    crossed: [u64; 3],
    sent: [u64; 3],
}

impl<'a> Counts<'a> {
    fn start(hosts: &'a [Host]) -> Self {
        for host in &hosts[1..] {
            hosts[0].count(host.ip());
            host.count(host.router());
        }
        Self { hosts, crossed: [0; 3], sent: [0; 3] }
    }

    /// Bytes since the last call: those that crossed to a host, and those that it sent on.
    fn take(&mut self, host: usize) -> (u64, u64) {
        let other = &self.hosts[host];
        let (crossed, sent) = (self.hosts[0].counted(other.ip()), other.counted(other.router()));
        let before = (self.crossed[host], self.sent[host]);
        (self.crossed[host], self.sent[host]) = (crossed, sent);
        (crossed - before.0, sent - before.1)
    }

    /// Waits until no more crosses to a host than some percent of what it sends to each of its
    /// participants: an encoding that nobody needs any more is sent for some seconds.
    fn until_settled(&mut self, host: usize, parties: &[&Party], percent: u64) {
        within(DEADLINE, "only what is wanted crosses", || {
            self.take(host);
            for party in parties {
                receive(party, 25);
            }
            let (crossed, sent) = self.take(host);
            (crossed * parties.len() as u64 * 100 <= sent * percent).then_some(())
        });
    }

    /// Measures what crosses to a host, as percent of what each of its participants gets, after it
    /// has settled: for as long as so many packets of sound take.
    fn measure(
        &mut self,
        figures: &mut Figures,
        (name, most): (&str, u64),
        (host, parties): (usize, &[&Party]),
        packets: u64,
    ) {
        self.until_settled(host, parties, most + 10);
        self.take(host);
        receive(parties[0], packets);
        let (crossed, sent) = self.take(host);
        figures.percent(name, crossed * parties.len() as u64, sent, most);
    }
}

#[test]
fn each_encoding_that_is_wanted_crosses_to_a_server_once_and_no_other() {
    in_namespace(|| {
        let Some(world) = World::start() else { return };
        let _mina = world.present();
        let ben = world.watch(1, 2, LARGE);
        let small = [3, 4, 5].map(|number| world.watch(2, number, SMALL));
        until_it_comes(&ben, LARGE.1);
        small.iter().for_each(|party| until_it_comes(party, SMALL.1));
        let mut figures = Figures::of("span");
        let mut counts = Counts::start(&world.hosts);
        let time = packets(200, 1000);
        let name = "the large picture, of what its viewer gets";
        counts.measure(&mut figures, (name, 108), (1, &[&ben]), time);
        // Packets of 150 to 400 bytes, whose heads are longer between servers. The next encoding
        // would make it 300 %, and one copy for each viewer as well.
        let name = "the small one, of what each of three gets";
        counts.measure(&mut figures, (name, 125), (2, &small.each_ref()), time);
        // Nobody there wants a picture. Sound has small packets; twice would be more than 250 %.
        small.into_iter().for_each(|party| world.runtime.block_on(party.leave()));
        let lee = world.watch(2, 6, HIDDEN);
        within(DEADLINE, "sound comes", || lee.seen().from.contains_key(&MINA).then_some(()));
        let name = "sound alone, of what its listener gets";
        counts.measure(&mut figures, (name, 190), (2, &[&lee]), time);
        let frames = receive(&lee, 50).frames;
        figures.at_most("frames of a picture that nobody wants", frames, 0);
        figures.end();
    });
}

/// Measures what the loss of a share of packets between two servers, in both directions, leaves to
/// a viewer. Packets take 15 ms from one to the other.
fn lossy(percent: u8, per_million: u64, figures: &mut Figures) {
    let Some(world) = World::start() else { return };
    let wire = world.hosts[0].wire(&world.hosts[1]);
    let delay = Duration::from_millis(15);
    wire.degrade(0.0, delay);
    let _mina = world.present();
    let ben = world.watch(1, 2, LARGE);
    until_it_comes(&ben, LARGE.1);
    let time = packets(300, 3000);
    let before = receive(&ben, time).picture;
    wire.degrade(f64::from(percent) / 100.0, delay);
    let after = receive(&ben, time);
    let (picture, lost) = (after.picture, after.picture.lost + after.sound_lost);
    let packets = picture.packets + after.packets + lost;
    eprintln!("{percent} %: {picture:?}, before {before:?}");
    let least = usize::try_from(packets * u64::from(percent) / 300).unwrap();
    figures.at_least("repaired", world.metric(1, REPAIRED), least);
    // A second packet that is lost twice is no news among so few.
    let bound = (packets * per_million).div_ceil(1_000_000) + u64::from(!is_whole()) * 2;
    figures.at_most(&format!("of {packets} with {percent} % of loss, lost"), lost, bound);
    if is_whole() {
        figures.at_most("freezes", picture.freezes, 0);
    }
    let round_trip = 2 * delay;
    let more = picture.p99.saturating_sub(before.p99);
    figures.time("delay more than without loss, p99", more, round_trip * 3 / 2);
}

#[test]
fn loss_between_servers_is_repaired_before_viewers_see_it() {
    in_namespace(|| {
        let mut figures = Figures::of("lossy");
        lossy(1, 100, &mut figures);
        lossy(5, 1000, &mut figures);
        figures.end();
    });
}

#[test]
fn udp_that_is_blocked_between_servers_is_told_until_it_comes_through() {
    in_namespace(|| {
        let Some(world) = World::start() else { return };
        let [one, two, _] = &world.hosts[..] else { unreachable!() };
        one.block_udp(two);
        two.block_udp(one);
        let _mina = world.present();
        let ben = world.watch(1, 2, SMALL);
        let servers = [0, 1];
        let told =
            servers.map(|server| within(DEADLINE, "status tells it", || world.no_media(server)));
        // One side connects.
        assert!(told.iter().any(|why| why == "no answer by UDP"), "{told:?}");
        for server in servers {
            assert!(world.metric(server, "moim_node_links_missing") > 0);
        }
        assert_eq!(world.no_media(2), None, "a server that has nothing of the room");
        assert!(!ben.seen().from.contains_key(&MINA));
        [one, two].iter().for_each(|host| host.mend());
        until_it_comes(&ben, SMALL.1);
        for server in servers {
            within(DEADLINE, "all is well", || {
                let missing = world.metric(server, "moim_node_links_missing");
                (missing == 0 && world.no_media(server).is_none()).then_some(())
            });
            let log = world.cluster.servers[server].log();
            let warnings = log.matches("no link for media to another server").count();
            assert_eq!(warnings, 1, "{log}");
        }
    });
}
