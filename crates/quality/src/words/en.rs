//! English.

use super::percent::percent;
use crate::{
    Transport,
    finding::{Cause, Direction, Finding, Symptom},
};

const NUMBERS: [&str; 13] = [
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve",
];

pub(super) fn sentence(finding: &Finding, name: &str, from: &str, to: &str) -> String {
    let noticed = noticed(finding.symptom, name);
    let cause = cause(finding, name);
    let server = match (finding.cause, finding.facts.server_busy) {
        (Cause::Server, _) | (_, None) => String::new(),
        (_, Some(busy)) => format!("; the server was at {}", percent(busy)),
    };
    let transport = match (finding.cause, finding.facts.transport.and_then(transport)) {
        (Cause::Transport, _) | (_, None) => String::new(),
        (_, Some(transport)) => format!(" {name} was on {transport}."),
    };
    format!("{from} to {to}: {noticed}{cause}{server}.{transport}")
}

fn noticed(symptom: Symptom, name: &str) -> String {
    match symptom {
        Symptom::PictureStill { viewers, of: 1 } if viewers >= 1 => {
            format!("{name}'s picture stood still for the one who saw it. ")
        }
        Symptom::PictureStill { viewers, of } if viewers >= of => {
            format!("{name}'s picture stood still for all {} others. ", number(of))
        }
        Symptom::PictureStill { viewers, of } => {
            format!(
                "{name}'s picture stood still for {} of {} others. ",
                number(viewers),
                number(of)
            )
        }
        Symptom::SawStill { pictures: 1 } => format!("{name} saw a picture stand still. "),
        Symptom::SawStill { pictures } => {
            format!("{name} saw {} pictures stand still. ", number(pictures))
        }
        Symptom::NotSent { pictures: 1 } => format!("{name} was not sent a picture. "),
        Symptom::NotSent { pictures } => {
            format!("{name} was not sent {} pictures. ", number(pictures))
        }
        Symptom::SoundGaps => format!("{name} heard gaps. "),
        Symptom::Unnoticed => String::new(),
    }
}

fn cause(finding: &Finding, name: &str) -> String {
    let facts = &finding.facts;
    let share = |share: Option<u16>| share.map_or_else(|| "packets".to_owned(), percent);
    match finding.cause {
        Cause::Server => match facts.server_busy {
            Some(busy) => format!("The server was too busy ({})", percent(busy)),
            None => "The server was too busy".to_owned(),
        },
        Cause::Silence => format!("Nothing came from {name}"),
        Cause::UplinkLoss => format!("{name}'s upload lost {}", share(facts.loss)),
        Cause::UplinkBandwidth => format!("{name}'s upload was too narrow for the picture"),
        Cause::Overload => format!("{name}'s computer was too slow for the call"),
        Cause::Cpu => match finding.direction {
            Direction::Up => format!("{name}'s computer was too slow to encode the picture"),
            Direction::Down => format!("{name}'s computer was too slow"),
        },
        Cause::DownlinkLoss => format!("{name}'s download lost {}", share(facts.loss)),
        Cause::DownlinkBandwidth => match facts.estimate_kbps {
            Some(kbps) => format!("{name}'s download carried only {kbps} kbit/s"),
            None => format!("{name}'s download was too narrow"),
        },
        Cause::DownlinkJitter => match facts.jitter_ms {
            Some(ms) => format!("Packets reached {name} unevenly, by {ms} ms"),
            None => format!("Packets reached {name} unevenly"),
        },
        Cause::Transport => match facts.transport.and_then(transport) {
            Some(transport) => {
                format!("{name} was on {transport}, where a lost packet delays those behind it")
            }
            None => format!("{name}'s transport delays the packets behind a lost one"),
        },
        Cause::RoomRule => match facts.paused_limit {
            Some(pictures) => {
                format!(
                    "A limit of the room or page left out {} of {name}'s pictures",
                    number(pictures)
                )
            }
            None => format!("A limit of the room or page left out pictures of {name}"),
        },
        Cause::Unknown => format!("{name}'s samples show no cause"),
    }
}

fn transport(transport: Transport) -> Option<&'static str> {
    match transport {
        Transport::Udp => None,
        Transport::Tcp => Some("TCP"),
        Transport::RelayUdp | Transport::Relay => Some("a relay"),
        Transport::RelayTcp => Some("a relay over TCP"),
    }
}

fn number(number: u16) -> String {
    let word = NUMBERS.get(usize::from(number));
    word.map_or_else(|| number.to_string(), |word| (*word).to_owned())
}
