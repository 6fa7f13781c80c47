//! Acceptance check W3: simulated calls with a fault at each of three participants. The rules name
//! the right one and the right side, 9 times of 10. Three rounds take some seconds; all ten run
//! with `MOIM_VERDICT_ROUNDS=10`.

use std::{collections::BTreeMap, time::Duration};

use quality::{Cause, Direction, EncoderLimit, Participant, Sample, Transport, judge};
use sfu::{LinkQuality, PeerId, Source};
use testnet::Link;

use crate::world::{BOTH, World};

const NAMES: [&str; 4] = ["Ann", "Ben", "Cy", "Dee"];
/// Rounds unless the environment says otherwise.
const ROUNDS: usize = 3;
/// Frames of ten seconds below which a picture stood still for a second: it has 25 a second.
const STILL_BELOW: usize = 225;

fn permille(share: Option<f64>) -> Option<u16> {
    share.map(|share| (share * 1000.0).round() as u16)
}

/// The sample of a link, as the server's history makes it.
fn sample(at: i64, link: &LinkQuality) -> Sample {
    Sample {
        at,
        seconds: 10,
        transport: Some(Transport::Udp),
        jitter_ms: link.jitter.map(|jitter| jitter.as_millis() as u32),
        loss_up: permille(link.received.loss()),
        loss_down: permille(link.sent.loss()),
        paused_bandwidth: Some(link.paused_for_bandwidth),
        interrupted: link.interrupted,
        server_busy: Some(230),
        ..Sample::default()
    }
}

/// Frames decoded so far, by viewer and publisher.
fn decoded(world: &World, peers: &[PeerId]) -> BTreeMap<(PeerId, PeerId), usize> {
    let pairs = peers.iter().flat_map(|viewer| peers.iter().map(move |other| (*viewer, *other)));
    let seen = pairs.filter(|(viewer, other)| {
        viewer != other && world.client(*viewer).sees(*other, Source::Camera)
    });
    seen.map(|(viewer, other)| {
        ((viewer, other), world.client(viewer).video(other, Source::Camera).decoded)
    })
    .collect()
}

#[test]
fn faults_of_three_participants_are_told_apart_nine_times_of_ten() {
    let mut world = World::new(11);
    let peers = [1, 2, 3, 4].map(|n| world.join(n, &BOTH));
    let good = Link { delay: Duration::from_millis(25), ..Link::default() };
    let bad = Link { loss: 0.08, ..good };
    for viewer in peers {
        let others = peers.iter().filter(|other| **other != viewer);
        world.set_viewports(viewer, &others.map(|other| (*other, 360)).collect::<Vec<_>>());
    }
    let mut right = 0;
    let rounds = std::env::var("MOIM_VERDICT_ROUNDS").map_or(ROUNDS, |it| it.parse().unwrap());
    for round in 0..rounds {
        // The faults move on with each round.
        let [up, down, slow, none] = [0, 1, 2, 3].map(|of| (of + round) % 4);
        for (index, peer) in peers.iter().enumerate() {
            let uplink = if index == up { bad } else { good };
            let downlink = if index == down { bad } else { good };
            world.set_links(*peer, uplink, downlink);
        }
        // The first sample spans the change.
        world.run(Duration::from_secs(10));
        let mut samples = vec![Vec::new(); peers.len()];
        // Too slow to encode, or for all it does.
        let (limit, named) = match round % 2 {
            0 => (EncoderLimit::Cpu, Cause::Cpu),
            _ => (EncoderLimit::Overload, Cause::Overload),
        };
        for slot in 0..2 {
            let before = decoded(&world, &peers);
            world.run(Duration::from_secs(10));
            let after = decoded(&world, &peers);
            let (_, links) = world.qualities.last().unwrap();
            for (index, peer) in peers.iter().enumerate() {
                let link = links.iter().find(|link| link.peer == *peer).unwrap();
                let still = |pair: &(PeerId, PeerId)| {
                    let frames = after.get(pair).zip(before.get(pair));
                    frames.is_some_and(|(after, before)| after - before < STILL_BELOW)
                };
                let of = |pick: fn(&(PeerId, PeerId)) -> PeerId| {
                    let pairs: Vec<_> = after.keys().filter(|pair| pick(pair) == *peer).collect();
                    let still = pairs.iter().filter(|pair| still(pair)).count();
                    (pairs.len() as u16, still as u16)
                };
                let (pictures, stalled) = of(|pair| pair.0);
                let (viewers, stalled_viewers) = of(|pair| pair.1);
                samples[index].push(Sample {
                    pictures: Some(pictures),
                    stalled: Some(stalled),
                    viewers: Some(viewers),
                    stalled_viewers: Some(stalled_viewers),
                    encoder_limit: (index == slow).then_some(limit),
                    ..sample(slot * 10, link)
                });
            }
        }
        let participants: Vec<_> = NAMES
            .iter()
            .zip(&samples)
            .map(|(name, samples)| Participant { name, samples })
            .collect();
        let findings = judge(&participants, 0, 20);
        let has = |of, direction, cause| {
            findings.iter().any(|finding| {
                (finding.participant, finding.direction, finding.cause) == (of, direction, cause)
            })
        };
        let all_named = has(up, Direction::Up, Cause::UplinkLoss)
            && has(down, Direction::Down, Cause::DownlinkLoss)
            && has(slow, Direction::Up, named);
        // Nobody is blamed for what others have.
        let is_only = findings.iter().all(|finding| match finding.cause {
            Cause::UplinkLoss => finding.participant == up,
            Cause::DownlinkLoss => finding.participant == down,
            Cause::Cpu | Cause::Overload => finding.participant == slow,
            _ => finding.participant != none,
        });
        if all_named && is_only {
            right += 1;
        } else {
            eprintln!("round {round}: {findings:#?}");
        }
    }
    assert!(right * 10 >= rounds * 9, "{right} of {rounds}");
}
