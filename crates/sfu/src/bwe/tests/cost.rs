//! What it costs: run in release with `--ignored --nocapture`.

use crate::bwe::Bwe;
use std::time::{Duration, Instant};
use testnet::Clock;

#[test]
#[ignore = "a measure, not a test"]
#[allow(clippy::disallowed_methods, reason = "it is about time itself")]
fn a_packet_costs_little() {
    let mut clock = Clock::new();
    let mut bwe = Bwe::new(300_000, clock.now());
    let (mut sending, mut hearing) = (Duration::ZERO, Duration::ZERO);
    let rounds = 20_000_u32;
    for round in 0..rounds {
        let now = clock.now();
        let begun = Instant::now();
        for _ in 0..12 {
            bwe.sent(now, 1100);
        }
        sending += begun.elapsed();
        clock.advance(Duration::from_millis(50));
        let (newest, at) = (bwe.newest(), Duration::from_millis(u64::from(round) * 50));
        let begun = Instant::now();
        bwe.feedback(clock.now(), (newest - 11..=newest).map(|number| (number, Some(at))));
        hearing += begun.elapsed();
    }
    println!("sent: {:?}, feedback of 12: {:?}", sending / (12 * rounds), hearing / rounds);
    println!("{} bytes", size_of::<Bwe>());
}
