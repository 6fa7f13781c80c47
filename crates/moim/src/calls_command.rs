//! `moim calls`: lists the calls in the store, exports them, and tells why one was bad.

use std::{fmt::Write, io, path::PathBuf};

use anyhow::{Context, anyhow, bail};
use quality::Language;

use crate::{
    call_report::{self, CallReport, ParticipationSummary, clock},
    config::{
        CallsCommand, CallsFormat, CallsLanguage, CallsOptions, CheckedConfig, Given, ShowOptions,
        StoreChoice, StoreOptions,
    },
    data,
    store::{
        calls::{self, ListedCall, Participation},
        connect_to_read, ids, open_to_read,
        sql::{Database, SqlResult},
    },
};

/// Calls listed at most.
const MAX_LISTED: u32 = 10_000;

/// Runs the command, which writes to standard output.
///
/// # Errors
/// A sentence for the operator, with the remedy.
pub(crate) fn run(options: &CallsOptions) -> anyhow::Result<()> {
    let text = match &options.command {
        Some(CallsCommand::Show(show)) => {
            self::show(&mut *open(show.data.as_ref(), &show.stored)?, show)
        }
        None => list(&mut *open(options.data.as_ref(), &options.stored)?, options),
    }?;
    io::Write::write_fmt(&mut io::stdout(), format_args!("{text}\n"))
        .context("Can't write to standard output")
}

fn open(folder: Option<&PathBuf>, stored: &StoreOptions) -> anyhow::Result<Box<dyn Database>> {
    let folder = match folder {
        Some(folder) => folder.clone(),
        None => data::choose_folder()?.0,
    };
    let checked = CheckedConfig::new(Given::of_command(folder.clone(), stored.clone()))
        .map_err(|problems| anyhow!("{problems}"))?;
    if let StoreChoice::Postgres(server) = &checked.config().store {
        return Ok(Box::new(connect_to_read(server)?));
    }
    let database = open_to_read(&folder)?.with_context(|| {
        format!(
            "{} has no store: name the server's data folder with --data DIR, and start it without \
             --store none",
            folder.display()
        )
    })?;
    Ok(Box::new(database))
}

fn list(database: &mut dyn Database, options: &CallsOptions) -> anyhow::Result<String> {
    let since = ids::now() - options.since * 1000;
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
    let moment = options.at.map(|at| call_report::moment(&call, at)).transpose()?;
    let language = match options.lang {
        CallsLanguage::En => Language::English,
        CallsLanguage::Ko => Language::Korean,
    };
    Ok(CallReport::of(database, &call, moment, language)?.text(language))
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
    let summary = ParticipationSummary::of(of);
    vec![
        calls::shown_id(call.id).into(),
        call.room.clone().into(),
        seconds(call.began).into(),
        call.ended.map(seconds).into(),
        of.name.clone().into(),
        seconds(of.joined).into(),
        of.departed.map(seconds).into(),
        summary.samples.into(),
        summary.transport.map(quality::Transport::name).into(),
        summary.round_trip_ms.into(),
        summary.loss_up.into(),
        summary.loss_down.into(),
        summary.kbps_up.into(),
        summary.kbps_down.into(),
        summary.stalled_seconds.into(),
    ]
}

fn local(at: i64) -> SqlResult<i64> {
    Ok(at + calls::local_offset(at)?)
}

fn date(local: i64) -> String {
    let date = time::OffsetDateTime::from_unix_timestamp(local).map(time::OffsetDateTime::date);
    date.map_or_else(|_| "-".to_owned(), |date| date.to_string())
}
