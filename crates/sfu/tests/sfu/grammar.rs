//! Any sequence of descriptions from the grammar.

use std::time::Duration;

use proptest::prelude::*;
use sfu::{Config, Event, Output, PeerId, Rejection, RoomId, Sfu, Source, Transport, Viewport};
use testnet::Clock;

use crate::world::grammar::{Choices, GrammarClient, MIDS};

const PEERS: usize = 3;
const SOURCES: [Source; 4] =
    [Source::Microphone, Source::Camera, Source::ScreenShare, Source::ScreenShareAudio];

/// Number of accepted and rejected descriptions.
#[derive(Debug, Default)]
struct Tally {
    accepted: usize,
    rejected: usize,
    not_applied: usize,
}

impl Tally {
    fn count(&mut self, result: &Result<(), Rejection>) {
        match result {
            Ok(()) => self.accepted += 1,
            Err(Rejection::BadSdp(error)) => {
                self.rejected += 1;
                self.not_applied += usize::from(*error == sfu::SdpError::NotApplied);
            }
            Err(_) => {}
        }
    }
}

/// Drains the server, checks its descriptions and keeps its offers.
fn drain(sfu: &mut Sfu, offers: &mut [Option<String>; PEERS]) {
    while let Some(output) = sfu.poll_output() {
        match output {
            Output::Event(Event::Answer { sdp, .. }) => check(&sdp),
            Output::Event(Event::Offer { peer, sdp }) => {
                check(&sdp);
                offers[peer.0 as usize] = Some(sdp);
            }
            _ => {}
        }
    }
}

/// Checks that mids are unique, and that a bundle contains only live sections.
fn check(sdp: &str) {
    let sections: Vec<&str> = sdp.split("\r\nm=").skip(1).collect();
    let mid = |section: &str| {
        let found = section.split("\r\n").find_map(|line| line.strip_prefix("a=mid:"));
        found.expect("each section has a mid").to_owned()
    };
    let mut mids: Vec<String> = sections.iter().map(|section| mid(section)).collect();
    let live: Vec<String> = sections
        .iter()
        .filter(|section| section.split(' ').nth(1) != Some("0"))
        .map(|section| mid(section))
        .collect();
    mids.sort();
    mids.dedup();
    assert_eq!(mids.len(), sections.len(), "{sdp}");
    let group = sdp.lines().find_map(|line| line.strip_prefix("a=group:BUNDLE "));
    for mid in group.into_iter().flat_map(|group| group.split(' ')) {
        assert!(live.iter().any(|it| it == mid), "{mid} in {sdp}");
    }
    assert!(!sdp.contains("str0m"), "str0m is not exposed: {sdp}");
    assert!(!sdp.contains("a=mid:moim"), "generated mids are not exposed: {sdp}");
}

fn run(bytes: &[u8], tally: &mut Tally) {
    let mut choices = Choices(bytes);
    let mut clock = Clock::new();
    let mut config = Config::new(1, [1; 32]);
    config.candidates = vec![(Transport::Udp, ([203, 0, 113, 1], 4000).into())];
    let mut sfu = Sfu::new(config, clock.now());
    let mut clients: [GrammarClient; PEERS] = Default::default();
    let mut offers: [Option<String>; PEERS] = Default::default();
    while !choices.is_empty() {
        let at = choices.below(PEERS);
        let (now, peer) = (clock.now(), PeerId(at as u64));
        match choices.below(10) {
            0 => {
                sfu.remove_peer(now, peer);
                clients[at] = GrammarClient::default();
            }
            1 => {
                let tracks = [0, 1].map(|_| (choices.one(&MIDS), choices.one(&SOURCES)));
                let _ = sfu.handle_publish(now, peer, &tracks);
            }
            2 => {
                let of = PeerId(choices.below(PEERS) as u64);
                let viewport =
                    Viewport { peer: of, source: Source::Camera, width: 640, height: 360 };
                let _ = sfu.handle_subscribe(now, peer, &[viewport]);
            }
            3 => {
                clock.advance(Duration::from_millis(700));
                sfu.handle_timeout(clock.now());
            }
            4..=6 => {
                let answered = offers[at].take();
                if let Some(offer) = answered {
                    let answer = clients[at].answer(&mut choices, &offer);
                    tally.count(&sfu.handle_answer(now, peer, &answer));
                }
            }
            _ => {
                let _ = sfu.add_peer(now, RoomId(1), peer);
                let offer = clients[at].offer(&mut choices);
                tally.count(&sfu.handle_offer(now, peer, &offer));
            }
        }
        drain(&mut sfu, &mut offers);
    }
    for at in 0..PEERS {
        sfu.remove_peer(clock.now(), PeerId(at as u64));
    }
    drain(&mut sfu, &mut offers);
    assert_eq!(sfu.entries(), 0, "nothing is left");
}

#[test]
fn any_order_of_grammar_descriptions_is_harmless() {
    let mut tally = Tally::default();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(300));
    let tallied = std::cell::RefCell::new(&mut tally);
    runner
        .run(&prop::collection::vec(any::<u8>(), 0..600), |bytes| {
            run(&bytes, &mut tallied.borrow_mut());
            let not_applied = tallied.borrow().not_applied;
            prop_assert_eq!(not_applied, 0, "errors are found before str0m");
            Ok(())
        })
        .unwrap();
    // Guards against a grammar that is always rejected.
    assert!(tally.accepted > 500 && tally.rejected > 100, "{tally:?}");
}
