//! Links with loss, jitter, lost feedback and drifting clocks.

use super::{Figure, Link, Media, worlds};

#[test]
fn random_loss_up_to_a_tenth_does_not_lower_the_estimate() {
    for loss in [0.02, 0.05, 0.08, 0.1] {
        let (mut min, mut start) = <(Figure, Figure)>::default();
        let link = Link { delay: 100.0, loss, ..Link::steady(|_| 10e6) };
        worlds(link, &Media::usual(), 60, |world| {
            assert!(start.add(world.until(0.0, |rate| rate > 1_535_000)) < 5.0);
            assert!(min.add(world.min(6.0, 60.0)) > 1_535e3);
        });
        min.show(&format!("loss {loss}: least b/s"));
        start.show("    all layers after s");
    }
}

#[test]
fn higher_loss_lowers_the_estimate() {
    let mut min = Figure::default();
    let link = Link { delay: 50.0, loss: 0.15, ..Link::steady(|_| 10e6) };
    worlds(link, &Media::usual(), 60, |world| {
        assert!(min.add(world.min(5.0, 60.0)) > 100e3);
        assert!(world.min(5.0, 60.0) < 2_000e3);
    });
    min.show("loss 0.15: least b/s");
    let link = Link { loss: 0.4, ..link };
    worlds(link, &Media::usual(), 20, |world| assert!(world.max(10.0, 20.0) < 300e3));
}

/// Media of half a megabit, for a link of three.
fn half_a_megabit() -> Media {
    Media { layers: vec![500_000], ..Media::usual() }
}

#[test]
fn jitter_does_not_count_as_a_queue() {
    for (jitter, feedback_loss, delay) in [
        (10.0, 0.0, 25.0),
        (20.0, 0.1, 50.0),
        (30.0, 0.1, 50.0),
        (-10.0, 0.3, 25.0),
        (-30.0, 0.1, 50.0),
    ] {
        let (mut min, mut start) = <(Figure, Figure)>::default();
        let link = Link { delay, jitter, feedback_loss, drift: 100.0, ..Link::steady(|_| 3e6) };
        worlds(link, &half_a_megabit(), 75, |world| {
            start.add(world.until(0.0, |rate| rate > 535_000));
            let rate = min.add(world.min(15.0, 75.0));
            let limit = if jitter.abs() < 25.0 { 535e3 } else { 400e3 };
            assert!(rate > limit, "jitter {jitter}: {rate}");
        });
        min.show(&format!("jitter {jitter} ms, feedback loss {feedback_loss}: least b/s"));
        start.show("    all layers after s");
    }
}

#[test]
fn clock_drift_does_not_count_as_a_queue() {
    for drift in [-100.0, 100.0] {
        let link = Link { drift, ..Link::steady(|_| 3e6) };
        worlds(link, &half_a_megabit(), 180, |world| assert!(world.min(5.0, 180.0) > 535e3));
    }
}
