//! Two participants call each other over a network with delay and loss.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::{net::SocketAddr, time::Duration};

use headless::{Config, Layer, Participant, Publish, ReceivedTrack, Section, Transport};
use testnet::{Datagram, Link, Network, Step};

struct Call {
    network: Network,
    participants: Vec<(SocketAddr, Participant)>,
}

impl Call {
    /// A publisher and a subscriber, connected.
    fn connect(publish: Publish, link: Link) -> Self {
        let network = Network::new(1);
        let now = network.clock.now();
        let publishes = [publish, Publish::default()];
        let participants = publishes.into_iter().zip(1..).map(|(publish, publisher)| {
            let local = format!("192.0.2.{publisher}:5000").parse().unwrap();
            let transport = Transport::Udp;
            let config = Config { local, transport, publish, publisher, epoch: now, twcc: true };
            (local, Participant::new(now, config))
        });
        let mut call = Self { participants: participants.collect(), network };
        call.network.link(call.participants[1].0.ip(), link);
        let offer = call.participants[0].1.offer(now).unwrap();
        let answer = call.participants[1].1.handle_offer(now, &offer.sdp).unwrap();
        call.participants[0].1.handle_answer(now, &answer).unwrap();
        call
    }

    fn run(&mut self, time: Duration) {
        let end = self.network.clock.now() + time;
        loop {
            for (from, participant) in &mut self.participants {
                while let Some(transmit) = participant.poll_transmit() {
                    self.network.send(*from, transmit.to, transmit.bytes);
                }
            }
            let due = self
                .participants
                .iter()
                .map(|(_, participant)| participant.poll_timeout())
                .min()
                .unwrap();
            let step = self.network.step(Some(due.min(end)));
            let now = self.network.clock.now();
            if let Step::Arrived(Datagram { from, to, bytes }) = &step {
                let found = self.participants.iter_mut().find(|(local, _)| local == to);
                found.unwrap().1.handle_datagram(now, now, *from, bytes);
            }
            for (_, participant) in self
                .participants
                .iter_mut()
                .filter(|(_, participant)| participant.poll_timeout() <= now)
            {
                participant.handle_timeout(now);
            }
            if now >= end {
                return;
            }
        }
    }

    fn received(&self, section: Section) -> &ReceivedTrack {
        let sections = self.participants[0].1.sections();
        let (mid, _) = sections.iter().find(|(_, kind)| *kind == section).unwrap();
        &self.participants[1].1.received()[mid]
    }
}

fn audio_and_video() -> Publish {
    Publish { audio: true, video: Layer::single(360, 600_000) }
}

#[test]
fn clean_link_delivers_every_frame_after_its_delay() {
    let link = Link { delay: Duration::from_millis(30), ..Link::default() };
    let mut call = Call::connect(audio_and_video(), link);
    call.run(Duration::from_secs(20));
    let (video, audio) = (call.received(Section::Video), call.received(Section::Audio));
    assert_eq!((video.lost(), audio.lost()), (0, 0));
    assert!((470..=500).contains(&video.frames()), "{}", video.frames());
    assert!((940..=1000).contains(&audio.frames()), "{}", audio.frames());
    assert_eq!(video.size(), Some((640, 360)));
    assert_eq!(video.freezes().0, 0);
    for track in [video, audio] {
        let delays = track.delays();
        assert!((30_000..31_500).contains(&delays.value_at_quantile(0.99)), "{}", delays.max());
        assert_eq!(track.publisher(), Some(1));
    }
}

#[test]
fn video_loss_is_retransmitted_and_audio_loss_counted() {
    let link = Link { delay: Duration::from_millis(20), loss: 0.05, ..Link::default() };
    let mut call = Call::connect(audio_and_video(), link);
    call.run(Duration::from_secs(60));
    let (video, audio) = (call.received(Section::Video), call.received(Section::Audio));
    assert!((90..220).contains(&audio.lost()), "of 3,000 packets: {}", audio.lost());
    assert!(video.frames() > 1400, "{}", video.frames());
    assert!(video.lost() * 200 < video.packets(), "{} of {}", video.lost(), video.packets());
}

#[test]
fn simulcast_is_offered_with_its_encodings() {
    let publish = Publish { audio: false, video: Layer::simulcast() };
    let mut call = Call::connect(publish, Link::default());
    let participant = &mut call.participants[0].1;
    assert_eq!(participant.sections().len(), 1);
    call.run(Duration::from_secs(2));
    let sent = call.participants[0].1.packets_sent();
    assert!(sent > 45 * 6, "three layers: {sent}");
}

#[test]
fn stall_until_the_end_is_counted_while_the_track_should_flow() {
    let mut call = Call::connect(audio_and_video(), Link::default());
    call.run(Duration::from_secs(5));
    let sections = call.participants[0].1.sections();
    let (video, _) = sections.iter().find(|(_, kind)| *kind == Section::Video).unwrap();
    let freezes = |call: &Call| call.participants[1].1.received()[video].freezes();
    call.participants[1].1.finish(call.network.clock.now());
    assert_eq!(freezes(&call).0, 0, "media flows");
    // The network drops everything without a notice.
    call.network.link(call.participants[1].0.ip(), Link { loss: 1.0, ..Link::default() });
    call.run(Duration::from_secs(16));
    assert_eq!(freezes(&call).0, 0, "no later frame ends the interval");
    call.participants[1].1.finish(call.network.clock.now());
    assert_eq!(freezes(&call).0, 1);
    assert!(freezes(&call).1 >= Duration::from_secs(16));
}
