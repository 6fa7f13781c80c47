//! `moim ctl`: requests to a running server over its admin socket.

use std::{
    io::{self, Write},
    time::Duration,
};

use anyhow::Context;
use serde_json::Value;

use crate::{
    admin::client::{self, Response},
    config::{ApiRequest, CtlCommand, CtlOptions, Problems, ServerOptions},
};

/// Time for the server to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs a subcommand and prints the server's answer.
///
/// # Errors
/// No server runs, or it refuses.
pub(crate) fn run(options: CtlOptions) -> Result<(), Problems> {
    let (method, path) = match options.command {
        CtlCommand::Ready => ("GET", "/ready"),
        CtlCommand::Status => ("GET", "/status"),
        CtlCommand::Reload => ("POST", "/reload"),
        CtlCommand::Rooms(command) => return ask_api(options.server, command.into()),
        CtlCommand::Participants(command) => return ask_api(options.server, command.into()),
        CtlCommand::Keys(command) => return ask_api(options.server, command.into()),
        CtlCommand::Webhooks(command) => return ask_api(options.server, command.into()),
        CtlCommand::Admin(command) => return ask_api(options.server, command.into()),
    };
    let folders = client::folders(options.server.data);
    let response = client::request(&folders, method, path, &Value::Null, PATIENCE)?;
    print(&response)
}

fn ask_api(server: ServerOptions, request: ApiRequest) -> Result<(), Problems> {
    let ApiRequest { method, path, body } = request;
    let folders = client::folders(server.data);
    let path = format!("/api/v1{path}");
    print(&client::request(&folders, method, &path, &body, PATIENCE)?)
}

/// Prints a successful response as JSON.
///
/// # Errors
/// The problems that the server names.
pub(crate) fn print(response: &Response) -> Result<(), Problems> {
    if !response.is_success() {
        let mut problems = Problems::default();
        for problem in response.problems() {
            problems.add(problem);
        }
        if problems.iter().next().is_none() {
            problems.add(format!("The server answers {}", response.status));
        }
        return problems.into_result();
    }
    if response.body.is_null() {
        return Ok(());
    }
    let text = serde_json::to_string_pretty(&response.body).map_err(anyhow::Error::from)?;
    writeln!(io::stdout(), "{text}").context("Can't write to standard output")?;
    Ok(())
}
