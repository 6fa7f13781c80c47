//! `moim calls`: lists the calls in the store, exports them, and tells why one was bad.

use std::{
    fmt::Write,
    io,
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, bail};
use quality::{Language, Participant, judge};

use crate::{
    config::{CallsCommand, CallsFormat, CallsLanguage, CallsOptions, ShowOptions},
    data,
    store::{
        calls::{self, ListedCall, Participation},
        open_to_read,
        sql::{Database, SqlResult, Sqlite},
    },
};

/// Calls listed at most.
const MAX_LISTED: u32 = 10_000;
/// Time shown before and after `--at`, in seconds.
const AROUND: i64 = 120;
const DAY: i64 = 24 * 60 * 60;

/// Runs the command, which writes to standard output.
///
/// # Errors
/// A sentence for the operator, with the remedy.
pub(crate) fn run(options: &CallsOptions) -> anyhow::Result<()> {
    let text = match &options.command {
        Some(CallsCommand::Show(show)) => self::show(&mut open(show.data.as_ref())?, show),
        None => list(&mut open(options.data.as_ref())?, options),
    }?;
    io::Write::write_fmt(&mut io::stdout(), format_args!("{text}\n"))
        .context("Can't write to standard output")
}

fn open(folder: Option<&PathBuf>) -> anyhow::Result<Sqlite> {
    let folder = match folder {
        Some(folder) => folder.clone(),
        None => data::choose_folder()?.0,
    };
    open_to_read(&folder)?.with_context(|| {
        format!(
            "{} has no store: name the server's data folder with --data DIR, and start it without \
             --store none",
            folder.display()
        )
    })
}

fn list(database: &mut dyn Database, options: &CallsOptions) -> anyhow::Result<String> {
    let since = (now() - options.since) * 1000;
    let calls = calls::list(database, since, MAX_LISTED)?;
    match options.format {
        CallsFormat::Table => table(&calls),
        CallsFormat::Csv => export(database, &calls, Export::Csv),
        CallsFormat::Jsonl => export(database, &calls, Export::Jsonl),
    }
}

fn table(calls: &[ListedCall]) -> anyhow::Result<String> {
    if calls.is_empty() {
        return Ok("There was no call in this time.".to_owned());
    }
    let mut text = "ID            BEGAN             LASTED  PEOPLE  ROOM\n".to_owned();
    for call in calls {
        let began = local(call.began / 1000)?;
        let lasted = call.ended.map_or_else(
            || "-".to_owned(),
            |ended| format!("{} min", (ended - call.began + 59_999) / 60_000),
        );
        let (date, time) = (date(began), clock(began));
        writeln!(
            text,
            "{:<12}  {date} {:.5}  {lasted:>6}  {:>6}  {}",
            calls::shown_id(call.id),
            time,
            call.participants,
            call.room
        )?;
    }
    text.truncate(text.trim_end().len());
    Ok(text)
}

fn show(database: &mut dyn Database, options: &ShowOptions) -> anyhow::Result<String> {
    let id = calls::parse_id(&options.id);
    let call = id.map(|id| calls::find(database, id)).transpose()?.flatten();
    let Some(call) = call else {
        bail!("There is no call {}: `moim calls` lists the ids", options.id);
    };
    let began = call.began / 1000;
    let ended = call.ended.map_or_else(now, |ended| ended / 1000 + 1);
    let (from, to) = match options.at {
        None => (began - 60, ended),
        Some(at) => {
            let at = moment(began, ended, at)?;
            (at - AROUND, at + AROUND)
        }
    };
    let offset = calls::local_offset(began)?;
    let participations = calls::participations(database, call.id, from, to)?;
    let participants: Vec<_> = participations
        .iter()
        .map(|of| Participant { name: &of.name, samples: &of.samples })
        .collect();
    let language = match options.lang {
        CallsLanguage::En => Language::English,
        CallsLanguage::Ko => Language::Korean,
    };
    let findings = judge(&participants, from, to);
    if findings.is_empty() {
        return Ok(language.nothing_found().to_owned());
    }
    let sentences = findings.iter().filter_map(|finding| {
        let participant = participants.get(finding.participant)?;
        Some(language.sentence(finding, participant.name, |at| clock(at + offset)))
    });
    Ok(sentences.collect::<Vec<_>>().join("\n"))
}

