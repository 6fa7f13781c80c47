//! A visitor: what the page `/doctor`, or the page of a call, finds out in a browser.

mod call;
mod call_facts;
mod check;
mod computer;
mod devices;
mod facts;
mod line;
mod transports;

pub use crate::code::VisitorCode;
pub use call_facts::{Call, CallTransport, Publisher, Sent};
pub use check::title as check_title;
pub use computer::Encoder;
pub use devices::{Device, Devices};
pub use facts::{Attempt, Facts, Known, Line, Nat, Outside};

use crate::{Certainty, Finding, Report};

/// Difference of clocks from which on it is reported. Credentials last ten minutes.
const CLOCK_MS: f64 = 5.0 * 60_000.0;

/// Judges what the page found with what the server knows.
#[must_use]
pub fn judge(facts: &Facts, known: &Known) -> Report {
    let mut findings = Vec::new();
    findings.extend(transports::judge(facts, known));
    findings.extend(facts.line.iter().flat_map(line::judge));
    findings.extend(facts.call.iter().flat_map(|call| call::judge(call, known)));
    findings.extend(judge_signaling(facts));
    if facts.secure == Some(false) {
        findings.push(Finding::new(VisitorCode::NotSecure, Certainty::Certain));
    }
    if known.is_intercepted {
        let finding = Finding::new(VisitorCode::TlsOpened, Certainty::Likely);
        findings.push(finding.with("host", &known.host));
    }
    findings.extend(facts.encoder.iter().filter_map(computer::judge));
    findings.extend(facts.devices.iter().flat_map(devices::judge));
    if let Some(offset) = facts.clock_offset_ms.filter(|offset| offset.abs() > CLOCK_MS) {
        let minutes = (offset.abs() / 60_000.0).round();
        findings
            .push(Finding::new(VisitorCode::Clock, Certainty::Certain).with("minutes", minutes));
    }
    Report::new(findings)
}

fn judge_signaling(facts: &Facts) -> Option<Finding> {
    let code = match (facts.web_socket, facts.polling) {
        (Attempt::Failed, Attempt::Passed) => VisitorCode::WsEaten,
        (Attempt::Failed, Attempt::Failed) => VisitorCode::SignalingClosed,
        _ => return None,
    };
    Some(Finding::new(code, Certainty::Certain))
}
