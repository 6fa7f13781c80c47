//! `moim doctor`.

use std::{
    fs,
    net::{TcpListener, UdpSocket},
    path::Path,
    process::{Command, Output, Stdio},
    thread,
};

use serde_json::Value;

use crate::{
    ctl::ctl,
    namespace::AWAIT_READY,
    support::{Server, moim},
};

/// `moim doctor` in an environment without configuration.
pub(crate) fn doctor(data: &Path, flags: &[&str]) -> Command {
    let serve = moim(&[], data, &[]);
    let mut command = Command::new(serve.get_program());
    for (name, value) in serve.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env("LC_ALL", "C.UTF-8").arg("doctor").arg("--data").arg(data).args(flags);
    command.stdin(Stdio::null());
    command
}

/// The report in JSON.
struct Report {
    json: Value,
    code: i32,
}

impl Report {
    fn of(output: &Output) -> Self {
        let json = serde_json::from_slice(&output.stdout);
        let json = json.unwrap_or_else(|error| panic!("{error}: {output:?}"));
        Self { json, code: output.status.code().unwrap() }
    }

    fn codes(&self) -> Vec<&str> {
        let findings = self.json["findings"].as_array().unwrap();
        findings.iter().map(|finding| finding["code"].as_str().unwrap()).collect()
    }

    fn finding(&self, code: &str) -> &Value {
        let findings = self.json["findings"].as_array().unwrap();
        let found = findings.iter().find(|finding| finding["code"] == code);
        found.unwrap_or_else(|| panic!("no {code} in {:#}", self.json))
    }

    fn outcome(&self, check: &str) -> &str {
        let checks = self.json["checks"].as_array().unwrap();
        checks.iter().find(|row| row["check"] == check).unwrap()["outcome"].as_str().unwrap()
    }
}

fn examine(data: &Path, flags: &[&str]) -> Report {
    let mut all = vec!["--json"];
    all.extend(flags);
    Report::of(&doctor(data, &all).output().unwrap())
}

/// Advice about the machine that runs the tests. Nothing is wrong with moim there.
const OF_THE_MACHINE: [&str; 2] = ["UDP-BUFFER-SMALL", "CLOCK-UNSYNCED"];

fn is_of_moim(code: &&str) -> bool {
    !OF_THE_MACHINE.contains(code)
}

/// The command of root as another user, with a copy of the program, which may be in a folder of
/// root.
fn as_nobody(command: &Command, folder: &Path) -> Command {
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65_534;
    let copy = folder.join("moim");
    // Not by this process: children of other tests would inherit the open file, and a program that
    // is open for writing can't start.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_moim")).arg(&copy).status();
    assert!(copied.unwrap().success());
    let mut other = Command::new(copy);
    other.args(command.get_args()).stdin(Stdio::null()).uid(NOBODY).gid(NOBODY);
    other
}

/// D10: false alarms are worse than silence.
#[test]
fn d10_clean_server_has_no_findings_in_twenty_runs() {
    let server = Server::start(&[]);
    for _ in 0..4 {
        thread::scope(|scope| {
            let running: Vec<_> =
                (0..5).map(|_| scope.spawn(|| examine(server.data(), &[]))).collect();
            for report in running.into_iter().map(|run| run.join().unwrap()) {
                let alarms: Vec<_> = report.codes().into_iter().filter(is_of_moim).collect();
                assert!(alarms.is_empty(), "{:#}", report.json);
                assert_eq!(report.code, 0);
                for check in ["port", "certificate", "data", "load", "relay", "config"] {
                    assert_eq!(report.outcome(check), "passed", "{check}: {:#}", report.json);
                }
            }
        });
    }
}

/// D1 on the server's side: its own firewall drops UDP.
#[test]
fn d1_own_firewall_that_drops_udp_is_named_with_the_command() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: needs root");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let in_namespace = |rules: &str| {
        let command = doctor(folder.path(), &["--json", "--listen", "127.0.0.1:4000"]);
        let mut inside = Command::new("unshare");
        let script = format!("ip link set lo up && {rules} && exec \"$@\"");
        inside.args(["--net", "sh", "-c", &script, "sh"]);
        inside.arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
        Report::of(&inside.output().unwrap())
    };
    let open = "iptables -A INPUT -p udp --dport 5000 -j DROP";
    let report = in_namespace(open);
    assert_eq!(report.outcome("firewall"), "passed", "{:#}", report.json);
    let closed = "iptables -P INPUT DROP && iptables -A INPUT -i lo -j ACCEPT && \
                  iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT && \
                  iptables -A INPUT -p tcp --dport 4000 -j ACCEPT";
    let report = in_namespace(closed);
    assert_eq!((report.codes()[0], report.code), ("FIREWALL-DROPS", 1), "{:#}", report.json);
    let finding = report.finding("FIREWALL-DROPS");
    assert_eq!(finding["facts"]["protocol"], "UDP");
    let remedy = finding["remedy"].as_str().unwrap();
    assert!(remedy.contains("iptables -I INPUT -p udp --dport 4000 -j ACCEPT"), "{remedy}");
    let allowed = format!("{closed} && iptables -I INPUT -p udp --dport 4000 -j ACCEPT");
    assert_eq!(in_namespace(&allowed).outcome("firewall"), "passed", "the command helps");
}

