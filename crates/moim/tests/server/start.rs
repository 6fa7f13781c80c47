//! Start-up, and its errors.

use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt, path::Path, process::Output};

use crate::support::{Server, moim};

fn refused(listen: &[&str], data: &Path, flags: &[&str]) -> String {
    said(&moim(listen, data, flags).output().unwrap())
}

/// The error of a server that doesn't start: one sentence, and exit code 2.
fn said(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let lines: Vec<&str> = text.lines().collect();
    let [line] = lines[..] else { panic!("more than one line: {text}") };
    line.strip_prefix("moim: ").unwrap_or_else(|| panic!("{line}")).to_owned()
}

#[test]
fn port_in_use_fails_with_the_remedy() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap().to_string();
    let data = tempfile::tempdir().unwrap();
    let sentence = refused(&["--listen", &address], data.path(), &[]);
    let port = holder.local_addr().unwrap().port();
    assert!(sentence.contains(&format!("Port {port} of 127.0.0.1 is taken")), "{sentence}");
    assert!(sentence.contains("--listen"), "{sentence}");
}

#[test]
fn foreign_listen_address_fails_with_the_remedy() {
    let data = tempfile::tempdir().unwrap();
    let sentence = refused(&["--listen", "203.0.113.77:0"], data.path(), &[]);
    assert!(sentence.contains("203.0.113.77 is no address of this computer"), "{sentence}");
}

#[test]
fn unusable_data_folder_fails_with_the_remedy() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let sentence = refused(&["--listen", "127.0.0.1:0"], &file.path().join("data"), &[]);
    assert!(sentence.contains("Can't write to the data folder"), "{sentence}");
    assert!(sentence.contains("--data"), "{sentence}");
}

#[test]
fn missing_static_folder_fails_with_the_remedy() {
    let data = tempfile::tempdir().unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    for folder in [&data.path().join("nowhere"), file.path()] {
        let flags = ["--static", folder.to_str().unwrap()];
        let sentence = refused(&["--listen", "127.0.0.1:0"], data.path(), &flags);
        let told = format!("Can't read the folder {}: check --static", folder.display());
        assert!(sentence.starts_with(&told), "{sentence}");
    }
    let mut command = moim(&["--listen", "127.0.0.1:0"], data.path(), &[]);
    let sentence = said(&command.env("MOIM_STATIC", "/nowhere/site").output().unwrap());
    assert!(sentence.contains("/nowhere/site"), "{sentence}");
}

#[test]
fn invalid_values_name_their_flag() {
    let data = tempfile::tempdir().unwrap();
    for (flags, about) in [
        (&["--turn-secret", ""][..], "--turn-secret"),
        (&["--turn-secret", "a", "--turn-secret", ""], "--turn-secret"),
        (&["--turn-user", "ann"], "--turn-user"),
        (&["--turn-realm", ""], "--turn-realm"),
        (&["--turn-only", "--static", "/tmp"], "--static"),
        (&["--stun-alternate", "127.0.0.1:3479"], "--stun-alternate"),
        (&["--metrics-token", ""], "--metrics-token"),
        (&["--max-allocations", "0"], "--max-allocations"),
        (&["--max-allocations-per-user", "0"], "--max-allocations-per-user"),
        (&["--max-allocations-per-address", "0"], "--max-allocations-per-address"),
        (&["--max-bandwidth", "0"], "--max-bandwidth"),
        (&["--max-bandwidth-per-address", "0"], "--max-bandwidth-per-address"),
        (&["--max-bandwidth-per-user", "0"], "--max-bandwidth-per-user"),
        (&["--announce", "0.0.0.0"], "--announce 0.0.0.0"),
        (&["--announce", "192.0.2.1,192.0.2.2,192.0.2.3,192.0.2.4,192.0.2.5"], "--announce"),
        (&["--announce-only"], "--announce-only"),
        (&["--announce", "192.0.2.1:0"], "--announce 192.0.2.1:0"),
        (&["--cert", "/nowhere/cert.pem"], "--key"),
        (&["--key", "/nowhere/key.pem"], "--cert"),
        (&["--cert", "/nowhere/cert.pem", "--key", "/nowhere/key.pem"], "--cert"),
        (&["--max-connections", "0"], "--max-connections"),
        (&["--max-connections-per-address", "0"], "--max-connections-per-address"),
        (&["--max-rooms", "0"], "--max-rooms"),
        (&["--room-capacity", "1"], "--room-capacity"),
        (&["--max-file-size", "2001"], "--max-file-size"),
        (&["--max-message-bytes", "0"], "--max-message-bytes"),
        (&["--max-messages-per-second", "0"], "--max-messages-per-second"),
        (&["--ping-interval", "0"], "--ping-interval"),
        (&["--ping-timeout", "61"], "--ping-timeout"),
        (&["--handshake-timeout", "0"], "--handshake-timeout"),
        (&["--idle-timeout", "0"], "--idle-timeout"),
        (&["--config", "/nowhere/moim.toml"], "--config"),
        (&["--log", "moim=loud"], "--log"),
    ] {
        let sentence = refused(&["--listen", "127.0.0.1:0"], data.path(), flags);
        assert!(sentence.contains(about), "{flags:?}: {sentence}");
    }
}

