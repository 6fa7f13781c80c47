//! Why a call was bad, and how it was for each participant: for `moim calls` and the API.

use anyhow::Context;
use quality::{Language, Participant, Transport, judge};

use crate::store::{
    calls::{self, ListedCall, Participation},
    ids,
    sql::{Database, SqlResult},
};

/// Time shown before and after a moment, in seconds.
const AROUND: i64 = 120;
const DAY: i64 = 24 * 60 * 60;

/// Findings about a part of a call. Times are seconds since 1970.
#[derive(Debug)]
pub(crate) struct CallReport {
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// The earliest first.
    pub(crate) findings: Vec<ToldFinding>,
}

/// A finding in words. Times are seconds since 1970.
#[derive(Debug)]
pub(crate) struct ToldFinding {
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// Name of the participant.
    pub(crate) participant: String,
    pub(crate) sentence: String,
}

/// The samples of a participation in one row. Losses are thousandths of the packets.
#[derive(Debug)]
pub(crate) struct ParticipationSummary {
    pub(crate) samples: usize,
    pub(crate) transport: Option<Transport>,
    pub(crate) round_trip_ms: Option<u64>,
    pub(crate) loss_up: Option<u64>,
    pub(crate) loss_down: Option<u64>,
    pub(crate) kbps_up: Option<u64>,
    pub(crate) kbps_down: Option<u64>,
    /// Time in which a picture stood still.
    pub(crate) stalled_seconds: u32,
}

impl CallReport {
    /// Judges the whole call, or two minutes before and after a moment (seconds since 1970).
    ///
    /// # Errors
    /// The database can't be read.
    pub(crate) fn of(
        database: &mut dyn Database,
        call: &ListedCall,
        moment: Option<i64>,
        language: Language,
    ) -> SqlResult<Self> {
        let (began, ended) = bounds(call);
        let (from, to) = match moment {
            None => (began - 60, ended),
            Some(moment) => (moment.saturating_sub(AROUND), moment.saturating_add(AROUND)),
        };
        let offset = calls::local_offset(began)?;
        let participations = calls::participations(database, call.id, from, to)?;
        let participants: Vec<_> = participations
            .iter()
            .map(|of| Participant { name: &of.name, samples: &of.samples })
            .collect();
        let findings = judge(&participants, from, to).into_iter().filter_map(|finding| {
            let name = participants.get(finding.participant)?.name;
            Some(ToldFinding {
                from: finding.from,
                to: finding.to,
                participant: name.to_owned(),
                sentence: language.sentence(&finding, name, |at| clock(at + offset)),
            })
        });
        Ok(Self { from, to, findings: findings.collect() })
    }

    /// All sentences, or one that says that nothing was found.
    pub(crate) fn text(&self, language: Language) -> String {
        if self.findings.is_empty() {
            return language.nothing_found().to_owned();
        }
        let sentences = self.findings.iter().map(|finding| finding.sentence.as_str());
        sentences.collect::<Vec<_>>().join("\n")
    }
}

impl ParticipationSummary {
    /// Sums up samples: of what varies, the mean.
    pub(crate) fn of(participation: &Participation) -> Self {
        let samples = &participation.samples;
        let mean = |value: fn(&quality::Sample) -> Option<u32>| {
            let known: Vec<u64> = samples.iter().filter_map(value).map(u64::from).collect();
            let count = known.len() as u64;
            known.iter().sum::<u64>().checked_div(count)
        };
        let stalled = samples.iter().filter(|sample| sample.stalled > Some(0));
        Self {
            samples: samples.len(),
            transport: samples.iter().rev().find_map(|sample| sample.transport),
            round_trip_ms: mean(|sample| sample.round_trip_ms),
            loss_up: mean(|sample| sample.loss_up.map(u32::from)),
            loss_down: mean(|sample| sample.loss_down.map(u32::from)),
            kbps_up: mean(|sample| sample.kbps_up),
            kbps_down: mean(|sample| sample.kbps_down),
            stalled_seconds: stalled.map(|sample| u32::from(sample.seconds)).sum(),
        }
    }
}

/// The first moment of a call at a time of day (seconds since midnight) in this machine's zone, in
/// seconds since 1970.
///
/// # Errors
/// A sentence: the call did not go on then.
pub(crate) fn moment(call: &ListedCall, time_of_day: i64) -> anyhow::Result<i64> {
    let (began, ended) = bounds(call);
    let offset = calls::local_offset(began)?;
    let midnight = (began + offset).div_euclid(DAY) * DAY - offset;
    let days = (0..).map(|day| midnight + day * DAY + time_of_day);
    let found = days.take_while(|at| *at <= ended + AROUND).find(|at| *at >= began - AROUND);
    found.with_context(|| {
        format!(
            "The call went on from {} to {}: choose a time between them",
            clock(began + offset),
            clock(ended + offset)
        )
    })
}

/// A time (seconds since 1970, in local time) as people write it.
pub(crate) fn clock(local: i64) -> String {
    let second = local.rem_euclid(DAY);
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// Seconds since midnight of a text like `14:05`.
pub(crate) fn parse_clock(text: &str) -> Result<i64, String> {
    let wrong = || "give a time of day, as 14:05".to_owned();
    let (hours, minutes) = text.split_once(':').ok_or_else(wrong)?;
    match (hours.parse::<u8>(), minutes.parse::<u8>()) {
        (Ok(hours @ 0..24), Ok(minutes @ 0..60)) => {
            Ok(i64::from(hours) * 3600 + i64::from(minutes) * 60)
        }
        _ => Err(wrong()),
    }
}

/// Beginning and end of a call, in seconds since 1970. One that goes on ends now.
fn bounds(call: &ListedCall) -> (i64, i64) {
    let ended = call.ended.map_or_else(|| ids::now() / 1000, |ended| ended / 1000 + 1);
    (call.began / 1000, ended)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_of_day_is_found_in_the_call_alone() {
        assert_eq!(parse_clock("14:05"), Ok(14 * 3600 + 300));
        for wrong in ["24:00", "14:60", "14", "x:y", "-1:00"] {
            assert!(parse_clock(wrong).is_err(), "{wrong}");
        }
        let began = 1_800_000_000;
        let ended = Some((began + 3600) * 1000);
        let room = "tea".to_owned();
        let call = ListedCall { id: 1, room, began: began * 1000, ended, participants: 2 };
        let local = began + calls::local_offset(began).unwrap();
        let noon = (local + 1800).rem_euclid(DAY);
        assert_eq!(moment(&call, noon).unwrap(), began + 1800);
        let later = (local + 3 * 3600).rem_euclid(DAY);
        let told = moment(&call, later).unwrap_err().to_string();
        assert!(told.contains(&clock(local)), "{told}");
    }
}
