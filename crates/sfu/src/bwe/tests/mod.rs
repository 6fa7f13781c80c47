//! Simulated links whose capacity changes, which lose packets and jitter, under several seeds each.

mod capacity;
mod link;
mod lossy;
mod narrow;
mod rare;
mod world;

use link::Link;
use world::{Media, World};

/// Runs one world for each seed.
fn worlds(link: Link, media: &Media, seconds: u64, mut check: impl FnMut(&World)) {
    for seed in 1..9 {
        let mut world = World::new(link, media.clone(), seed);
        world.run(seconds);
        check(&world);
    }
}

/// Minimum and maximum over all seeds, shown with `--nocapture`.
#[derive(Default)]
struct Figure(Option<(f64, f64)>);

impl Figure {
    fn add(&mut self, value: f64) -> f64 {
        let (min, max) = self.0.unwrap_or((value, value));
        self.0 = Some((min.min(value), max.max(value)));
        value
    }

    fn show(&self, label: &str) {
        let (min, max) = self.0.unwrap();
        println!("{label}: {min:.1} to {max:.1}");
    }
}
