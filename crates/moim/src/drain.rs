//! `moim drain`: has a running server end when its calls have ended.

use std::{path::PathBuf, thread, time::Duration};

use serde_json::{Value, json};

use crate::{
    admin::client,
    config::{DrainOptions, Problems},
    ctl,
};

/// Time for the server to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Interval of looks at the server.
const INTERVAL: Duration = Duration::from_millis(500);

/// Drains the server, and waits for its end.
///
/// # Errors
/// No server runs, or it refuses.
pub(crate) fn run(options: DrainOptions) -> Result<(), Problems> {
    let folders = client::folders(options.server.data);
    let body = json!({ "seconds": options.limit.map(|limit| limit.as_secs()) });
    let accepted = client::request(&folders, "POST", "/drain", &body, PATIENCE)?;
    if options.no_wait || !accepted.is_success() {
        return ctl::print(&accepted);
    }
    let instance = accepted.body.get("instance").cloned();
    let mut told = None;
    let mut left = left(&accepted.body);
    while let Some(now) = left {
        if told.as_ref() != Some(&now) {
            eprintln!("{now}");
            told = Some(now);
        }
        thread::sleep(INTERVAL);
        left = status(&folders, instance.as_ref()).and_then(|status| self::left(&status));
    }
    eprintln!("The server has ended");
    Ok(())
}

/// The status of the process; `None` once it has ended.
fn status(folders: &[PathBuf], instance: Option<&Value>) -> Option<Value> {
    let status = client::request(folders, "GET", "/status", &Value::Null, PATIENCE).ok()?;
    (status.body.get("instance") == instance).then_some(status.body)
}

fn left(status: &Value) -> Option<String> {
    let number = |name| status.get(name).and_then(Value::as_u64);
    Some(match number("participants") {
        Some(participants) => format!("Participants left: {participants}"),
        None => format!("Connections left: {}", number("connections")?),
    })
}
