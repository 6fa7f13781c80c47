//! `moim backup` and `moim restore` (P11).

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use crate::support::{Server, refuse, succeed};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn read(folder: &Path, name: &str) -> Vec<u8> {
    fs::read(folder.join(name)).unwrap()
}

fn names_in(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

const ROOMS: &str = r#"{"version":1,"rooms":[]}"#;

#[test]
fn backup_of_a_running_server_restores_the_same_ca_secret_and_rooms() {
    let scratch = tempfile::tempdir().unwrap();
    let server = Server::start(&[]);
    fs::write(server.data().join("rooms.json"), ROOMS).unwrap();
    let file = scratch.path().join("backup.tar.gz");
    succeed(&["backup", text(&file), "--data", text(server.data())]);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let names: Vec<_> = fs::read_dir(scratch.path()).unwrap().collect();
    assert_eq!(names.len(), 1, "only the backup is there: {names:?}");

    let other = scratch.path().join("other");
    succeed(&["restore", text(&file), "--data", text(&other)]);
    for name in ["ca.pem", "turn.secret", "rooms.json"] {
        assert_eq!(read(server.data(), name), read(&other, name), "{name}");
        let mode = fs::metadata(other.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn backup_through_pipes_lists_with_tar() {
    let server = Server::start(&[]);
    let piped = succeed(&["backup", "-", "--data", text(server.data())]);
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("piped");
    fs::write(&file, piped.stdout).unwrap();
    let listed = Command::new("tar").arg("tzf").arg(&file).output().unwrap();
    assert!(listed.status.success(), "{listed:?}");
    let names = String::from_utf8(listed.stdout).unwrap();
    assert!(names.starts_with("moim-backup.json\nca.pem\n"), "{names}");
}

#[test]
fn backup_without_keys_has_none_and_its_restore_leaves_those_present() {
    let scratch = tempfile::tempdir().unwrap();
    let server = Server::start(&[]);
    fs::write(server.data().join("rooms.json"), ROOMS).unwrap();
    let file = scratch.path().join("backup.tar.gz");
    succeed(&["backup", text(&file), "--without-keys", "--data", text(server.data())]);
    let other = scratch.path().join("other");
    succeed(&["restore", text(&file), "--data", text(&other)]);
    assert_eq!(names_in(&other), ["lock", "moim.db", "rooms.json"]);

    fs::write(other.join("ca.pem"), "present").unwrap();
    fs::write(other.join("rooms.json"), "present").unwrap();
    succeed(&["restore", text(&file), "--replace", "--data", text(&other)]);
    assert_eq!(read(&other, "ca.pem"), b"present");
    assert_eq!(read(&other, "rooms.json"), ROOMS.as_bytes());
}

#[test]
fn restore_refuses_a_folder_in_use_and_replaces_it_if_told() {
    let scratch = tempfile::tempdir().unwrap();
    let server = Server::start(&[]);
    let file = scratch.path().join("backup.tar.gz");
    succeed(&["backup", text(&file), "--data", text(server.data())]);
    let other = scratch.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("ca.pem"), "present").unwrap();
    fs::write(other.join("moim.toml"), "# present").unwrap();
    let told = refuse(&["restore", text(&file), "--data", text(&other)]);
    assert!(told.contains("is not empty") && told.contains("--replace"), "{told}");
    assert_eq!(read(&other, "ca.pem"), b"present");

    succeed(&["restore", text(&file), "--replace", "--data", text(&other)]);
    assert_eq!(read(&other, "ca.pem"), read(server.data(), "ca.pem"));
    assert!(!other.join("moim.toml").exists());
    let aside = fs::read_dir(&other).unwrap().map(|entry| entry.unwrap().path());
    let aside = aside.filter(|path| text(path).contains("replaced-")).collect::<Vec<_>>();
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert_eq!(read(&aside[0], "ca.pem"), b"present");
    assert_eq!(read(&aside[0], "moim.toml"), b"# present");
}

#[test]
fn restore_refuses_the_folder_of_a_running_server() {
    let scratch = tempfile::tempdir().unwrap();
    let server = Server::start(&[]);
    let file = scratch.path().join("backup.tar.gz");
    let written = succeed(&["backup", text(&file), "--data", text(server.data())]);
    let told = String::from_utf8(written.stderr).unwrap();
    assert!(told.ends_with(".tar.gz.\n") && !told.contains("left out"), "{told}");
    let ca = read(server.data(), "ca.pem");
    let told = refuse(&["restore", text(&file), "--replace", "--data", text(server.data())]);
    assert!(told.contains("stop it"), "{told}");
    assert_eq!(read(server.data(), "ca.pem"), ca);
}

#[test]
fn broken_and_newer_backups_change_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let server = Server::start(&[]);
    let file = scratch.path().join("backup.tar.gz");
    succeed(&["backup", text(&file), "--data", text(server.data())]);
    let whole = fs::read(&file).unwrap();
    let other = scratch.path().join("other");
    let refused = |bytes: &[u8], words: &str| {
        let broken = scratch.path().join("broken");
        fs::write(&broken, bytes).unwrap();
        let told = refuse(&["restore", text(&broken), "--data", text(&other)]);
        assert!(told.contains(words), "{told}");
        assert_eq!(names_in(&other), ["lock"]);
    };
    refused(&whole[..whole.len() / 2], "cut off");
    refused(&whole[..whole.len() - 4], "cut off");
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    refused(&flipped, "broken");
    refused(b"", "no backup of moim");
    refused(b"not a backup at all", "no backup of moim");

    fs::write(
        scratch.path().join("moim-backup.json"),
        r#"{"format":1,"moim":"99.0.0","created":"","keys":true}"#,
    )
    .unwrap();
    let tar = Command::new("tar")
        .args(["czf", "-", "-C", text(scratch.path()), "moim-backup.json"])
        .output()
        .unwrap();
    refused(&tar.stdout, "moim 99.0.0, which is newer than this");
}

#[test]
fn paths_out_of_the_data_folder_are_refused() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let manifest = r#"{"format":1,"moim":"0.0.1","created":"","keys":true}"#;
    fs::write(folder.join("moim-backup.json"), manifest).unwrap();
    fs::write(folder.join("evil"), "evil").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", folder.join("link")).unwrap();
    let other = folder.join("data");
    for (transform, name) in [("s,evil,../evil,", "evil"), ("s,evil,/evil,", "evil"), ("", "link")]
    {
        let tar = folder.join("tar.gz");
        let mut command = Command::new("tar");
        command.args(["czPf", text(&tar), "-C", text(folder), "--transform", transform]);
        let status = command.args(["moim-backup.json", name]).status().unwrap();
        assert!(status.success());
        let told = refuse(&["restore", text(&tar), "--data", text(&other)]);
        assert!(told.contains("is no plain file below the data folder"), "{told}");
        assert_eq!(names_in(&other), ["lock"]);
    }
    assert!(!Path::new("/evil").exists());
}

#[test]
fn backup_refuses_a_folder_of_no_server_and_a_file_inside_the_folder() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("backup.tar.gz");
    let told = refuse(&["backup", text(&file), "--data", text(scratch.path())]);
    assert!(told.contains("--data DIR"), "{told}");
    let server = Server::start(&[]);
    let inside = server.data().join("backup.tar.gz");
    let told = refuse(&["backup", text(&inside), "--data", text(server.data())]);
    assert!(told.contains("choose another place"), "{told}");
}

