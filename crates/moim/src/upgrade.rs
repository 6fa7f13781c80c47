//! `moim upgrade`: has a running server execute the program on disk, without cutting calls.

use std::{
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    admin::client::{self, Response},
    config::{Problems, ServerOptions},
    ctl,
};

/// Time for the server to check the program, and again for the new process to answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Interval of questions to the new process.
const INTERVAL: Duration = Duration::from_millis(50);

/// Upgrades the server and prints the status of its next process.
///
/// # Errors
/// No server runs, it refuses, or its next process does not start.
pub(crate) fn run(options: ServerOptions) -> Result<(), Problems> {
    let folders = client::folders(options.data);
    let before = status(&folders)?;
    match client::request(&folders, "POST", "/upgrade", &Value::Null, PATIENCE) {
        Ok(refused) if !refused.is_success() => return ctl::print(&refused),
        // The process may change before its reply is out.
        Ok(_) | Err(_) => {}
    }
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        // Nobody answers while the processes change.
        if let Ok(now) = status(&folders)
            && now.is_success()
            && now.body.get("instance") != before.body.get("instance")
        {
            return ctl::print(&now);
        }
        thread::sleep(INTERVAL);
    }
    let mut problems = Problems::default();
    problems.add("The new process does not answer: look at the server's log");
    problems.into_result()
}

fn status(folders: &[PathBuf]) -> anyhow::Result<Response> {
    client::request(folders, "GET", "/status", &Value::Null, PATIENCE)
}
