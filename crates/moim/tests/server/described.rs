//! The API keeps to its description (R8): Schemathesis makes requests from it, valid ones and
//! others, and each response must be described.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::json;

use crate::{
    api::{Api, Page},
    python::python_with,
    support::Server,
};

/// Time for requests, in seconds. A key sends ten a second.
const SECONDS: &str = "25";
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_schema_conformance";

/// Begins requests to the operations of some tags, with a key of their own and more options.
fn begin(server: &Server, python: &Path, tags: &[&str], folder: &Path, more: &[&str]) -> Child {
    let key = Api::new(server, "admin");
    let mut command = Command::new(python);
    command.current_dir(folder).args(["-m", "schemathesis.cli", "run"]);
    command.arg(format!("http://{}/api/v1/openapi.json", server.address()));
    command.args(["--header", &format!("Authorization: {}", key.bearer())]);
    command.args(["--max-time", SECONDS, "--max-examples", "10", "--rate-limit", "10/s"]);
    command.args(["--generation-database", "none", "--no-color", "--no-shrink", "--seed", "17"]);
    command.args(more);
    for tag in tags {
        command.args(["--include-tag", tag]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn responses_are_as_the_description_says() {
    let Some(python) = python_with("schemathesis") else { return };
    let server = Server::start(&["--webhook-private"]);
    // Somebody is there to be acted on.
    let (_page, joined) = Page::join(&server, "tea", "Mina");
    let id = joined["self"]["id"].as_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let known = format!("[parameters]\n\"path.name\" = \"tea\"\n\"path.id\" = {}\n", json!(id));
    let room = folder.path().join("room");
    std::fs::create_dir(&room).unwrap();
    std::fs::write(room.join("schemathesis.toml"), known).unwrap();
    let runs = [
        (&["participants"][..], room.as_path()),
        (&["rooms", "calls", "server", "invitations"], folder.path()),
        (&["keys", "webhooks", "administrators"], folder.path()),
    ];
    let more = ["--checks", CHECKS, "--phases", "coverage,fuzzing"];
    let runs = runs.map(|(tags, folder)| (tags, begin(&server, &python, tags, folder, &more)));
    for (tags, run) in runs {
        let output = run.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{tags:?}: {text}{:?}", output.stderr);
        assert!(text.contains("generated"), "nothing was tested: {text}");
    }
}

/// Requests that follow the links of the description, from what one has made to the next: what exists
/// is found, and what was removed is not.
#[test]
fn what_was_made_is_found_until_it_is_removed() {
    let Some(python) = python_with("schemathesis") else { return };
    let server = Server::start(&["--webhook-private"]);
    let folder = tempfile::tempdir().unwrap();
    let checks = format!("{CHECKS},use_after_free,ensure_resource_availability");
    let more = ["--checks", &checks, "--phases", "stateful"];
    let tags = ["rooms", "invitations", "keys", "webhooks"];
    let run = begin(&server, &python, &tags, folder.path(), &more);
    let output = run.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{:?}", output.stderr);
    let followed = text.lines().find_map(|line| {
        let count = line.trim().strip_prefix("API Links:")?.split_whitespace().next()?;
        count.parse::<u32>().ok()
    });
    assert!(followed.is_some_and(|links| links > 0), "no link was followed: {text}");
}