#[test]
fn unknown_flags_and_values_exit_2_with_usage() {
    let data = tempfile::tempdir().unwrap();
    for flags in [
        &["--lisen", "127.0.0.1:0"][..],
        &["--also", "localhost"],
        &["--announce", "example.org"],
        &["--announce", "192.0.2.1:70000"],
        &["--turn-allow", "10.0.0.0/33"],
        &["--turn-ports", "80-90"],
        &["--stun-alternate", "192.0.2.1"],
        &["--topology", "ring"],
        &["--origin", "example.org"],
        &["--room-capacity", "many"],
    ] {
        let output = moim(&["--listen", "127.0.0.1:0"], data.path(), flags).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {text}");
        assert!(text.starts_with("error: ") && text.contains(flags[0]), "{flags:?}: {text}");
    }
}

#[test]
fn flag_overrides_environment_overrides_file() {
    let data = tempfile::tempdir().unwrap();
    fs::write(data.path().join("moim.toml"), "log = 'x=file'\n").unwrap();
    let start = |flags: &[&str], environment: Option<&str>| {
        let mut command = moim(&["--listen", "127.0.0.1:0"], data.path(), flags);
        environment.map(|value| command.env("MOIM_LOG", value));
        said(&command.output().unwrap())
    };
    assert!(start(&[], None).contains("x=file"));
    assert!(start(&[], Some("x=environment")).contains("x=environment"));
    assert!(start(&["--log", "x=flag"], Some("x=environment")).contains("x=flag"));
}

#[test]
fn config_file_error_names_its_line() {
    let data = tempfile::tempdir().unwrap();
    for (text, line, about) in [
        ("log = 'info'\nlisen = '0.0.0.0:1'\n", 2, "lisen"),
        ("[limits]\n\nmax-rooms = 'many'\n", 3, "expected"),
        ("listen = \n", 1, "moim.toml"),
        ("turn-allow = ['10.0.0.0/40']\n", 1, "address range"),
    ] {
        fs::write(data.path().join("moim.toml"), text).unwrap();
        let sentence = refused(&["--listen", "127.0.0.1:0"], data.path(), &[]);
        assert!(sentence.contains(&format!("line {line} of")), "{sentence}");
        assert!(sentence.contains(about), "{sentence}");
    }
    fs::write(data.path().join("moim.toml"), "data = '/elsewhere'\n").unwrap();
    let sentence = refused(&["--listen", "127.0.0.1:0"], data.path(), &[]);
    assert!(sentence.contains("--config"), "{sentence}");
}

#[test]
fn secrets_are_private_files_and_persist() {
    let server = Server::start(&[]);
    let read = |name: &str| fs::read_to_string(server.data().join(name)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let names: Vec<_> = fs::read_dir(server.data()).unwrap().map(|e| e.unwrap().path()).collect();
    // Two keys, a secret, the lock, the admin socket, and the database with its two files.
    assert_eq!(names.len(), 8, "{names:?}");
    for path in &names {
        assert_eq!(mode(path), 0o600, "{}", path.display());
    }
    let secret = read("turn.secret");
    assert_eq!(secret.len(), 44, "32 bytes in base64");
    let before = ["turn.secret", "ca.pem", "server.pem"].map(read);

    let exposed = server.data().join("ca.pem");
    fs::set_permissions(&exposed, fs::Permissions::from_mode(0o644)).unwrap();
    let data = server.keep_data();
    drop(server);
    let again = Server::start_in(data, &[]);
    let read = |name: &str| fs::read_to_string(again.data().join(name)).unwrap();
    assert_eq!(["turn.secret", "ca.pem", "server.pem"].map(read), before);
    assert_eq!(mode(&exposed), 0o600);
    let log = again.until_logged("file was readable by other users");
    assert!(!log.contains(secret.trim()));
}

#[test]
fn damaged_ca_fails_with_the_remedy_and_is_not_replaced() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("ca.pem");
    fs::write(&path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let sentence = refused(&["--listen", "127.0.0.1:0"], data.path(), &[]);
    assert!(sentence.contains("ca.pem is damaged"), "{sentence}");
    assert!(fs::read_to_string(&path).unwrap().contains("AAAA"));
}