fn database(folder: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(folder.join("moim.db")).unwrap()
}

#[test]
fn database_in_use_is_copied_whole_and_a_newer_schema_is_refused() {
    let scratch = tempfile::tempdir().unwrap();
    let server = Server::start(&[]);
    // In the write-ahead log alone, as the server's own last writes are.
    let writer = database(server.data());
    writer.execute("INSERT INTO meta (name, value) VALUES ('here', 'yes')", []).unwrap();
    let file = scratch.path().join("backup.tar.gz");
    succeed(&["backup", text(&file), "--data", text(server.data())]);
    assert!(names_in(server.data()).iter().all(|name| !name.ends_with(".new")));

    let other = scratch.path().join("other");
    succeed(&["restore", text(&file), "--data", text(&other)]);
    assert!(names_in(&other).iter().all(|name| !name.contains("moim.db-")), "no journals");
    let value =
        database(&other).query_row("SELECT value FROM meta WHERE name = 'here'", [], |row| {
            row.get::<_, String>(0)
        });
    assert_eq!(value.unwrap(), "yes");

    writer.pragma_update(None, "user_version", 1_000_000).unwrap();
    succeed(&["backup", text(&file), "--data", text(server.data())]);
    let told = refuse(&["restore", text(&file), "--replace", "--data", text(&other)]);
    assert!(told.contains("1000000"), "{told}");
    let value =
        database(&other).query_row("SELECT value FROM meta WHERE name = 'here'", [], |row| {
            row.get::<_, String>(0)
        });
    assert_eq!(value.unwrap(), "yes");
}
