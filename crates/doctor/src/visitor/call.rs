//! Rules about a call that is going on, from what its own page measured in the last seconds.
//!
//! A browser counts what arrives from each participant and what each connection's other end has
//! lost. Where several participants are affected alike the visitor's own line is to blame, where
//! one of several is, that one's.

use super::{Call, CallTransport, Known, VisitorCode, line::SLOW_MS, transports};
use crate::{Certainty, Finding};

/// Fewest packets that say something about loss.
const MIN_PACKETS: u32 = 100;
/// Share of lost packets that retransmission no longer hides.
const LOSS: f64 = 0.03;
/// Jitter that explains a trouble (ms): more than a jitter buffer takes up at once.
const JITTER_MS: f64 = 60.0;
/// Share of sound made up for what did not arrive, that people hear.
const CONCEALED: f64 = 0.05;
/// Share of the time for which the encoder must have been limited.
const LIMITED: f64 = 0.5;
/// Uplink (kb/s) below which video is sent small. Above it the encoder's limit is no trouble.
const NARROW_KBPS: f64 = 800.0;
/// Share of the time between two frames that encoding one may take.
const ENCODE_SHARE: f64 = 0.8;
/// Share of the camera's frames of which fewer are a trouble.
const FRAMES_SENT: f64 = 0.67;
/// Share of received frames that are dropped instead of shown.
const DROPPED: f64 = 0.2;

pub(super) fn judge(call: &Call, known: &Known) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(transport(call, known));
    let sent = call.sent.iter().map(|sent| (sent.lost, sent.packets));
    findings.extend(loss(VisitorCode::LineLossUp, sent));
    let received = call.publishers.iter();
    let received = received.map(|from| (from.lost, from.packets.saturating_add(from.lost)));
    let down = loss(VisitorCode::LineLossDown, received);
    let is_uneven = call.jitter_ms >= JITTER_MS && (has_still(call) || call.concealed >= CONCEALED);
    if is_uneven {
        let finding = Finding::new(VisitorCode::LineJitter, Certainty::Likely);
        findings.push(finding.with("milliseconds", call.jitter_ms.round()));
    }
    let is_slow = call.dropped >= DROPPED && has_still(call);
    if is_slow {
        findings.push(Finding::new(VisitorCode::CpuShow, Certainty::Likely));
    }
    if down.is_none() && !is_uneven && !is_slow {
        findings.extend(stalls(call));
    }
    findings.extend(down);
    findings.extend(delay(call));
    findings.extend(encoder(call));
    findings
}

fn transport(call: &Call, known: &Known) -> Option<Finding> {
    match call.transport? {
        CallTransport::Udp => None,
        CallTransport::Tcp => Some(transports::udp_closed(known, Certainty::Likely)),
        CallTransport::Tls => {
            Some(transports::about_port(VisitorCode::TlsOnly, Certainty::Likely, known))
        }
    }
}

/// Loss that all have in common: lost packets of all.
fn loss(code: VisitorCode, of: impl Iterator<Item = (u32, u32)>) -> Option<Finding> {
    let shares = of.filter(|&(_, all)| all >= MIN_PACKETS);
    let shares: Vec<f64> = shares.map(|(lost, all)| f64::from(lost) / f64::from(all)).collect();
    let common = shares.iter().copied().reduce(f64::min).filter(|&share| share >= LOSS)?;
    // With one there is nobody to compare with: its own line may be the bad one.
    let certainty = if shares.len() > 1 { Certainty::Likely } else { Certainty::Possible };
    let percent = format!("{:.0}", (common * 100.0).min(100.0));
    Some(Finding::new(code, certainty).with("percent", percent))
}

fn has_still(call: &Call) -> bool {
    call.publishers.iter().any(|from| from.is_still)
}

/// Pictures that stand still where the visitor's own line is fine.
fn stalls(call: &Call) -> Option<Finding> {
    let pictures = call.publishers.iter().filter(|from| from.has_picture).count();
    let still = call.publishers.iter().filter(|from| from.has_picture && from.is_still).count();
    match still {
        0 => None,
        _ if still == pictures => Some(Finding::new(VisitorCode::VideoStalls, Certainty::Possible)),
        _ => Some(
            Finding::new(VisitorCode::SenderStalls, Certainty::Likely)
                .with("still", still)
                .with("pictures", pictures),
        ),
    }
}

/// The shortest delay: what the way to all has in common.
fn delay(call: &Call) -> Option<Finding> {
    let shortest = call.sent.iter().filter_map(|sent| sent.rtt_ms).reduce(f64::min)?;
    let finding = Finding::new(VisitorCode::CallDelay, Certainty::Certain);
    (shortest >= SLOW_MS).then(|| finding.with("milliseconds", shortest.round()))
}

fn encoder(call: &Call) -> Option<Finding> {
    let is_late = call.captured_rate > 0.0
        && call.encode_ms >= ENCODE_SHARE * 1000.0 / call.captured_rate
        && call.encoded_rate < FRAMES_SENT * call.captured_rate;
    if call.limited_cpu >= LIMITED || is_late {
        let finding = Finding::new(VisitorCode::Cpu, Certainty::Likely);
        return Some(finding.with("height", call.height));
    }
    let kbps = call.available_kbps.filter(|&kbps| kbps < NARROW_KBPS)?;
    let finding = Finding::new(VisitorCode::LineNarrowUp, Certainty::Likely);
    (call.limited_bandwidth >= LIMITED).then(|| finding.with("kbps", kbps.round()))
}
