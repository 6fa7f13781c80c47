//! `moim config`.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use crate::support::moim;

/// `moim config` with these arguments, in an environment without a home.
fn config(args: &[&str]) -> Command {
    let mut command = moim(&[], Path::new("/nowhere"), &[]);
    let environment: Vec<_> =
        command.get_envs().map(|(k, v)| (k.to_owned(), v.map(ToOwned::to_owned))).collect();
    let mut plain = Command::new(command.get_program());
    for (name, value) in environment {
        match value {
            Some(value) => plain.env(name, value),
            None => plain.env_remove(name),
        };
    }
    plain.arg("config").args(args).stdin(Stdio::null());
    command = plain;
    command
}

fn lines(output: &[u8]) -> Vec<String> {
    String::from_utf8(output.to_vec()).unwrap().lines().map(str::to_owned).collect()
}

fn succeeded(output: &Output) -> Vec<String> {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    lines(&output.stdout)
}

#[test]
fn check_reports_all_mistakes_with_lines_and_exits_2() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("moim.toml");
    fs::write(&path, "lisen = '127.0.0.1:1'\nlog = 4\n[limits]\nmax-rooms = 'x'\n").unwrap();
    let output = config(&["check", path.to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let told = lines(&output.stderr);
    assert_eq!(told.len(), 3, "{told:#?}");
    for (line, about) in [(1, "did you mean listen?"), (2, "string"), (4, "usize")] {
        let place = format!("moim: Correct line {line} of {}: ", path.display());
        let told = told.iter().find(|told| told.starts_with(&place));
        assert!(told.unwrap().contains(about), "{told:?}");
    }
}

#[test]
fn check_reports_all_values_that_make_no_sense_with_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("moim.toml");
    let text = "turn-realm = ''\nshards = 200\nlog = 'moim=loud'\nkey = 'k'\n[limits]\nmax-rooms = 0\nroom-capacity = 1\n";
    fs::write(&path, text).unwrap();
    let output = config(&["check", path.to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let told = lines(&output.stderr);
    let places = [
        (1, "--turn-realm"),
        (2, "--shards"),
        (4, "--cert"),
        (6, "--max-rooms"),
        (7, "--room-capacity"),
    ];
    assert_eq!(told.len(), places.len(), "{told:#?}");
    for (line, flag) in places {
        let told = told.iter().find(|told| told.contains(flag));
        assert!(told.unwrap().contains(&format!("Correct line {line} of ")), "{told:?}");
    }
    let text = "static = '/nowhere/site'\nlog = 'moim=loud'\ndomain = ['a.example']\nacme-root = '/nowhere/ca'\n";
    fs::write(&path, text).unwrap();
    let output = config(&["check", path.to_str().unwrap()]).output().unwrap();
    let told = lines(&output.stderr).join("\n");
    assert!(told.contains("line 1 of") && told.contains("/nowhere/site"), "{told}");
    assert!(told.contains("line 2 of") && told.contains("moim=loud"), "{told}");
    assert!(told.contains("line 4 of") && told.contains("Can't read /nowhere/ca"), "{told}");
}

#[test]
fn check_and_show_touch_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = held.local_addr().unwrap().to_string();
    for command in ["check", "show"] {
        let args = [command, "--data", data.to_str().unwrap(), "--listen", &listen];
        succeeded(&config(&args).output().unwrap());
        assert!(!data.exists(), "{command}");
    }
    fs::create_dir(&data).unwrap();
    fs::write(data.join("moim.toml"), "log = 'debug'\n").unwrap();
    let told = succeeded(&config(&["check", "--data", data.to_str().unwrap()]).output().unwrap());
    assert_eq!(told, [format!("{} is valid.", data.join("moim.toml").display())]);
    assert_eq!(fs::read_dir(&data).unwrap().count(), 1);
}

#[test]
fn show_prints_each_value_with_its_source_and_no_secret() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("moim.toml");
    fs::write(&path, "log = 'debug'\nturn-user = ['ann:hunter2']\n[limits]\nmax-rooms = 7\n")
        .unwrap();
    let args = ["show", "--data", data.path().to_str().unwrap(), "--listen", "127.0.0.1:9"];
    let output = config(&args)
        .env("MOIM_TURN_SECRET", "hunter3")
        .env("MOIM_TOPOLOGY", "sfu")
        .output()
        .unwrap();
    let told = succeeded(&output);
    let row = |key: &str| {
        let row = told.iter().find(|line| line.split_whitespace().next() == Some(key));
        row.unwrap().split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(row("listen"), "127.0.0.1:9 (flag)");
    assert_eq!(row("topology"), "sfu (environment MOIM_TOPOLOGY)");
    assert_eq!(row("turn-secret"), "… (environment MOIM_TURN_SECRET)");
    assert_eq!(row("turn-user"), format!("… (line 2 of {})", path.display()));
    assert_eq!(row("log"), format!("'debug' (line 1 of {})", path.display()));
    assert_eq!(row("limits.max-rooms"), format!("7 (line 4 of {})", path.display()));
    assert_eq!(row("limits.room-capacity"), "9 (default)");
    assert!(!told.iter().any(|line| line.contains("hunter")), "{told:#?}");
}

#[test]
fn example_is_accepted_by_check() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("moim.toml");
    let output = config(&["example"]).output().unwrap();
    assert!(succeeded(&output).len() > 50);
    fs::write(&path, &output.stdout).unwrap();
    succeeded(&config(&["check", path.to_str().unwrap()]).output().unwrap());
}
