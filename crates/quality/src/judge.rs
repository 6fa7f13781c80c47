//! The rules: each participant's trouble at each time, and its cause.
//!
//! The order of causes: server busy, the sender's uplink, the sender's computer, the receiver's
//! downlink, its computer, the transport, a limit of the room. An overloaded computer comes before
//! all but loss from it, as it reads packets too late: its estimate of bandwidth, its jitter and the
//! packets that its sockets drop are no fault of its network. A receiver's trouble that a sender's
//! explains is not reported again.

use std::collections::BTreeSet;

use crate::{
    EncoderLimit, Sample, Transport,
    finding::{Cause, Direction, Facts, Finding, Symptom},
};

/// Busy share (thousandths) from which on packets wait in the server.
const SERVER_BUSY: u16 = 800;
/// Loss (thousandths) that explains a trouble.
const LOSS_EXPLAINS: u16 = 30;
/// Loss (thousandths) that is reported even if nobody has noticed it.
const LOSS_ALONE: u16 = 50;
/// Jitter that explains a trouble: more than a jitter buffer takes up at once.
const JITTER_EXPLAINS_MS: u32 = 60;
/// Concealed sound (thousandths) that people hear.
const CONCEALED: u16 = 50;
/// Troubles with no more than this between them are one.
const GAP_SECONDS: i64 = 15;

/// An overload for which nobody's picture or sound suffers is told from two samples in a row on: a
/// computer is busy for a moment when it joins, or opens another program.
const OVERLOAD_ALONE_SECONDS: i64 = 20;

/// A participant and its samples, in the order of time.
#[derive(Debug, Clone, Copy)]
pub struct Participant<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its samples.
    pub samples: &'a [Sample],
}

/// A trouble in one sample.
struct Trouble {
    direction: Direction,
    symptom: Symptom,
    cause: Cause,
    facts: Facts,
}

