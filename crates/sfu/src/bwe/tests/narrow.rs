//! Lines that carry hardly anything.

use super::{Figure, Line, Media, worlds};

/// What a line of so much does, with so much jitter: the estimate is within shares of it, and audio
/// does not wait.
fn narrow(rate: fn(f64) -> f64, jitter: f64, shares: std::ops::Range<f64>) {
    let media = Media { layers: vec![150_000, 500_000], ..Media::usual() };
    let (mut least, mut most, mut wait) = <(Figure, Figure, Figure)>::default();
    worlds(Line { delay: 30.0, jitter, ..Line::steady(rate) }, &media, 70, |world| {
        let carried = rate(0.0);
        let (low, high) = (least.add(world.least(10.0, 70.0)), most.add(world.most(10.0, 70.0)));
        assert!(low > carried * shares.start && high < carried * shares.end, "{low} to {high}");
        let waits = world.between(10.0, 70.0).map(|moment| moment.wait);
        let mean = wait.add(waits.sum::<f64>() / 600.0);
        assert!(mean < 60.0, "waits {mean} ms");
        let long = world.between(10.0, 70.0).filter(|moment| moment.wait > 200.0).count();
        assert!(long < 60, "waits long {long} times");
    });
    least.show(&format!("{} kb/s, jitter {jitter} ms: least b/s", rate(0.0) / 1e3));
    most.show("    most b/s");
    wait.show("    wait ms on average");
}

#[test]
fn a_line_for_a_voice_is_left_to_it() {
    narrow(|_| 60e3, 0.0, 0.6..1.6);
    narrow(|_| 60e3, 10.0, 0.6..1.6);
    narrow(|_| 100e3, 0.0, 0.8..1.2);
    narrow(|_| 100e3, 10.0, 0.5..1.3);
}

#[test]
fn a_line_for_a_voice_and_nearly_a_picture_is_known_for_what_it_is() {
    narrow(|_| 150e3, 0.0, 0.8..1.1);
    narrow(|_| 150e3, 10.0, 0.5..1.4);
}

#[test]
fn a_line_for_a_voice_and_a_small_picture_carries_both() {
    narrow(|_| 200e3, 0.0, 0.7..1.8);
    narrow(|_| 200e3, 10.0, 0.5..1.8);
}
