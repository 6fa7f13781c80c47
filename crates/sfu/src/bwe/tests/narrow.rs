//! Links with very little capacity.

use super::{Figure, Link, Media, worlds};

/// Checks that the estimate stays within these shares of the capacity and audio is not delayed.
fn check_narrow(rate: fn(f64) -> f64, jitter: f64, shares: std::ops::Range<f64>) {
    let media = Media { layers: vec![150_000, 500_000], ..Media::usual() };
    let (mut min, mut max, mut wait) = <(Figure, Figure, Figure)>::default();
    worlds(Link { delay: 30.0, jitter, ..Link::steady(rate) }, &media, 70, |world| {
        let capacity = rate(0.0);
        let low = min.add(world.min(10.0, 70.0));
        let high = max.add(world.max(10.0, 70.0));
        let is_within = low > capacity * shares.start && high < capacity * shares.end;
        assert!(is_within, "{low} to {high}");
        let waits = world.between(10.0, 70.0).map(|moment| moment.wait);
        let mean = wait.add(waits.sum::<f64>() / 600.0);
        assert!(mean < 60.0, "waits {mean} ms");
        let long = world.between(10.0, 70.0).filter(|moment| moment.wait > 200.0).count();
        assert!(long < 60, "waits long {long} times");
    });
    min.show(&format!("{} kb/s, jitter {jitter} ms: least b/s", rate(0.0) / 1e3));
    max.show("    most b/s");
    wait.show("    mean wait in ms");
}

#[test]
fn link_for_audio_alone_is_left_to_audio() {
    check_narrow(|_| 60e3, 0.0, 0.6..1.6);
    check_narrow(|_| 60e3, 10.0, 0.6..1.6);
    check_narrow(|_| 100e3, 0.0, 0.8..1.2);
    check_narrow(|_| 100e3, 10.0, 0.5..1.3);
}

#[test]
fn link_just_below_audio_and_the_lowest_layer_is_not_overestimated() {
    check_narrow(|_| 150e3, 0.0, 0.8..1.1);
    check_narrow(|_| 150e3, 10.0, 0.5..1.4);
}

#[test]
fn link_for_audio_and_the_lowest_layer_carries_both() {
    check_narrow(|_| 200e3, 0.0, 0.7..1.8);
    check_narrow(|_| 200e3, 10.0, 0.5..1.8);
}
