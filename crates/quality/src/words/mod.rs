//! Findings in sentences.

mod en;
mod ko;
mod percent;

use crate::finding::Finding;

/// A language of the sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Korean.
    Korean,
}

impl Language {
    /// A finding about a participant with this name, in one line. `clock` writes a time of day.
    #[must_use]
    pub fn sentence(self, finding: &Finding, name: &str, clock: impl Fn(i64) -> String) -> String {
        let (from, to) = (clock(finding.from), clock(finding.to));
        match self {
            Self::English => en::sentence(finding, name, &from, &to),
            Self::Korean => ko::sentence(finding, name, &from, &to),
        }
    }

    /// The line for a time without findings.
    #[must_use]
    pub fn nothing_found(self) -> &'static str {
        match self {
            Self::English => "Nothing was wrong that the samples could show.",
            Self::Korean => "기록에서는 문제를 찾지 못했어요.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{percent::percent, *};
    use crate::{
        Transport,
        finding::{Cause, Direction, Facts, Symptom},
    };

    fn clock(at: i64) -> String {
        format!("{:02}:{:02}:{:02}", at / 3600, at / 60 % 60, at % 60)
    }

    fn finding() -> Finding {
        Finding {
            participant: 0,
            from: 14 * 3600 + 4 * 60 + 40,
            to: 14 * 3600 + 6 * 60 + 10,
            direction: Direction::Up,
            symptom: Symptom::PictureStill { viewers: 7, of: 7 },
            cause: Cause::UplinkLoss,
            facts: Facts {
                loss: Some(110),
                server_busy: Some(230),
                transport: Some(Transport::Tcp),
                ..Facts::default()
            },
        }
    }

    #[test]
    fn sentence_tells_when_what_and_why() {
        assert_eq!(
            Language::English.sentence(&finding(), "Ben", clock),
            "14:04:40 to 14:06:10: Ben's picture stood still for all seven others. Ben's upload \
             lost 11 %; the server was at 23 %. Ben was on TCP."
        );
        assert_eq!(
            Language::Korean.sentence(&finding(), "Ben", clock),
            "14:04:40~14:06:10: Ben 님의 화면이 다른 7명 모두에게 멈춰 있었어요. Ben 님이 보낸 \
             패킷의 11 %가 손실됐고, 서버 사용률은 23 %였어요. Ben 님은 TCP로 연결돼 있었어요."
        );
    }

    #[test]
    fn trouble_that_nobody_noticed_is_told_by_its_cause_alone() {
        let unnoticed = Finding { symptom: Symptom::Unnoticed, cause: Cause::Cpu, ..finding() };
        let sentence = Language::English.sentence(&unnoticed, "Cy", clock);
        assert!(sentence.starts_with("14:04:40 to 14:06:10: Cy's computer was too slow"));
    }

    #[test]
    fn every_cause_has_a_sentence_with_the_name_or_the_server() {
        for cause in [
            Cause::Server,
            Cause::Silence,
            Cause::UplinkLoss,
            Cause::Overload,
            Cause::UplinkBandwidth,
            Cause::Cpu,
            Cause::DownlinkLoss,
            Cause::DownlinkBandwidth,
            Cause::DownlinkJitter,
            Cause::Transport,
            Cause::RoomRule,
            Cause::Unknown,
        ] {
            for symptom in [
                Symptom::PictureStill { viewers: 1, of: 1 },
                Symptom::SawStill { pictures: 1 },
                Symptom::NotSent { pictures: 20 },
                Symptom::SoundGaps,
                Symptom::Unnoticed,
            ] {
                let finding = Finding { cause, symptom, facts: Facts::default(), ..finding() };
                for language in [Language::English, Language::Korean] {
                    let sentence = language.sentence(&finding, "Dee", clock);
                    let subjects = ["Dee", "server", "서버", "limit"];
                    assert!(subjects.iter().any(|it| sentence.contains(it)), "{sentence}");
                    assert!(sentence.ends_with('.') && !sentence.contains("  "), "{sentence}");
                }
            }
        }
    }

    #[test]
    fn small_shares_have_a_decimal() {
        assert_eq!([5, 34, 50, 114, 115].map(percent), ["0.5 %", "3.4 %", "5 %", "11 %", "12 %"]);
    }
}
