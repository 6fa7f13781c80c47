//! `moim doctor`: examines the server and its machine, and says what to do.
//!
//! Facts are gathered here, by a phone with `--phone`, by another server
//! with `--by`; `crates/doctor` judges them. Nothing is changed: sockets are bound only
//! to see that they are free, and closed at once.

mod by;
mod exit;
mod gather;
mod phone;
mod print;
mod server;

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use clap::ArgMatches;
use doctor::{
    Language, Report,
    server::{
        Examined, Facts, Outcome, PublicAddress, examine,
        outside::{self, Witness},
    },
};
use serde_json::Value;

use crate::config::{CheckedConfig, DoctorOptions, Given, Problems};
use exit::{MISCONFIGURED, code_of};
use server::Server;

/// Result of the examination of a server.
struct Examination {
    place: PublicAddress,
    rows: Vec<Examined>,
    report: Report,
}

/// Examines, prints, and returns the exit code: 0 if nothing is wrong or only advice is given, 1
/// if calls fail or are worse than they could be, 2 if the configuration can't work.
pub(crate) fn run(options: DoctorOptions, matches: &ArgMatches) -> ExitCode {
    let language = language(options.lang.as_deref());
    let given = Given::new(options.options, matches);
    let server = Server::find(given.data());
    let checked = CheckedConfig::new(given.or_in(server.folder()));
    if options.phone {
        return phone::run(checked.as_ref().ok(), &server, options.json, language);
    }
    let is_valid = checked.is_ok();
    let mut facts = gathered(checked, &server);
    if let Some(url) = options.by.as_ref().filter(|_| is_valid) {
        match by::ask(url, &server, &facts.place) {
            Ok(witness) => facts.outside = Ok(with(&server, witness)),
            Err(error) => {
                eprintln!("moim: {error:#}");
                return ExitCode::from(MISCONFIGURED);
            }
        }
    }
    let Examination { place, rows, report } = examination(facts);
    let mut out = io::stdout();
    let text = if options.json {
        format!("{:#}\n", print::json(&place, &rows, &report, language))
    } else {
        print::text(&place, &rows, &report, language, out.is_terminal())
    };
    // The exit code says enough if nobody reads.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    if is_valid { code_of(report.severity()) } else { ExitCode::from(MISCONFIGURED) }
}

/// The report about the server with these options, as `moim doctor --json` prints it.
pub(crate) fn report(given: Given, language: Language) -> Value {
    let server = Server::find(given.data());
    let checked = CheckedConfig::new(given.or_in(server.folder()));
    let Examination { place, rows, report } = examination(gathered(checked, &server));
    print::json(&place, &rows, &report, language)
}

fn gathered(checked: Result<CheckedConfig, Problems>, server: &Server) -> Facts {
    match checked {
        Ok(checked) => gather::facts(&checked, server),
        Err(problems) => gather::of_invalid(&problems, server),
    }
}

fn examination(facts: Facts) -> Examination {
    let rows = examine(&facts);
    let found = rows.iter().filter_map(|row| match &row.outcome {
        Outcome::Found(findings) => Some(findings.clone()),
        _ => None,
    });
    let report = Report::new(found.flatten().collect());
    Examination { place: facts.place, rows, report }
}

/// What visitors proved, and another server just now.
fn with(server: &Server, witness: Witness) -> outside::Facts {
    let visitors = server.vitals().map(|vitals| vitals.visitors).unwrap_or_default();
    outside::Facts { visitors, witnesses: vec![witness] }
}

/// The language asked for, otherwise that of the locale.
fn language(given: Option<&str>) -> Language {
    let variables = ["LC_ALL", "LC_MESSAGES", "LANG"];
    let locale =
        variables.iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    Language::of_locale(given.map(str::to_owned).or(locale).as_deref().unwrap_or_default())
}
