//! Two participants call each other over a network that delays and loses.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use headless::{Config, Layer, Participant, Publish, Reception, Section, Transport};
use std::{net::SocketAddr, time::Duration};
use testnet::{Datagram, Link, Network, Step};

struct Call {
    network: Network,
    people: Vec<(SocketAddr, Participant)>,
}

impl Call {
    /// One who publishes and one who does not, connected.
    fn connect(publish: Publish, link: Link) -> Self {
        let network = Network::new(1);
        let now = network.clock.now();
        let publishes = [publish, Publish::default()];
        let people = publishes.into_iter().zip(1..).map(|(publish, publisher)| {
            let local = format!("192.0.2.{publisher}:5000").parse().unwrap();
            let transport = Transport::Udp;
            let config = Config { local, transport, publish, publisher, epoch: now, reports: true };
            (local, Participant::new(now, config))
        });
        let mut call = Self { people: people.collect(), network };
        call.network.link(call.people[1].0.ip(), link);
        let offer = call.people[0].1.offer(now).unwrap();
        let answer = call.people[1].1.handle_offer(now, &offer.sdp).unwrap();
        call.people[0].1.handle_answer(now, &answer).unwrap();
        call
    }

    fn run(&mut self, time: Duration) {
        let end = self.network.clock.now() + time;
        loop {
            for (from, person) in &mut self.people {
                while let Some(transmit) = person.poll_transmit() {
                    self.network.send(*from, transmit.to, transmit.bytes);
                }
            }
            let due = self.people.iter().map(|(_, it)| it.poll_timeout()).min().unwrap();
            let step = self.network.step(Some(due.min(end)));
            let now = self.network.clock.now();
            if let Step::Arrived(Datagram { from, to, bytes }) = &step {
                let found = self.people.iter_mut().find(|(local, _)| local == to);
                found.unwrap().1.handle_datagram(now, now, *from, bytes);
            }
            for (_, person) in self.people.iter_mut().filter(|(_, it)| it.poll_timeout() <= now) {
                person.handle_timeout(now);
            }
            if now >= end {
                return;
            }
        }
    }

    fn heard(&self, section: Section) -> &Reception {
        let sections = self.people[0].1.sections();
        let (mid, _) = sections.iter().find(|(_, it)| *it == section).unwrap();
        &self.people[1].1.received()[mid]
    }
}

fn everything() -> Publish {
    Publish { voice: true, camera: Layer::single(360, 600_000) }
}

#[test]
fn a_clean_line_brings_every_frame_in_the_time_it_takes() {
    let link = Link { delay: Duration::from_millis(30), ..Link::default() };
    let mut call = Call::connect(everything(), link);
    call.run(Duration::from_secs(20));
    let (camera, voice) = (call.heard(Section::Camera), call.heard(Section::Voice));
    assert_eq!((camera.lost(), voice.lost()), (0, 0));
    assert!((470..=500).contains(&camera.frames()), "{}", camera.frames());
    assert!((940..=1000).contains(&voice.frames()), "{}", voice.frames());
    assert_eq!(camera.size(), Some((640, 360)));
    assert_eq!(camera.freezes().0, 0);
    for reception in [camera, voice] {
        let delays = reception.delays();
        assert!((30_000..31_500).contains(&delays.value_at_quantile(0.99)), "{}", delays.max());
        assert_eq!(reception.publisher(), Some(1));
    }
}

#[test]
fn loss_is_repaired_for_pictures_and_counted_for_sound() {
    let link = Link { delay: Duration::from_millis(20), loss: 0.05, ..Link::default() };
    let mut call = Call::connect(everything(), link);
    call.run(Duration::from_secs(60));
    let (camera, voice) = (call.heard(Section::Camera), call.heard(Section::Voice));
    assert!((90..220).contains(&voice.lost()), "of 3,000 packets: {}", voice.lost());
    assert!(camera.frames() > 1400, "{}", camera.frames());
    assert!(camera.lost() * 200 < camera.packets(), "{} of {}", camera.lost(), camera.packets());
}

#[test]
fn simulcast_is_offered_with_its_layers() {
    let publish = Publish { voice: false, camera: Layer::simulcast() };
    let mut call = Call::connect(publish, Link::default());
    let person = &mut call.people[0].1;
    assert_eq!(person.sections().len(), 1);
    call.run(Duration::from_secs(2));
    let sent = call.people[0].1.sent();
    assert!(sent > 45 * 6, "three layers: {sent}");
}

#[test]
fn stall_until_the_end_is_counted_while_the_track_should_flow() {
    let mut call = Call::connect(everything(), Link::default());
    call.run(Duration::from_secs(5));
    let sections = call.people[0].1.sections();
    let (camera, _) = sections.iter().find(|(_, it)| *it == Section::Camera).unwrap();
    let freezes = |call: &Call| call.people[1].1.received()[camera].freezes();
    call.people[1].1.finish(call.network.clock.now());
    assert_eq!(freezes(&call).0, 0, "everything flows");
    // Nothing comes through any more, and nobody says so.
    call.network.link(call.people[1].0.ip(), Link { loss: 1.0, ..Link::default() });
    call.run(Duration::from_secs(16));
    assert_eq!(freezes(&call).0, 0, "no frame has come to tell how long it took");
    call.people[1].1.finish(call.network.clock.now());
    assert_eq!(freezes(&call).0, 1);
    assert!(freezes(&call).1 >= Duration::from_secs(16));
}
