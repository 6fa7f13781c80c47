//! Lines that lose, jitter and forget.

use super::{Figure, Line, Media, worlds};

#[test]
fn a_tenth_lost_on_the_way_says_nothing() {
    for loss in [0.02, 0.05, 0.08, 0.1] {
        let (mut least, mut start) = <(Figure, Figure)>::default();
        let line = Line { delay: 100.0, loss, ..Line::steady(|_| 10e6) };
        worlds(line, &Media::usual(), 60, |world| {
            assert!(start.add(world.until(0.0, |rate| rate > 1_535_000)) < 5.0);
            assert!(least.add(world.least(6.0, 60.0)) > 1_535e3);
        });
        least.show(&format!("{loss} lost: least b/s"));
        start.show("    all after s");
    }
}

#[test]
fn what_is_lost_above_that_takes_some_away() {
    let mut least = Figure::default();
    let line = Line { delay: 50.0, loss: 0.15, ..Line::steady(|_| 10e6) };
    worlds(line, &Media::usual(), 60, |world| {
        assert!(least.add(world.least(5.0, 60.0)) > 100e3);
        assert!(world.least(5.0, 60.0) < 2_000e3);
    });
    least.show("0.15 lost: least b/s");
    let line = Line { loss: 0.4, ..line };
    worlds(line, &Media::usual(), 20, |world| assert!(world.most(10.0, 20.0) < 300e3));
}

/// Half a megabit on a line of three.
fn half_a_megabit() -> Media {
    Media { layers: vec![500_000], ..Media::usual() }
}

#[test]
fn jitter_is_no_queue() {
    for (jitter, feedback_loss, delay) in [
        (10.0, 0.0, 25.0),
        (20.0, 0.1, 50.0),
        (30.0, 0.1, 50.0),
        (-10.0, 0.3, 25.0),
        (-30.0, 0.1, 50.0),
    ] {
        let (mut least, mut start) = <(Figure, Figure)>::default();
        let line = Line { delay, jitter, feedback_loss, drift: 100.0, ..Line::steady(|_| 3e6) };
        worlds(line, &half_a_megabit(), 75, |world| {
            start.add(world.until(0.0, |rate| rate > 535_000));
            let rate = least.add(world.least(15.0, 75.0));
            let limit = if jitter.abs() < 25.0 { 535e3 } else { 400e3 };
            assert!(rate > limit, "jitter {jitter}: {rate}");
        });
        least.show(&format!("jitter {jitter} ms, {feedback_loss} of the feedback lost: least b/s"));
        start.show("    all after s");
    }
}

#[test]
fn clocks_that_drift_are_no_queue() {
    for drift in [-100.0, 100.0] {
        let line = Line { drift, ..Line::steady(|_| 3e6) };
        worlds(line, &half_a_megabit(), 180, |world| assert!(world.least(5.0, 180.0) > 535e3));
    }
}
