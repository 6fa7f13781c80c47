//! Rare events: pauses, missing feedback, clock jumps and hostile receivers.

use std::time::Duration;

use testnet::Clock;

use super::{Figure, Link, Media, World, worlds};
use crate::bwe::Bwe;

fn wide() -> Link {
    Link { delay: 50.0, ..Link::steady(|_| 3e6) }
}

#[test]
fn video_starts_soon_after_minutes_of_audio_alone() {
    let media = Media { video: (120_000, u64::MAX), ..Media::usual() };
    let mut start = Figure::default();
    worlds(wide(), &media, 125, |world| {
        assert!(world.min(1.0, 120.0) >= 300e3);
        assert!(start.add(world.until(120.0, |rate| rate > 1_535_000)) < 2.0);
        assert_eq!(world.between(1.0, 120.0).map(|moment| moment.padding).max(), Some(0));
    });
    start.show("audio for 120 s: all layers after s");
}

#[test]
fn video_starts_soon_after_minutes_of_silence() {
    let span = (120_000, u64::MAX);
    let mut start = Figure::default();
    worlds(wide(), &Media { video: span, audio: span, ..Media::usual() }, 125, |world| {
        assert!(start.add(world.until(120.0, |rate| rate > 1_535_000)) < 2.0);
    });
    start.show("nothing for 120 s: all layers after s");
}

#[test]
fn missing_feedback_lowers_the_estimate_step_by_step() {
    let (mut min, mut recovery) = <(Figure, Figure)>::default();
    for seed in 1..9 {
        let mut world = World::new(wide(), Media::usual(), seed);
        world.no_feedback = (20_000, 26_000);
        world.run(40);
        assert!(world.min(20.0, 21.0) > 1_535e3);
        assert!(min.add(world.min(20.0, 26.0)) < 200e3);
        assert!(recovery.add(world.until(26.0, |rate| rate > 1_535_000)) < 3.0);
    }
    min.show("no feedback for 6 s: least b/s");
    recovery.show("    recovered after s");
}

#[test]
fn idle_link_needs_no_timer() {
    let clock = Clock::new();
    let mut bwe = Bwe::new(300_000, clock.now());
    assert_eq!((bwe.poll_timeout(), bwe.newest_seq(), bwe.estimate()), (None, 0, None));
    bwe.set_desired(500_000, 2_000_000);
    assert_eq!((bwe.poll_timeout(), bwe.poll_padding(clock.now())), (None, 0));

    let media = Media { video: (0, 5_000), audio: (0, 5_000), ..Media::usual() };
    let mut world = World::new(wide(), media, 1);
    world.run(10);
    assert_eq!(world.bwe.poll_timeout(), None);
}

#[test]
fn paused_video_is_probed_for_although_nothing_is_sent() {
    let capacity = |at: f64| if (5.0..15.0).contains(&at) { 10e3 } else { 3e6 };
    let media = Media { audio: (0, 0), ..Media::usual() };
    let mut recovery = Figure::default();
    worlds(Link::steady(capacity), &media, 60, |world| {
        assert!(recovery.add(world.until(15.0, |rate| rate > 1_500_000)) < 20.0);
    });
    recovery.show("10 kb/s for 10 s: recovered after s");
}

#[test]
fn receiver_without_feedback_is_probed_once() {
    let mut clock = Clock::new();
    let mut bwe = Bwe::new(300_000, clock.now());
    bwe.on_sent(clock.now(), 1200);
    bwe.set_desired(500_000, 2_000_000);
    let mut calls = 0;
    let mut padding = 0;
    while clock.jump([bwe.poll_timeout()]) {
        bwe.handle_timeout(clock.now());
        calls += 1;
        for _ in 0..bwe.poll_padding(clock.now()).div_ceil(250) {
            bwe.on_sent(clock.now(), 250);
            padding += 250;
        }
    }
    assert!(calls < 20 && (1_250..4_000).contains(&padding), "{calls} calls, {padding} bytes");
    assert_eq!(bwe.estimate(), None);
}

#[test]
fn probe_without_padding_does_not_spin() {
    let mut clock = Clock::new();
    let mut bwe = Bwe::new(300_000, clock.now());
    bwe.on_sent(clock.now(), 1200);
    bwe.set_desired(500_000, 2_000_000);
    let calls = (0..5_000).take_while(|_| {
        bwe.handle_timeout(clock.now());
        bwe.poll_padding(clock.now());
        clock.jump([bwe.poll_timeout()])
    });
    assert!(calls.count() < 2_000);
}

#[test]
fn jump_of_the_receiver_clock_does_not_lower_the_estimate() {
    for (seed, by) in (1..9).zip([9.0, -9.0, 1e6, -3000.0].iter().cycle()) {
        let mut world = World::new(wide(), Media::usual(), seed);
        world.run(10);
        world.epoch += by;
        world.run(10);
        assert!(world.min(10.0, 20.0) > 1_535e3);
    }
}

#[test]
fn hostile_feedback_does_no_harm() {
    let mut clock = Clock::new();
    let mut dice = super::link::Dice::new(7);
    let mut bwe = Bwe::new(300_000, clock.now());
    bwe.set_desired(u64::MAX, u64::MAX);
    for round in 0..20_000_u32 {
        clock.advance(Duration::from_millis(7));
        for _ in 0..round % 5 {
            bwe.on_sent(clock.now(), 1200);
        }
        bwe.handle_timeout(clock.now());
        for _ in 0..bwe.poll_padding(clock.now()).div_ceil(1200).min(50) {
            bwe.on_sent(clock.now(), 1200);
        }
        let newest = bwe.newest_seq();
        let times = [0.0, 1e-6, 1e3, 1e9, 1e15, 1.8e19];
        let feedback: Vec<_> = (0..20_u64)
            .map(|back| {
                let exponent = times[usize::from(dice.roll() < 0.5) * (round as usize % 6)];
                let at = Duration::from_secs_f64(exponent * dice.roll());
                let seq =
                    if dice.roll() < 0.1 { u64::MAX - back } else { newest.wrapping_sub(back) };
                (seq, (dice.roll() < 0.8).then_some(at))
            })
            .collect();
        bwe.handle_feedback(clock.now(), feedback);
    }
    assert!(bwe.estimate().unwrap() >= 30_000 && (0.0..=1.0).contains(&bwe.loss()));
}

#[test]
fn repeated_feedback_counts_once() {
    let mut clock = Clock::new();
    let mut bwe = Bwe::new(300_000, clock.now());
    let seqs: Vec<u64> = (0..10).map(|_| bwe.on_sent(clock.now(), 1200)).collect();
    assert_eq!(seqs, (1..=10).collect::<Vec<_>>());
    clock.advance(Duration::from_millis(80));
    for _ in 0..3 {
        let half = |&seq: &u64| (seq, (seq % 2 == 0).then_some(Duration::ZERO));
        bwe.handle_feedback(clock.now(), seqs.iter().map(half));
    }
    assert_eq!((bwe.loss(), bwe.rtt()), (0.5, Some(Duration::from_millis(80))));
    bwe.handle_feedback(clock.now(), seqs.iter().map(|&seq| (seq, Some(Duration::ZERO))));
    assert_eq!(bwe.loss(), 0.0, "late packets no longer count as lost");
}
