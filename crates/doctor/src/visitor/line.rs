//! Rules about the quality of the line.

use super::{Line, VisitorCode};
use crate::{Certainty, Finding};

/// Fewest messages that say something.
const MIN_SENT: u32 = 200;
/// Share of lost messages that is reported. Wi-Fi loses less than that.
const LOSS: f64 = 0.015;
/// Share of large messages that is lost where none passes but an odd one.
const LARGE_LOSS: f64 = 0.9;
/// Fewest large messages that say something.
const MIN_LARGE_SENT: u32 = 20;
/// Round-trip time (ms) from which on people talk over each other (ITU-T G.114: 150 ms one way,
/// of which encoding and playout take a half).
pub(super) const SLOW_MS: f64 = 250.0;

pub(super) fn judge(line: &Line) -> Vec<Finding> {
    let mut findings = Vec::new();
    if line.sent < MIN_SENT {
        return findings;
    }
    // One without the other would be a line on which nothing came back in time.
    let (up, down) = (loss(line.sent, line.arrived), loss(line.arrived, line.returned));
    for (code, loss) in [(VisitorCode::LineLossUp, up), (VisitorCode::LineLossDown, down)] {
        if loss >= LOSS {
            let percent = format!("{:.0}", (loss * 100.0).max(1.0));
            findings.push(Finding::new(code, Certainty::Certain).with("percent", percent));
        }
    }
    let small = loss(line.sent, line.returned);
    let large = loss(line.large_sent, line.large_returned);
    if line.large_sent >= MIN_LARGE_SENT && large >= LARGE_LOSS && small < LARGE_LOSS / 2.0 {
        findings.push(Finding::new(VisitorCode::LargePackets, Certainty::Certain));
    }
    if line.rtt_ms >= SLOW_MS {
        let milliseconds = line.rtt_ms.round();
        findings.push(
            Finding::new(VisitorCode::LineSlow, Certainty::Certain)
                .with("milliseconds", milliseconds),
        );
    }
    findings
}

/// Share of `all` that is missing from `rest`.
fn loss(all: u32, rest: u32) -> f64 {
    let missing = all.saturating_sub(rest);
    if all == 0 { 0.0 } else { f64::from(missing) / f64::from(all) }
}
