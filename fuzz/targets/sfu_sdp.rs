//! Offers, re-offers and answers from a small grammar, so that payload types, extension ids, mids,
//! SSRCs and rids collide, in any order with publishing, subscribing and leaving, through the media
//! server's public interface: it never panics, sends no inconsistent description, and in the end it
//! holds nothing.
#![no_main]
#![allow(dead_code)]

#[path = "../../crates/sfu/tests/sfu/world/grammar.rs"]
mod grammar;

use std::time::{Duration, Instant};

use arbitrary::{Arbitrary, Unstructured};
use grammar::{Choices, GrammarClient, MIDS};
use libfuzzer_sys::fuzz_target;
use sfu::{Config, Event, Output, PeerId, RoomId, SdpError, Sfu, Source, Transport, Viewport};

const PEERS: usize = 3;
const SOURCES: [Source; 4] =
    [Source::Microphone, Source::Camera, Source::ScreenShare, Source::ScreenShareAudio];

#[derive(Debug, Clone, Copy, Arbitrary)]
enum Step {
    Leave,
    Publish,
    Subscribe,
    Wait { milliseconds: u16 },
    Answer,
    AnswerLate,
    Offer,
    OfferAgain,
}

fuzz_target!(|bytes: &[u8]| {
    // The first half of the input selects steps, the second half the words of descriptions.
    let (steps, words) = bytes.split_at(bytes.len() / 2);
    let mut steps = Unstructured::new(steps);
    let mut choices = Choices(words);
    let mut now = Instant::now();
    let mut config = Config::new(1, [1; 32]);
    config.candidates = vec![(Transport::Udp, ([203, 0, 113, 1], 4000).into())];
    let mut sfu = Sfu::new(config, now);
    let mut clients: [GrammarClient; PEERS] = Default::default();
    let mut offers: [Option<String>; PEERS] = Default::default();
    let mut count = 0;
    while let (false, Ok(step)) = (steps.is_empty() || count > 200, Step::arbitrary(&mut steps)) {
        count += 1;
        let at = choices.below(PEERS);
        let peer = PeerId(at as u64);
        match step {
            Step::Leave => {
                sfu.remove_peer(now, peer);
                clients[at] = GrammarClient::default();
            }
            Step::Publish => {
                let tracks = [0, 1].map(|_| (choices.one(&MIDS), choices.one(&SOURCES)));
                let _ = sfu.handle_publish(now, peer, &tracks);
            }
            Step::Subscribe => {
                let of = PeerId(choices.below(PEERS) as u64);
                let wish = Viewport { peer: of, source: Source::Camera, width: 640, height: 360 };
                let _ = sfu.handle_subscribe(now, peer, &[wish]);
            }
            Step::Wait { milliseconds } => {
                now += Duration::from_millis(u64::from(milliseconds));
                sfu.handle_timeout(now);
            }
            Step::Answer | Step::AnswerLate => {
                let offer = match step {
                    Step::Answer => offers[at].take(),
                    _ => offers[at].clone(),
                };
                if let Some(offer) = offer {
                    let answer = clients[at].answer(&mut choices, &offer);
                    applied(&sfu.handle_answer(now, peer, &answer));
                }
            }
            Step::Offer | Step::OfferAgain => {
                let _ = sfu.add_peer(now, RoomId(1), peer);
                let offer = clients[at].offer(&mut choices);
                applied(&sfu.handle_offer(now, peer, &offer));
            }
        }
        settle(&mut sfu, &mut offers);
    }
    for at in 0..PEERS {
        sfu.remove_peer(now, PeerId(at as u64));
    }
    settle(&mut sfu, &mut offers);
    assert_eq!(sfu.panics(), 0, "the engine is given nothing that it panics at");
    assert_eq!(sfu.entries(), 0, "all has been given back");
});

/// A description that str0m can't apply must be rejected before.
fn applied(result: &Result<(), sfu::Rejection>) {
    assert!(*result != Err(sfu::Rejection::BadSdp(SdpError::NotApplied)));
}

fn settle(sfu: &mut Sfu, offers: &mut [Option<String>; PEERS]) {
    for count in 0.. {
        assert!(count < 100_000, "nothing is said for ever");
        match sfu.poll_output() {
            None => break,
            Some(Output::Event(Event::Answer { sdp, .. })) => check(&sdp),
            Some(Output::Event(Event::Offer { peer, sdp })) => {
                check(&sdp);
                offers[peer.0 as usize] = Some(sdp);
            }
            Some(_) => {}
        }
    }
}

fn check(sdp: &str) {
    let sections: Vec<&str> = sdp.split("\r\nm=").skip(1).collect();
    let mid = |section: &str| {
        let found = section.split("\r\n").find_map(|line| line.strip_prefix("a=mid:"));
        found.expect("each section has a mid").to_owned()
    };
    let mut mids: Vec<String> = sections.iter().map(|section| mid(section)).collect();
    mids.sort();
    mids.dedup();
    assert_eq!(mids.len(), sections.len(), "{sdp}");
}