/// The first moment of a call at this time of day.
fn moment(began: i64, ended: i64, at: i64) -> anyhow::Result<i64> {
    let offset = calls::local_offset(began)?;
    let midnight = (began + offset).div_euclid(DAY) * DAY - offset;
    let days = (0..).map(|day| midnight + day * DAY + at);
    let found = days.take_while(|at| *at <= ended + AROUND).find(|at| *at >= began - AROUND);
    found.with_context(|| {
        format!(
            "The call went on from {} to {}: choose a time between them",
            clock(began + offset),
            clock(ended + offset)
        )
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Export {
    Csv,
    Jsonl,
}

/// One line per participation.
fn export(
    database: &mut dyn Database,
    calls: &[ListedCall],
    format: Export,
) -> anyhow::Result<String> {
    const COLUMNS: [&str; 15] = [
        "call",
        "room",
        "began",
        "ended",
        "name",
        "joined",
        "departed",
        "samples",
        "transport",
        "round_trip_ms",
        "loss_up",
        "loss_down",
        "kbps_up",
        "kbps_down",
        "stalled_seconds",
    ];
    let mut lines = Vec::new();
    if format == Export::Csv {
        lines.push(COLUMNS.join(","));
    }
    for call in calls {
        for participation in calls::participations(database, call.id, 0, i64::MAX)? {
            let values = values(call, &participation);
            lines.push(match format {
                Export::Csv => values.iter().map(csv).collect::<Vec<_>>().join(","),
                Export::Jsonl => {
                    let fields = COLUMNS.iter().map(|name| (*name).to_owned()).zip(values);
                    serde_json::to_string(&fields.collect::<serde_json::Map<_, _>>())?
                }
            });
        }
    }
    Ok(lines.join("\n"))
}

/// Text, number or nothing.
fn csv(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => {
            // A spreadsheet would run a text that begins like a formula.
            let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
            let guard = if is_formula { "'" } else { "" };
            format!("\"{guard}{}\"", text.replace('"', "\"\""))
        }
        number => number.to_string(),
    }
}

fn values(call: &ListedCall, of: &Participation) -> Vec<serde_json::Value> {
    let seconds = |at: i64| at / 1000;
    let mean = |value: fn(&quality::Sample) -> Option<u32>| {
        let known: Vec<u64> = of.samples.iter().filter_map(value).map(u64::from).collect();
        let count = known.len() as u64;
        known.iter().sum::<u64>().checked_div(count)
    };
    let transport = of.samples.iter().rev().find_map(|sample| sample.transport);
    let stalled = of.samples.iter().filter(|sample| sample.stalled > Some(0));
    let stalled: u32 = stalled.map(|sample| u32::from(sample.seconds)).sum();
    vec![
        calls::shown_id(call.id).into(),
        call.room.clone().into(),
        seconds(call.began).into(),
        call.ended.map(seconds).into(),
        of.name.clone().into(),
        seconds(of.joined).into(),
        of.departed.map(seconds).into(),
        of.samples.len().into(),
        transport.map(quality::Transport::name).into(),
        mean(|sample| sample.round_trip_ms).into(),
        mean(|sample| sample.loss_up.map(u32::from)).into(),
        mean(|sample| sample.loss_down.map(u32::from)).into(),
        mean(|sample| sample.kbps_up).into(),
        mean(|sample| sample.kbps_down).into(),
        stalled.into(),
    ]
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}

fn local(at: i64) -> SqlResult<i64> {
    Ok(at + calls::local_offset(at)?)
}

fn clock(local: i64) -> String {
    let second = local.rem_euclid(DAY);
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

fn date(local: i64) -> String {
    let date = time::OffsetDateTime::from_unix_timestamp(local).map(time::OffsetDateTime::date);
    date.map_or_else(|_| "-".to_owned(), |date| date.to_string())
}
