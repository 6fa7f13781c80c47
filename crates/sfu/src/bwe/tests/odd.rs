//! What seldom happens: pauses, silence, clocks that jump and receivers that lie.

use std::time::Duration;

use testnet::Clock;

use super::{Figure, Line, Media, World, worlds};
use crate::bwe::Bwe;

fn wide() -> Line {
    Line { delay: 50.0, ..Line::steady(|_| 3e6) }
}

#[test]
fn after_minutes_of_audio_alone_a_picture_comes_soon() {
    let media = Media { video: (120_000, u64::MAX), ..Media::usual() };
    let mut all = Figure::default();
    worlds(wide(), &media, 125, |world| {
        assert!(world.least(1.0, 120.0) >= 300e3);
        assert!(all.add(world.until(120.0, |rate| rate > 1_535_000)) < 2.0);
        assert_eq!(world.between(1.0, 120.0).map(|moment| moment.padding).max(), Some(0));
    });
    all.show("audio for 120 s: all after s");
}

#[test]
fn after_minutes_of_nothing_all_goes_on() {
    let (span, mut all) = ((120_000, u64::MAX), Figure::default());
    worlds(wide(), &Media { video: span, audio: span, ..Media::usual() }, 125, |world| {
        assert!(all.add(world.until(120.0, |rate| rate > 1_535_000)) < 2.0);
    });
    all.show("nothing for 120 s: all after s");
}

#[test]
fn without_feedback_it_goes_down_bit_by_bit_and_comes_back() {
    let (mut least, mut back) = <(Figure, Figure)>::default();
    for seed in 1..9 {
        let mut world = World::new(wide(), Media::usual(), seed);
        world.mute = (20_000, 26_000);
        world.run(40);
        assert!(world.least(20.0, 21.0) > 1_535e3);
        assert!(least.add(world.least(20.0, 26.0)) < 200e3);
        assert!(back.add(world.until(26.0, |rate| rate > 1_535_000)) < 3.0);
    }
    least.show("no feedback for 6 s: least b/s");
    back.show("    back after s");
}

#[test]
fn a_link_on_which_nothing_happens_wants_no_timers() {
    let clock = Clock::new();
    let mut bwe = Bwe::new(300_000, clock.now());
    assert_eq!((bwe.poll_timeout(), bwe.newest(), bwe.estimate()), (None, 0, None));
    bwe.desire(500_000, 2_000_000);
    assert_eq!((bwe.poll_timeout(), bwe.padding(clock.now())), (None, 0));

    let media = Media { video: (0, 5_000), audio: (0, 5_000), ..Media::usual() };
    let mut world = World::new(wide(), media, 1);
    world.run(10);
    assert_eq!(world.bwe.poll_timeout(), None);
}

#[test]
fn who_was_left_with_nothing_is_asked_again_though_nothing_is_sent() {
    let line = |at: f64| if (5.0..15.0).contains(&at) { 10e3 } else { 3e6 };
    let media = Media { audio: (0, 0), ..Media::usual() };
    let mut back = Figure::default();
    worlds(Line::steady(line), &media, 60, |world| {
        assert!(back.add(world.until(15.0, |rate| rate > 1_500_000)) < 20.0);
    });
    back.show("10 kb/s for 10 s: back after s");
}

#[test]
fn who_never_answers_is_asked_once() {
    let mut clock = Clock::new();
    let mut bwe = Bwe::new(300_000, clock.now());
    bwe.sent(clock.now(), 1200);
    bwe.desire(500_000, 2_000_000);
    let (mut calls, mut padding) = (0, 0);
    while clock.jump([bwe.poll_timeout()]) {
        bwe.handle_timeout(clock.now());
        calls += 1;
        for _ in 0..bwe.padding(clock.now()).div_ceil(250) {
            bwe.sent(clock.now(), 250);
            padding += 250;
        }
    }
    assert!(calls < 20 && (1_250..4_000).contains(&padding), "{calls} calls, {padding} bytes");
    assert_eq!(bwe.estimate(), None);
}

#[test]
fn who_has_no_padding_to_send_is_not_asked_all_the_time() {
    let mut clock = Clock::new();
    let mut bwe = Bwe::new(300_000, clock.now());
    bwe.sent(clock.now(), 1200);
    bwe.desire(500_000, 2_000_000);
    let calls = (0..5_000).take_while(|_| {
        bwe.handle_timeout(clock.now());
        bwe.padding(clock.now());
        clock.jump([bwe.poll_timeout()])
    });
    assert!(calls.count() < 2_000);
}

#[test]
fn a_clock_that_is_set_means_nothing() {
    for (seed, by) in (1..9).zip([9.0, -9.0, 1e6, -3000.0].iter().cycle()) {
        let mut world = World::new(wide(), Media::usual(), seed);
        world.run(10);
        world.epoch += by;
        world.run(10);
        assert!(world.least(10.0, 20.0) > 1_535e3);
    }
}

#[test]
fn nothing_a_receiver_says_does_harm() {
    let mut clock = Clock::new();
    let mut dice = super::line::Dice::new(7);
    let mut bwe = Bwe::new(300_000, clock.now());
    bwe.desire(u64::MAX, u64::MAX);
    for round in 0..20_000_u32 {
        clock.advance(Duration::from_millis(7));
        for _ in 0..round % 5 {
            bwe.sent(clock.now(), 1200);
        }
        bwe.handle_timeout(clock.now());
        for _ in 0..bwe.padding(clock.now()).div_ceil(1200).min(50) {
            bwe.sent(clock.now(), 1200);
        }
        let newest = bwe.newest();
        let times = [0.0, 1e-6, 1e3, 1e9, 1e15, 1.8e19];
        let said: Vec<_> = (0..20_u64)
            .map(|back| {
                let exponent = times[usize::from(dice.roll() < 0.5) * (round as usize % 6)];
                let at = Duration::from_secs_f64(exponent * dice.roll());
                let number =
                    if dice.roll() < 0.1 { u64::MAX - back } else { newest.wrapping_sub(back) };
                (number, (dice.roll() < 0.8).then_some(at))
            })
            .collect();
        bwe.feedback(clock.now(), said);
    }
    assert!(bwe.estimate().unwrap() >= 30_000 && (0.0..=1.0).contains(&bwe.loss()));
}

#[test]
fn a_packet_is_counted_once() {
    let mut clock = Clock::new();
    let mut bwe = Bwe::new(300_000, clock.now());
    let numbers: Vec<u64> = (0..10).map(|_| bwe.sent(clock.now(), 1200)).collect();
    assert_eq!(numbers, (1..=10).collect::<Vec<_>>());
    clock.advance(Duration::from_millis(80));
    for _ in 0..3 {
        let half = |&number: &u64| (number, (number % 2 == 0).then_some(Duration::ZERO));
        bwe.feedback(clock.now(), numbers.iter().map(half));
    }
    assert_eq!((bwe.loss(), bwe.rtt()), (0.5, Some(Duration::from_millis(80))));
    bwe.feedback(clock.now(), numbers.iter().map(|&number| (number, Some(Duration::ZERO))));
    assert_eq!(bwe.loss(), 0.0, "what was late came after all");
}
