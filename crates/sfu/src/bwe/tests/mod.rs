//! Small worlds: lines that change, lose and waver, under several seeds each.

mod falls;
mod line;
mod narrow;
mod odd;
mod rough;
mod world;

use self::{
    line::Line,
    world::{Media, World},
};

/// Runs one world for each seed.
fn worlds(line: Line, media: &Media, seconds: u64, mut check: impl FnMut(&World)) {
    for seed in 1..9 {
        let mut world = World::new(line, media.clone(), seed);
        world.run(seconds);
        check(&world);
    }
}

/// What was seen at the least and at the most, for the record: shown with `--nocapture`.
#[derive(Default)]
struct Figure(Option<(f64, f64)>);

impl Figure {
    fn add(&mut self, value: f64) -> f64 {
        let (least, most) = self.0.unwrap_or((value, value));
        self.0 = Some((least.min(value), most.max(value)));
        value
    }

    fn show(&self, what: &str) {
        let (least, most) = self.0.unwrap();
        println!("{what}: {least:.1} to {most:.1}");
    }
}
