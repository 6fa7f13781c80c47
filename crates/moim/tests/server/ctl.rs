//! The admin socket and `moim ctl`.

use std::{
    fs,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::Path,
    process::{Command, Output},
};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Server, moim};

/// Runs `moim ctl` against the server of a data folder.
pub(crate) fn ctl(data: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_moim"));
    command.args(["ctl", "--data"]).arg(data).args(args).output().unwrap()
}

/// The JSON that a successful request prints.
pub(crate) fn answer(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn error(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn ctl_asks_the_server_of_a_data_folder() {
    let mut server = Server::start(&[]);
    assert_eq!(answer(&ctl(server.data(), &["ready"]))["ready"], true);
    let status = answer(&ctl(server.data(), &["status"]));
    assert_eq!(status["addresses"][0], server.address().to_string());
    assert_eq!((&status["rooms"], &status["draining"]), (&0.into(), &false.into()));
    let socket = server.data().join("admin.sock");
    let about = fs::metadata(&socket).unwrap();
    assert!(about.file_type().is_socket());
    assert_eq!(about.permissions().mode() & 0o777, 0o600);
    server.terminate();
    assert_eq!(server.ended().code(), Some(0));
    assert!(!socket.exists());
    let told = error(&ctl(server.data(), &["ready"]));
    assert!(told.contains("No server runs") && told.contains("--data"), "{told}");
}

#[test]
fn ctl_reload_says_what_applies_and_what_is_wrong() {
    let server = Server::start(&[]);
    let file = server.data().join("moim.toml");
    fs::write(&file, "log = 'moim=debug'\nshards = 1\n").unwrap();
    let reloaded = answer(&ctl(server.data(), &["reload"]));
    assert_eq!(reloaded["applied"], serde_json::json!(["log"]));
    assert_eq!(reloaded["needs_restart"], serde_json::json!(["shards"]));
    fs::write(&file, "lisen = 'x'\n").unwrap();
    let told = error(&ctl(server.data(), &["reload"]));
    assert!(told.contains("line 1") && told.contains("did you mean listen?"), "{told}");
}

#[test]
fn second_server_with_the_same_data_folder_is_refused() {
    let server = Server::start(&[]);
    let second = moim(&["--listen", "127.0.0.1:0"], server.data(), &[]).output().unwrap();
    assert_eq!(second.status.code(), Some(2), "{second:?}");
    let told = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(told.contains("Another server runs") && told.contains("--data"), "{told}");
    assert_eq!(answer(&ctl(server.data(), &["ready"]))["ready"], true, "the first one stays");
}

#[test]
fn killed_servers_socket_is_replaced() {
    let mut first = Server::start(&[]);
    first.signal(Signal::KILL);
    first.ended();
    assert!(first.data().join("admin.sock").exists(), "it had no time to remove it");
    let second = Server::start_in(first.keep_data(), &[]);
    assert_eq!(answer(&ctl(second.data(), &["ready"]))["ready"], true);
}
