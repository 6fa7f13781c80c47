//! The line gets narrower and comes back.

use super::{Figure, Line, Media, World, worlds};

fn falls(at: f64) -> f64 {
    if (20.0..35.0).contains(&at) { 500e3 } else { 3e6 }
}

/// A queue and a delay in milliseconds, and how soon the fall has to be known, seconds.
fn a_fall(queue: f64, delay: f64, soon: f64) {
    let (mut down, mut least, mut back) = <(Figure, Figure, Figure)>::default();
    worlds(Line { queue, delay, ..Line::steady(falls) }, &Media::usual(), 60, |world| {
        let seen = down.add(world.until(20.0, |rate| rate < 600_000));
        assert!(seen <= soon, "noticed after {seen} s");
        let rate = least.add(world.least(20.0, 35.0));
        assert!(rate > 400e3, "fell to {rate}");
        let there = back.add(world.until(35.0, |rate| rate > 1_535_000));
        assert!(there < 6.0, "back after {there} s");
        assert!(world.most(22.0, 35.0) < 600e3);
    });
    down.show(&format!("queue {queue} ms, delay {delay} ms: noticed after s"));
    least.show("    least b/s");
    back.show("    back after s");
}

#[test]
fn a_line_that_narrows_behind_a_short_queue_is_known_within_half_a_second() {
    a_fall(100.0, 10.0, 0.5);
    a_fall(100.0, 50.0, 0.5);
}

#[test]
fn a_line_that_narrows_behind_a_long_queue_is_known_within_a_second() {
    a_fall(300.0, 25.0, 0.8);
    a_fall(700.0, 25.0, 0.8);
    a_fall(700.0, 100.0, 1.0);
}

#[test]
fn others_that_come_and_go_are_made_room_for() {
    let others = |at: f64| if (20.0..40.0).contains(&at) { 2e6 } else { 0.0 };
    let (mut least, mut back) = <(Figure, Figure)>::default();
    worlds(Line { others, ..Line::steady(|_| 3e6) }, &Media::usual(), 60, |world| {
        assert!(least.add(world.least(20.0, 40.0)) > 600e3);
        assert!(back.add(world.until(40.0, |rate| rate > 1_535_000)) < 6.0);
    });
    least.show("others take two thirds: least b/s");
    back.show("    back after s");
}

#[test]
fn a_line_that_wavers_by_a_fifth_is_used() {
    let wavers = |at: f64| 2e6 * (1.0 + 0.2 * (at * 1.3).sin());
    let mut least = Figure::default();
    worlds(Line::steady(wavers), &Media::usual(), 60, |world| {
        assert!(least.add(world.least(5.0, 60.0)) > 1e6);
        let waits = world.between(5.0, 60.0).map(|moment| moment.wait);
        assert!(waits.sum::<f64>() / 550.0 < 40.0);
    });
    least.show("2 Mb/s wavering by a fifth: least b/s");
}

#[test]
fn a_way_that_gets_longer_is_no_queue_for_good() {
    // As if all packets took 120 ms more from the twentieth second.
    for seed in 1..9 {
        let media = Media { layers: vec![500_000], ..Media::usual() };
        let mut world = World::new(Line::steady(|_| 3e6), media, seed);
        world.run(20);
        world.queue.line.delay += 120.0;
        world.run(20);
        assert!(world.least(20.0, 40.0) > 200e3);
        assert!(world.least(26.0, 40.0) > 535e3, "{}", world.least(26.0, 40.0));
    }
}