/// D1 on the server's side: two outside networks have TCP alone, until UDP is opened.
#[test]
fn d1_two_networks_without_udp_blame_the_servers_provider() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: needs root");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // In a namespace of its own, public addresses are nobody's but ours.
    let script = r#"
        ip link set lo up
        for a in 93.184.216.34 151.101.1.69 8.8.4.4; do ip addr add $a/32 dev lo; done
        iptables -A INPUT -p udp --dport 4000 -s 151.101.1.69 -j DROP
        iptables -A INPUT -p udp --dport 4000 -s 8.8.4.4 -j DROP
        "$1" serve --listen 93.184.216.34:4000 --data "$2" --turn-user t:p >"$2/out" 2>&1 &
        server=$!
        trap 'kill $server' EXIT
        await_ready "$2/out" $server
        allocate() {
            timeout 4 turnutils_uclient "$@" -u t -w p -n 1 -c -y -p 4000 93.184.216.34 >&2
        }
        examine() { timeout 60 "$1" doctor --json --data "$2" --listen 93.184.216.34:4000 | tr -d '\n'; echo; }
        allocate -t -L 151.101.1.69 & allocate -t -L 8.8.4.4 & wait %2 %3
        examine "$1" "$2"
        iptables -F INPUT
        allocate -L 8.8.4.4
        examine "$1" "$2"
    "#;
    let mut inside = Command::new("unshare");
    let script = format!("{AWAIT_READY}{script}");
    inside.args(["--net", "bash", "-c", &script, "bash", env!("CARGO_BIN_EXE_moim")]);
    let output = inside.arg(folder.path()).stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let reports: Vec<Value> =
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!(reports.len(), 2, "{output:?}");
    assert_eq!(reports[0]["verdict"], "UDP-CLOSED-SERVER", "{:#}", reports[0]);
    let sentence = reports[0]["findings"][0]["sentence"].as_str().unwrap();
    assert!(sentence.starts_with("UDP 4000 of 93.184.216.34 "), "{sentence}");
    let open = reports[1]["findings"].as_array().unwrap();
    assert!(open.iter().all(|finding| finding["code"] != "UDP-CLOSED-SERVER"), "{:#}", reports[1]);
}

#[test]
fn s13_relay_passes_after_a_reload_has_changed_the_secret() {
    let server = Server::start(&[]);
    let reload = |secret: &str| {
        fs::write(server.data().join("moim.toml"), format!("turn-secret = '{secret}'")).unwrap();
        let reloaded = ctl(server.data(), &["reload"]);
        assert!(reloaded.status.success(), "{reloaded:?}");
    };
    for secret in ["first", "second"] {
        reload(secret);
        let report = examine(server.data(), &[]);
        assert_eq!(report.outcome("relay"), "passed", "{:#}", report.json);
    }
}

#[test]
fn address_that_a_reload_announces_is_the_servers() {
    let server = Server::start(&[]);
    for address in ["93.184.216.34", "151.101.1.69"] {
        let file = format!("announce = ['{address}']\n");
        fs::write(server.data().join("moim.toml"), file).unwrap();
        assert!(ctl(server.data(), &["reload"]).status.success());
        let report = examine(server.data(), &[]);
        assert_eq!(report.json["address"], address, "{:#}", report.json);
    }
}

#[test]
fn age_of_the_last_backup_is_told_once_there_is_one() {
    let server = Server::start(&[]);
    let detail = || {
        let report = examine(server.data(), &[]);
        let rows = report.json["checks"].as_array().unwrap().iter();
        let row = rows.clone().find(|row| row["check"] == "data").unwrap().clone();
        row["detail"].as_str().unwrap().to_owned()
    };
    assert!(!detail().contains("backup"), "{}", detail());
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("moim.tar.gz");
    let mut backup = Command::new(env!("CARGO_BIN_EXE_moim"));
    let made = backup.args(["backup", "--data"]).arg(server.data()).arg(&file).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    assert!(detail().ends_with("moim backup −0 d"), "{}", detail());
}

#[test]
fn small_quota_of_the_relay_is_the_operators_choice() {
    let server = Server::start(&["--max-allocations-per-user", "1"]);
    let report = examine(server.data(), &[]);
    assert_eq!(report.outcome("relay"), "passed", "{:#}", report.json);
}

/// A name below `.invalid` never exists (RFC 6761 §6.4). Without a public address nobody says
/// that it should point here.
#[test]
fn name_without_an_address_is_no_fault_of_an_inner_server() {
    let server = Server::start(&["--host", "moim.invalid"]);
    let report = examine(server.data(), &["--host", "moim.invalid"]);
    assert!(!report.codes().contains(&"DNS-NONE"), "{:#}", report.json);
    let public = ["--host", "moim.invalid", "--announce", "93.184.216.34"];
    let report = examine(server.data(), &public);
    let unknown = report.outcome("dns") == "passed";
    // Without a network the resolver can't say that there is no such name.
    assert!(unknown || report.codes().contains(&"DNS-NONE"), "{:#}", report.json);
}