/// Finds the troubles of a call between two times (seconds since 1970), and their causes, the
/// earliest first.
#[must_use]
pub fn judge(participants: &[Participant<'_>], from: i64, to: i64) -> Vec<Finding> {
    let times: BTreeSet<i64> = participants
        .iter()
        .flat_map(|participant| participant.samples.iter().map(|sample| sample.at))
        .filter(|at| (from..to).contains(at))
        .collect();
    let mut findings: Vec<Finding> = Vec::new();
    for at in times {
        let at_this_time: Vec<Option<&Sample>> = participants
            .iter()
            .map(|participant| {
                let index = participant.samples.binary_search_by_key(&at, |sample| sample.at);
                index.ok().and_then(|index| participant.samples.get(index))
            })
            .collect();
        let senders = at_this_time.iter().flatten().filter(|sample| is_still(sample)).count();
        let senders_in_trouble = u16::try_from(senders).unwrap_or(u16::MAX);
        for (index, sample) in at_this_time.iter().enumerate() {
            let Some(sample) = sample else { continue };
            let of_others = senders_in_trouble - u16::from(is_still(sample));
            for trouble in [outgoing(sample), incoming(sample, of_others)].into_iter().flatten() {
                add(&mut findings, index, sample, &trouble);
            }
        }
    }
    findings.retain(|finding| {
        finding.cause != Cause::Overload
            || finding.symptom != Symptom::Unnoticed
            || finding.to - finding.from >= OVERLOAD_ALONE_SECONDS
    });
    findings.sort_by_key(|finding| {
        (finding.from, std::cmp::Reverse(finding.symptom.severity()), finding.participant)
    });
    findings
}

/// Continues a finding, or adds one.
fn add(findings: &mut Vec<Finding>, participant: usize, sample: &Sample, trouble: &Trouble) {
    let end = sample.at + i64::from(sample.seconds);
    let same = findings.iter_mut().rev().find(|finding| {
        finding.participant == participant
            && finding.cause == trouble.cause
            && finding.direction == trouble.direction
            && sample.at - finding.to <= GAP_SECONDS
    });
    match same {
        Some(finding) => {
            finding.to = end;
            finding.symptom = finding.symptom.worst(trouble.symptom);
            finding.facts = finding.facts.worst(trouble.facts);
        }
        None => findings.push(Finding {
            participant,
            from: sample.at,
            to: end,
            direction: trouble.direction,
            symptom: trouble.symptom,
            cause: trouble.cause,
            facts: trouble.facts,
        }),
    }
}

/// True if the participant's picture stood still for at least half of those who see it.
fn is_still(sample: &Sample) -> bool {
    let (viewers, of) = (sample.stalled_viewers.unwrap_or(0), sample.viewers.unwrap_or(0));
    viewers > 0 && viewers * 2 >= of
}

/// The trouble of what a participant sends.
fn outgoing(sample: &Sample) -> Option<Trouble> {
    let symptom = if is_still(sample) {
        let of = sample.viewers.unwrap_or(0);
        Symptom::PictureStill { viewers: sample.stalled_viewers.unwrap_or(0), of }
    } else {
        Symptom::Unnoticed
    };
    let is_noticed = symptom != Symptom::Unnoticed;
    let limit = sample.encoder_limit.unwrap_or(EncoderLimit::None);
    let loss_limit = if is_noticed { LOSS_EXPLAINS } else { LOSS_ALONE };
    let cause = if is_noticed && is_server_busy(sample) {
        Cause::Server
    } else if sample.interrupted {
        Cause::Silence
    } else if sample.loss_up >= Some(loss_limit) {
        Cause::UplinkLoss
    } else if limit == EncoderLimit::Overload {
        Cause::Overload
    } else if is_noticed && limit == EncoderLimit::Bandwidth {
        Cause::UplinkBandwidth
    } else if limit == EncoderLimit::Cpu {
        Cause::Cpu
    } else if !is_noticed {
        return None;
    } else if is_slow_transport(sample) {
        Cause::Transport
    } else {
        Cause::Unknown
    };
    let facts = Facts { loss: sample.loss_up, ..facts(sample) };
    Some(Trouble { direction: Direction::Up, symptom, cause, facts })
}

/// The trouble of what a participant receives, apart from pictures that stand still for most.
fn incoming(sample: &Sample, senders_in_trouble: u16) -> Option<Trouble> {
    let stalled = sample.stalled.unwrap_or(0).saturating_sub(senders_in_trouble);
    let not_sent = sample.paused_bandwidth.unwrap_or(0);
    let symptom = if stalled > 0 {
        Symptom::SawStill { pictures: stalled }
    } else if not_sent > 0 {
        Symptom::NotSent { pictures: not_sent }
    } else if sample.concealed >= Some(CONCEALED) && senders_in_trouble == 0 {
        Symptom::SoundGaps
    } else {
        Symptom::Unnoticed
    };
    let is_noticed = symptom != Symptom::Unnoticed;
    let loss_limit = if is_noticed { LOSS_EXPLAINS } else { LOSS_ALONE };
    let has_loss = sample.loss_down >= Some(loss_limit);
    let cause = if is_noticed && is_server_busy(sample) {
        Cause::Server
    } else if (is_noticed || has_loss) && sample.encoder_limit == Some(EncoderLimit::Overload) {
        Cause::Overload
    } else if has_loss {
        Cause::DownlinkLoss
    } else if !is_noticed {
        return None;
    } else if not_sent > 0 {
        Cause::DownlinkBandwidth
    } else if sample.jitter_ms >= Some(JITTER_EXPLAINS_MS) {
        Cause::DownlinkJitter
    } else if sample.encoder_limit == Some(EncoderLimit::Cpu) {
        Cause::Cpu
    } else if is_slow_transport(sample) {
        Cause::Transport
    } else if sample.paused_limit > Some(0) {
        Cause::RoomRule
    } else {
        Cause::Unknown
    };
    let facts = Facts { loss: sample.loss_down, ..facts(sample) };
    Some(Trouble { direction: Direction::Down, symptom, cause, facts })
}

fn is_server_busy(sample: &Sample) -> bool {
    sample.server_busy >= Some(SERVER_BUSY)
}

fn is_slow_transport(sample: &Sample) -> bool {
    sample.transport.is_some_and(|transport| transport != Transport::Udp)
}

fn facts(sample: &Sample) -> Facts {
    Facts {
        loss: None,
        estimate_kbps: sample.estimate_kbps,
        jitter_ms: sample.jitter_ms,
        server_busy: sample.server_busy,
        transport: sample.transport,
        paused_limit: sample.paused_limit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at: i64) -> Sample {
        Sample {
            at,
            seconds: 10,
            transport: Some(Transport::Udp),
            loss_up: Some(0),
            loss_down: Some(0),
            pictures: Some(2),
            viewers: Some(2),
            server_busy: Some(230),
            ..Sample::default()
        }
    }

    /// Three participants over a minute, changed by index and time.
    fn call(change: impl Fn(usize, &mut Sample)) -> Vec<Finding> {
        let samples: Vec<Vec<Sample>> = (0..3)
            .map(|index| {
                let times = (0..6).map(|slot| 1000 + slot * 10);
                let changed = times.map(|at| {
                    let mut sample = sample(at);
                    change(index, &mut sample);
                    sample
                });
                changed.collect()
            })
            .collect();
        let participants: Vec<_> = samples
            .iter()
            .zip(["Ann", "Ben", "Cy"])
            .map(|(samples, name)| Participant { name, samples })
            .collect();
        judge(&participants, 0, 10_000)
    }

    fn causes(findings: &[Finding]) -> Vec<(usize, Direction, Cause)> {
        let of = |finding: &Finding| (finding.participant, finding.direction, finding.cause);
        findings.iter().map(of).collect()
    }

    #[test]
    fn call_without_trouble_has_no_findings() {
        assert_eq!(call(|_, _| {}), []);
    }

    #[test]
    fn sender_explains_what_its_receivers_see() {
        let findings = call(|index, sample| {
            if (1010..1040).contains(&sample.at) {
                match index {
                    1 => (sample.stalled_viewers, sample.loss_up) = (Some(2), Some(110)),
                    _ => sample.stalled = Some(1),
                }
            }
        });
        assert_eq!(causes(&findings), [(1, Direction::Up, Cause::UplinkLoss)]);
        assert_eq!((findings[0].from, findings[0].to), (1010, 1040));
        assert_eq!(findings[0].symptom, Symptom::PictureStill { viewers: 2, of: 2 });
        assert_eq!(findings[0].facts.loss, Some(110));
    }

    #[test]
    fn receiver_that_alone_sees_pictures_stand_still_has_the_cause_itself() {
        let findings = call(|index, sample| match index {
            2 => (sample.stalled, sample.loss_down) = (Some(2), Some(70)),
            _ => sample.stalled_viewers = Some(0),
        });
        assert_eq!(causes(&findings), [(2, Direction::Down, Cause::DownlinkLoss)]);
    }

    #[test]
    fn rules_have_an_order() {
        let mut cases = vec![
            (Cause::Server, (|it| it.server_busy = Some(900)) as fn(&mut Sample)),
            (Cause::Silence, |it| it.interrupted = true),
            (Cause::UplinkLoss, |it| it.loss_up = Some(40)),
            (Cause::Overload, |it| it.encoder_limit = Some(EncoderLimit::Overload)),
            (Cause::UplinkBandwidth, |it| it.encoder_limit = Some(EncoderLimit::Bandwidth)),
            (Cause::Transport, |it| it.transport = Some(Transport::RelayTcp)),
            (Cause::Unknown, |_| {}),
        ];
        // Each case with all that come after it.
        while let Some((expected, _)) = cases.first().copied() {
            let findings = call(|index, sample| {
                if index == 1 {
                    sample.stalled_viewers = Some(2);
                    // The first counts where two change one number.
                    cases.iter().rev().for_each(|(_, change)| change(sample));
                }
            });
            assert_eq!(causes(&findings), [(1, Direction::Up, expected)]);
            cases.remove(0);
        }
    }

    #[test]
    fn slow_computer_is_named_although_nobody_complains() {
        let findings = call(|index, sample| {
            if index == 0 {
                sample.encoder_limit = Some(EncoderLimit::Cpu);
            }
        });
        assert_eq!(causes(&findings), [(0, Direction::Up, Cause::Cpu)]);
        assert_eq!(findings[0].symptom, Symptom::Unnoticed);
    }

    #[test]
    fn overloaded_computer_explains_a_low_estimate_jitter_and_packets_dropped_at_its_sockets() {
        let changes: [fn(&mut Sample); 4] = [
            |it| (it.paused_bandwidth, it.estimate_kbps) = (Some(2), Some(192)),
            |it| (it.stalled, it.jitter_ms) = (Some(1), Some(150)),
            |it| (it.stalled, it.loss_down) = (Some(1), Some(100)),
            |it| it.loss_down = Some(100),
        ];
        for change in changes {
            let causes_if = |overloaded: bool| {
                let findings = call(|index, sample| {
                    if index == 2 {
                        change(sample);
                        sample.encoder_limit = overloaded.then_some(EncoderLimit::Overload);
                    }
                });
                causes(&findings)
            };
            let overload = |direction| (2, direction, Cause::Overload);
            let mut named = causes_if(true);
            named.sort_by_key(|(_, direction, _)| *direction as u8);
            assert_eq!(named, [overload(Direction::Up), overload(Direction::Down)]);
            let network = [Cause::DownlinkBandwidth, Cause::DownlinkJitter, Cause::DownlinkLoss];
            // The same numbers of a computer that keeps up are its network's.
            let [(2, Direction::Down, cause)] = *causes_if(false) else { panic!() };
            assert!(network.contains(&cause));
        }
    }

    #[test]
    fn computer_that_is_busy_for_a_moment_is_named_only_if_somebody_notices() {
        let of = |samples: i64, stalled: u16| {
            let findings = call(|index, sample| {
                if index == 2 && sample.at < 1000 + samples * 10 {
                    sample.encoder_limit = Some(EncoderLimit::Overload);
                    sample.stalled = Some(stalled);
                }
            });
            causes(&findings)
        };
        let [up, down] = [Direction::Up, Direction::Down].map(|side| (2, side, Cause::Overload));
        assert_eq!((of(1, 0), of(1, 1), of(2, 0)), (vec![], vec![down], vec![up]));
    }

    #[test]
    fn computer_too_slow_to_encode_does_not_explain_a_narrow_downlink() {
        let findings = call(|index, sample| {
            if index == 0 {
                (sample.paused_bandwidth, sample.estimate_kbps) = (Some(2), Some(90));
                sample.encoder_limit = Some(EncoderLimit::Cpu);
            }
        });
        let of_the_network = (0, Direction::Down, Cause::DownlinkBandwidth);
        assert_eq!(causes(&findings), [of_the_network, (0, Direction::Up, Cause::Cpu)]);
    }

    #[test]
    fn loss_that_the_server_sees_from_an_overloaded_computer_is_its_uplinks() {
        let findings = call(|index, sample| {
            if index == 0 {
                (sample.loss_up, sample.encoder_limit) = (Some(80), Some(EncoderLimit::Overload));
            }
        });
        assert_eq!(causes(&findings), [(0, Direction::Up, Cause::UplinkLoss)]);
    }

    #[test]
    fn narrow_downlink_and_limits_of_the_room_are_told_apart() {
        let findings = call(|index, sample| match index {
            0 => (sample.paused_bandwidth, sample.estimate_kbps) = (Some(2), Some(90)),
            1 => (sample.stalled, sample.paused_limit) = (Some(1), Some(3)),
            _ => {}
        });
        assert_eq!(
            causes(&findings),
            [(1, Direction::Down, Cause::RoomRule), (0, Direction::Down, Cause::DownlinkBandwidth)]
        );
    }

    proptest::proptest! {
        #[test]
        fn any_samples_are_judged_without_panic(numbers in proptest::collection::vec(
            proptest::prelude::any::<(i64, u16, u16, u16, u16)>(), 0..30,
        )) {
            let mut samples: Vec<_> = numbers
                .iter()
                .map(|(at, a, b, c, d)| Sample {
                    at: at % 1_000_000,
                    seconds: *a,
                    viewers: Some(*b / 2),
                    stalled_viewers: Some(*c / 2),
                    stalled: Some(*d),
                    loss_up: Some(*a),
                    ..Sample::default()
                })
                .collect();
            samples.sort_by_key(|sample| sample.at);
            let of = |name| Participant { name, samples: &samples };
            let findings = judge(&[of("a"), of("b")], -1_000_000, 1_000_000);
            for finding in findings {
                proptest::prop_assert!(finding.participant < 2 && finding.from <= finding.to);
            }
        }
    }
}
