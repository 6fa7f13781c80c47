//! `moim config`: checks, shows and writes configurations. Nothing on the system is changed.

use std::io::{self, Write};

use anyhow::Context;
use clap::ArgMatches;

use crate::{
    config::{
        self, CheckOptions, CheckedConfig, Config, ConfigCommand, Given, OidcConfig, Problems,
        StoreChoice,
    },
    http::Folder,
    logs,
    net::tls,
    oidc,
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
    if let Some(oidc) = &checked.config().oidc
        && let Err(failure) = check_provider(oidc)
    {
        // It may be back when the server starts.
        eprintln!("warning: nobody can sign in at --oidc-issuer: {failure}");
    }
    Ok(match checked.file() {
        Some(file) => format!("{} is valid.\n", file.display()),
        None => "There is no configuration file; the other options are valid.\n".to_owned(),
    })
}

/// Looks whether the OpenID provider is there and is one.
fn check_provider(oidc: &OidcConfig) -> Result<(), oidc::SignInFailure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| oidc::SignInFailure::Failed(error.into()))?;
    runtime.block_on(oidc::check(oidc))
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
