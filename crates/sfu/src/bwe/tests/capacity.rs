//! Links whose capacity drops and recovers.

use super::{Figure, Link, Media, World, worlds};

fn drops(at: f64) -> f64 {
    if (20.0..35.0).contains(&at) { 500e3 } else { 3e6 }
}

/// Checks a drop on a link with this queue and delay (ms), to be detected within `max_reaction`
/// seconds.
fn check_drop(queue: f64, delay: f64, max_reaction: f64) {
    let (mut reaction, mut min, mut recovery) = <(Figure, Figure, Figure)>::default();
    worlds(Link { queue, delay, ..Link::steady(drops) }, &Media::usual(), 60, |world| {
        let seconds = reaction.add(world.until(20.0, |rate| rate < 600_000));
        assert!(seconds <= max_reaction, "detected after {seconds} s");
        let rate = min.add(world.min(20.0, 35.0));
        assert!(rate > 400e3, "dropped to {rate}");
        let seconds = recovery.add(world.until(35.0, |rate| rate > 1_535_000));
        assert!(seconds < 6.0, "recovered after {seconds} s");
        assert!(world.max(22.0, 35.0) < 600e3);
    });
    reaction.show(&format!("queue {queue} ms, delay {delay} ms: detected after s"));
    min.show("    least b/s");
    recovery.show("    recovered after s");
}

#[test]
fn capacity_drop_behind_a_short_queue_is_detected_within_half_a_second() {
    check_drop(100.0, 10.0, 0.5);
    check_drop(100.0, 50.0, 0.5);
}

#[test]
fn capacity_drop_behind_a_long_queue_is_detected_within_a_second() {
    check_drop(300.0, 25.0, 0.8);
    check_drop(700.0, 25.0, 0.8);
    check_drop(700.0, 100.0, 1.0);
}

#[test]
fn estimate_yields_to_cross_traffic_and_recovers() {
    let cross_traffic = |at: f64| if (20.0..40.0).contains(&at) { 2e6 } else { 0.0 };
    let (mut min, mut recovery) = <(Figure, Figure)>::default();
    worlds(Link { cross_traffic, ..Link::steady(|_| 3e6) }, &Media::usual(), 60, |world| {
        assert!(min.add(world.min(20.0, 40.0)) > 600e3);
        assert!(recovery.add(world.until(40.0, |rate| rate > 1_535_000)) < 6.0);
    });
    min.show("cross traffic takes two thirds: least b/s");
    recovery.show("    recovered after s");
}

#[test]
fn capacity_that_varies_by_a_fifth_is_used() {
    let varying = |at: f64| 2e6 * (1.0 + 0.2 * (at * 1.3).sin());
    let mut min = Figure::default();
    worlds(Link::steady(varying), &Media::usual(), 60, |world| {
        assert!(min.add(world.min(5.0, 60.0)) > 1e6);
        let waits = world.between(5.0, 60.0).map(|moment| moment.wait);
        assert!(waits.sum::<f64>() / 550.0 < 40.0);
    });
    min.show("2 Mb/s varying by a fifth: least b/s");
}

#[test]
fn longer_path_does_not_count_as_a_queue_for_good() {
    // Every packet takes 120 ms more from the twentieth second on.
    for seed in 1..9 {
        let media = Media { layers: vec![500_000], ..Media::usual() };
        let mut world = World::new(Link::steady(|_| 3e6), media, seed);
        world.run(20);
        world.queue.link.delay += 120.0;
        world.run(20);
        assert!(world.min(20.0, 40.0) > 200e3);
        assert!(world.min(26.0, 40.0) > 535e3, "{}", world.min(26.0, 40.0));
    }
}
