//! `moim config`: checks, shows and writes configurations. Nothing on the system is changed.

use std::io::{self, Write};

use anyhow::Context;
use clap::ArgMatches;

use crate::{
    config::{
        self, CheckOptions, CheckedConfig, Config, ConfigCommand, Given, Problems, StoreChoice,
    },
    http::Folder,
    logs,
    net::tls,
};

/// Runs a subcommand, whose arguments clap parsed from `matches`.
///
/// # Errors
/// All mistakes of the configuration.
pub(crate) fn run(command: ConfigCommand, matches: &ArgMatches) -> Result<(), Problems> {
    let text = match command {
        ConfigCommand::Check(options) => {
            let CheckOptions { file, options } = *options;
            check(Given::new(options, matches).with_file(file))?
        }
        ConfigCommand::Show(options) => CheckedConfig::new(Given::new(*options, matches))?.table(),
        ConfigCommand::Example => config::example(),
    };
    io::stdout().write_all(text.as_bytes()).context("Can't write to standard output")?;
    Ok(())
}

fn check(given: Given) -> Result<String, Problems> {
    let checked = CheckedConfig::new(given)?;
    if let Err(problems) = check_files(checked.config()).into_result() {
        return Err(checked.locate(problems));
    }
    for warning in checked.warnings() {
        eprintln!("warning: {warning}");
    }
    Ok(match checked.file() {
        Some(file) => format!("{} is valid.\n", file.display()),
        None => "There is no configuration file; the other options are valid.\n".to_owned(),
    })
}

/// Checks the files that a configuration names, and its log filter.
fn check_files(config: &Config) -> Problems {
    let mut problems = Problems::default();
    problems.take(logs::check(&config.log));
    problems.take(config.folder.as_deref().map(Folder::open).transpose());
    problems.take(config.certificate.as_ref().map(tls::check).transpose());
    problems.take(config.acme.as_ref().map(tls::check_root).transpose());
    if let StoreChoice::Postgres(server) = &config.store {
        problems.take(server.check_root());
    }
    problems
}
