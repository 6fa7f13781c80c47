//! `moim doctor --by`: another server dials the asker back, and nobody else.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::{
    namespace::AWAIT_READY,
    peer::{Answer, ask, tcp},
    support::Server,
};

/// Two computers on the Internet: this server's, and that of a friend behind `$there`.
const SCRIPT: &str = r#"
    set -e
    moim=$1 data=$2
    # Its first line says that it is inside its own namespace.
    exec {inside}< <(exec unshare --net sh -c 'ip link set lo up && echo inside && exec sleep 600')
    far=$!
    trap 'kill $far $(jobs -p) 2>/dev/null' EXIT
    read -t 60 -u $inside _
    there="nsenter --target $far --net"
    ip link set lo up
    ip link add wan type veth peer name wan netns $far
    ip address add 93.184.216.34/24 dev wan && ip link set wan up
    $there ip address add 93.184.216.99/24 dev wan && $there ip link set wan up
    mkdir "$data/own" "$data/friend"
    "$moim" serve --listen 93.184.216.34:4000 --data "$data/own" >"$data/own.out" 2>&1 & own=$!
    $there "$moim" serve --listen 93.184.216.99:443 --data "$data/friend" --probe-others \
        >"$data/friend.out" 2>&1 & friend=$!
    await_ready "$data/own.out" $own
    await_ready "$data/friend.out" $friend
    set +e
    examine() {
        SSL_CERT_FILE="$data/friend/ca.pem" timeout 60 "$moim" doctor --json --data "$data/own" \
            --listen 93.184.216.34:4000 --by https://93.184.216.99 "$@" 2>"$data/err" \
            | tr -d '\n'
        echo " ${PIPESTATUS[0]} $(cat "$data/err")"
    }
"#;

/// The report, the exit code, and what was said to standard error, of each examination.
fn run(script: &str) -> Option<Vec<(Value, i32, String)>> {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: needs root");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut inside = Command::new("unshare");
    inside.args(["--net", "bash", "-c", &format!("{AWAIT_READY}{SCRIPT}{script}"), "bash"]);
    inside.arg(env!("CARGO_BIN_EXE_moim")).arg(folder.path());
    let output = inside.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let examined = text.lines().map(|line| {
        let mut values = serde_json::Deserializer::from_str(line).into_iter::<Value>();
        let report = values.next().and_then(Result::ok).filter(Value::is_object);
        let rest = if report.is_some() { &line[values.byte_offset()..] } else { line };
        let (code, said) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
        let code = code.parse().unwrap_or_else(|error| panic!("{error}: {output:?}"));
        (report.unwrap_or_default(), code, said.to_owned())
    });
    Some(examined.collect())
}

fn codes(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings.map(|finding| finding["code"].as_str().unwrap()).collect()
}

#[test]
fn friend_that_dials_back_finds_what_is_open_and_only_once_a_minute() {
    let Some(examined) = run("examine; examine") else { return };
    let [(open, _, _), (_, again, said)] = &examined[..] else { panic!("{examined:?}") };
    assert!(!codes(open).iter().any(|code| code.ends_with("-CLOSED-SERVER")), "{open:#}");
    let row = open["checks"].as_array().unwrap().iter().find(|row| row["check"] == "outside");
    let detail = row.unwrap()["detail"].as_str().unwrap();
    assert!(detail.ends_with("93.184.216.99"), "{detail}");
    assert!(*again == 2 && said.contains("429"), "{again} {said}");
}

#[test]
fn friend_without_an_answer_over_udp_blames_the_servers_firewall() {
    let closed = "iptables -I INPUT -i wan -p udp --dport 4000 -j DROP; examine";
    let Some(examined) = run(closed) else { return };
    let (report, code, _) = &examined[0];
    assert_eq!((report["verdict"].as_str(), *code), (Some("UDP-CLOSED-SERVER"), 1), "{report:#}");
    let both = "iptables -I INPUT -i wan -p tcp --dport 4000 -j DROP; examine";
    let (report, _, _) = &run(both).unwrap()[0];
    assert_eq!(codes(report)[0], "TCP-CLOSED-SERVER", "{report:#}");
    assert!(!codes(report).contains(&"UDP-CLOSED-SERVER"), "{report:#}");
}

fn question(server: &Server, more: &Value) -> Answer {
    let transaction = [0; 12];
    let mut body = json!({ "port": 22, "nonce": "a", "answer": "b", "transaction": transaction });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let headers = [("Content-Type", "application/json"), ("X-Forwarded-For", "93.184.216.34")];
    let mut stream = tcp(server.address());
    ask(&mut stream, "POST /api/doctor/dial-back", &headers, body.to_string().as_bytes()).unwrap()
}

#[test]
fn d11_foreign_addresses_are_refused_and_without_permission_all() {
    let server = Server::start(&["--trusted-proxy", "127.0.0.1", "--probe-others"]);
    for foreign in ["10.0.0.1", "127.0.0.1", "151.101.1.69", "::1"] {
        let refused = question(&server, &json!({ "address": foreign }));
        assert_eq!(refused.status, 403, "{foreign}: {}", refused.text());
    }
    let direct = Server::start(&["--probe-others"]);
    assert_eq!(question(&direct, &json!({})).status, 403, "loopback, whatever a header says");
    let closed = Server::start(&["--trusted-proxy", "127.0.0.1"]);
    assert_eq!(question(&closed, &json!({})).status, 404);
}