#[test]
fn doctor_prints_the_verdict_first_in_both_languages_without_colours() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let text = |language| {
        let flags = ["--listen", &address, "--lang", language];
        let output = doctor(folder.path(), &flags).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stdout).unwrap()
    };
    let english = text("en");
    let mut lines = english.lines();
    assert_eq!(lines.next().unwrap(), format!("moim doctor · {address}"));
    let verdict = lines.nth(1).unwrap();
    let expected = format!("TCP port {} is taken by ", listener.local_addr().unwrap().port());
    assert!(verdict.starts_with(&expected), "{english}");
    assert!(lines.next().unwrap().starts_with("  → Stop "), "{english}");
    assert!(!english.contains('\x1b') && !english.contains(['{', '}']), "{english}");
    assert!(text("ko").contains("번 포트를 이미"));
}

#[test]
fn occupied_port_is_named_with_its_holder_and_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    // Below the ephemeral ports, of which another test may get this one once it is free again.
    let socket = (21_000..22_000).find_map(|port| UdpSocket::bind(("127.0.0.1", port)).ok());
    let socket = socket.unwrap();
    let address = socket.local_addr().unwrap();
    let report = examine(folder.path(), &["--listen", &address.to_string()]);
    assert_eq!((report.codes()[0], report.code), ("PORT-TAKEN", 1));
    let finding = report.finding("PORT-TAKEN");
    assert_eq!(finding["facts"]["protocol"], "UDP");
    assert_eq!(finding["facts"]["port"], address.port().to_string());
    let holder = finding["facts"]["holder"].as_str().unwrap();
    assert!(holder.ends_with(&format!("(pid {})", std::process::id())), "{holder}");
    assert!(report.codes().contains(&"SERVER-STOPPED"));
    drop(socket);
    let report = examine(folder.path(), &["--listen", &address.to_string()]);
    let codes: Vec<_> = report.codes().into_iter().filter(is_of_moim).collect();
    assert_eq!((codes, report.code), (vec!["SERVER-STOPPED"], 0));
}

#[test]
fn address_of_no_interface_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let report = examine(folder.path(), &["--listen", "203.0.113.99:4000"]);
    assert_eq!(report.codes()[0], "ADDRESS-ABSENT");
    let remedy = report.finding("ADDRESS-ABSENT")["remedy"].as_str().unwrap().to_owned();
    assert!(remedy.contains("--listen 0.0.0.0:4000"), "{remedy}");
}

#[test]
fn invalid_configuration_is_the_verdict_and_exits_2() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("moim.toml"), "lisen = '127.0.0.1:1'\n").unwrap();
    let report = examine(folder.path(), &[]);
    assert_eq!((report.codes()[0], report.code), ("CONFIG-INVALID", 2));
    let sentence = report.finding("CONFIG-INVALID")["sentence"].as_str().unwrap().to_owned();
    assert!(sentence.contains("line 1") && sentence.contains("listen"), "{sentence}");
}

#[test]
fn secret_that_others_can_read_is_named_with_the_command() {
    use std::os::unix::fs::PermissionsExt;
    let server = Server::start(&[]);
    let secret = server.data().join("turn.secret");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    let report = examine(server.data(), &[]);
    let remedy = report.finding("DATA-OPEN")["remedy"].as_str().unwrap();
    assert!(remedy.contains(&format!("chmod 600 {}", secret.display())), "{remedy}");
}

#[test]
fn folder_that_the_user_cannot_write_to_is_named_with_the_command() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
    let mut command = doctor(&closed, &["--json", "--listen", "127.0.0.1:0"]);
    if rustix::process::geteuid().is_root() {
        command = as_nobody(&command, folder.path());
    }
    let report = Report::of(&command.output().unwrap());
    let finding = report.finding("DATA-UNWRITABLE");
    assert_eq!(finding["severity"], "broken");
    let remedy = finding["remedy"].as_str().unwrap();
    assert!(remedy.contains("sudo chown -R ") && remedy.contains(&*closed.to_string_lossy()));
    assert_eq!(report.code, 1);
}

#[test]
fn another_user_is_told_to_use_sudo_instead_of_a_wrong_diagnosis() {
    use std::os::unix::fs::PermissionsExt;
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: needs root");
        return;
    }
    let server = Server::start(&[]);
    // The folder may be entered, but its socket is the server's own.
    fs::set_permissions(server.data(), fs::Permissions::from_mode(0o711)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let address = server.address().to_string();
    let command = doctor(server.data(), &["--json", "--listen", &address]);
    let report = Report::of(&as_nobody(&command, folder.path()).output().unwrap());
    assert!(!report.codes().contains(&"SERVER-STOPPED"), "{:#}", report.json);
    assert!(!report.codes().iter().any(|code| code.starts_with("PORT-")), "{:#}", report.json);
    let checks = report.json["checks"].as_array().unwrap();
    let relay = checks.iter().find(|row| row["check"] == "relay").unwrap();
    assert_eq!(relay["reason"], "needs-root");
}
