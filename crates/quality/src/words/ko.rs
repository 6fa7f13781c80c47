//! Korean.

use super::percent::percent;
use crate::{
    Transport,
    finding::{Cause, Direction, Finding, Symptom},
};

pub(super) fn sentence(finding: &Finding, name: &str, from: &str, to: &str) -> String {
    let noticed = noticed(finding.symptom, name);
    let (and, end) = cause(finding, name);
    let why = match (finding.cause, finding.facts.server_busy) {
        (Cause::Server, _) | (_, None) => end,
        (_, Some(busy)) => format!("{and}, 서버 사용률은 {}였어요", percent(busy)),
    };
    let transport = match (finding.cause, finding.facts.transport.and_then(transport)) {
        (Cause::Transport, _) | (_, None) => String::new(),
        (_, Some(transport)) => format!(" {name} 님은 {transport} 연결돼 있었어요."),
    };
    format!("{from}~{to}: {noticed}{why}.{transport}")
}

fn noticed(symptom: Symptom, name: &str) -> String {
    match symptom {
        Symptom::PictureStill { viewers, of } if viewers >= of => match of {
            1 => format!("{name} 님의 화면이 보고 있던 한 명에게 멈춰 있었어요. "),
            _ => format!("{name} 님의 화면이 다른 {of}명 모두에게 멈춰 있었어요. "),
        },
        Symptom::PictureStill { viewers, of } => {
            format!("{name} 님의 화면이 {of}명 중 {viewers}명에게 멈춰 있었어요. ")
        }
        Symptom::SawStill { pictures } => {
            format!("{name} 님에게 화면 {pictures}개가 멈춰 보였어요. ")
        }
        Symptom::NotSent { pictures } => {
            format!("{name} 님에게 화면 {pictures}개를 보내지 못했어요. ")
        }
        Symptom::SoundGaps => format!("{name} 님에게 소리가 끊겨 들렸어요. "),
        Symptom::Unnoticed => String::new(),
    }
}

/// The cause in two forms: before another clause, and at the end.
fn cause(finding: &Finding, name: &str) -> (String, String) {
    let facts = &finding.facts;
    let two = |stem: String, and: &str, end: &str| (format!("{stem}{and}"), format!("{stem}{end}"));
    let loss = |way: &str| {
        let share = facts.loss.map_or_else(|| "일부".to_owned(), percent);
        two(format!("{name} 님{way} 패킷의 {share}가 손실됐"), "고", "어요")
    };
    match finding.cause {
        Cause::Server => {
            let busy = facts.server_busy.map(|busy| format!("({})", percent(busy)));
            two("서버가 너무 바빴".to_owned(), "고", "어요").append(busy)
        }
        Cause::Silence => two(format!("{name} 님에게서 아무것도 오지 않았"), "고", "어요"),
        Cause::UplinkLoss => loss("이 보낸"),
        Cause::UplinkBandwidth => {
            two(format!("{name} 님의 업로드 대역폭이 화면을 보내기에 부족했"), "고", "어요")
        }
        Cause::Overload => {
            two(format!("{name} 님의 컴퓨터가 통화를 감당하기에 느렸"), "고", "어요")
        }
        Cause::Cpu => match finding.direction {
            Direction::Up => {
                two(format!("{name} 님의 컴퓨터가 화면을 인코딩하기에 느렸"), "고", "어요")
            }
            Direction::Down => two(format!("{name} 님의 컴퓨터가 느렸"), "고", "어요"),
        },
        Cause::DownlinkLoss => loss("에게 보낸"),
        Cause::DownlinkBandwidth => {
            let kbps = facts.estimate_kbps.map(|kbps| format!("({kbps} kbit/s)"));
            two(format!("{name} 님의 다운로드 대역폭이 부족했"), "고", "어요").append(kbps)
        }
        Cause::DownlinkJitter => {
            two(format!("{name} 님에게 패킷이 고르지 않게 도착했"), "고", "어요")
        }
        Cause::Transport => match facts.transport.and_then(transport) {
            Some(transport) => two(
                format!("{name} 님이 {transport} 연결돼 있어 패킷 하나를 잃으면 뒤가 모두 늦어졌"),
                "고",
                "어요",
            ),
            None => two(format!("{name} 님의 연결 방식 때문에 패킷이 늦어졌"), "고", "어요"),
        },
        Cause::RoomRule => two(
            format!("방이나 페이지의 제한 때문에 {name} 님에게 일부 화면을 보내지 않았"),
            "고",
            "어요",
        ),
        Cause::Unknown => two(format!("{name} 님의 기록에서 원인을 찾지 못했"), "고", "어요"),
    }
}

/// Adds a remark in brackets to both forms.
trait Append {
    fn append(self, remark: Option<String>) -> Self;
}

impl Append for (String, String) {
    fn append(self, remark: Option<String>) -> Self {
        let Some(remark) = remark else { return self };
        (format!("{} {remark}", self.0), format!("{} {remark}", self.1))
    }
}

fn transport(transport: Transport) -> Option<&'static str> {
    match transport {
        Transport::Udp => None,
        Transport::Tcp => Some("TCP로"),
        Transport::RelayUdp | Transport::Relay => Some("중계 서버를 거쳐"),
        Transport::RelayTcp => Some("TCP 중계 서버를 거쳐"),
    }
}
