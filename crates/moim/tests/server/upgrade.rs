//! Warm restart: `moim upgrade`.

use std::{env, fs, path::Path, process::Command, sync::Arc, time::Duration};

use rustls::{ClientConnection, HandshakeKind, StreamOwned, pki_types::ServerName};
use tokio::time::{Instant, sleep};

use crate::{
    caller::{Caller, Seen, url},
    ctl::{answer, ctl},
    memory::{fill_logs, reading},
    peer::{Tls, ask, tcp},
    support::{DEADLINE, Server, within},
};

const CALLERS: u32 = 6;
/// Acceptance check P4: the longest time without audio.
pub(crate) const MAX_GAP: Duration = Duration::from_secs(2);
/// Restarts in a row, if the environment variable doesn't say otherwise.
const RESTARTS: usize = 3;
/// MiB of logs that a restart carries, unless `MOIM_TEST_RESTART_LOGS` says otherwise. Without
/// optimization JSON takes about thirty times as long, so this is to a debug build what the whole
/// budget of 256 MiB is to a release.
const LOGS: usize = 8;
/// Threads that resume the participants of full logs.
const THREADS: usize = 8;

pub(crate) fn upgrade(data: &Path) -> serde_json::Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_moim"));
    answer(&command.args(["upgrade", "--data"]).arg(data).output().unwrap())
}

pub(crate) async fn until(callers: &[Caller], what: &str, holds: impl Fn(&Seen) -> bool) {
    let end = Instant::now() + DEADLINE;
    while !callers.iter().all(|caller| holds(&caller.seen())) {
        let seen: Vec<_> = callers.iter().map(Caller::seen).collect();
        assert!(Instant::now() < end, "{what}: not in time: {seen:#?}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// All clients reconnect at once after a restart: their handshakes must be cheap.
#[test]
fn tls_sessions_resume_in_the_next_process() {
    let server = Server::start(&[]);
    for version in rustls::ALL_VERSIONS {
        let config = Arc::new(Tls::trusting(&server).version(version).config());
        let kind = || {
            let name = ServerName::try_from("localhost").unwrap();
            let connection = ClientConnection::new(Arc::clone(&config), name).unwrap();
            let mut stream = StreamOwned::new(connection, tcp(server.address()));
            // Tickets of TLS 1.3 come after the handshake.
            let head = ask(&mut stream, "GET /livez", &[], b"").unwrap();
            assert_eq!(head.status, 200);
            stream.conn.handshake_kind().unwrap()
        };
        assert_eq!(kind(), HandshakeKind::Full);
        assert_eq!(kind(), HandshakeKind::Resumed);
        upgrade(server.data());
        within(DEADLINE, "the next process", || {
            let status = ctl(server.data(), &["ready"]).status;
            status.success().then_some(())
        });
        assert_eq!(kind(), HandshakeKind::Resumed, "{version:?}");
    }
}

/// P4. `MOIM_TEST_RESTARTS=20` runs the whole check.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_six_in_a_call_notice_restarts_as_a_short_gap_only() {
    let restarts = env::var("MOIM_TEST_RESTARTS").ok().and_then(|number| number.parse().ok());
    let restarts: usize = restarts.unwrap_or(RESTARTS);
    let server = Server::start(&[]);
    let pid = answer(&ctl(server.data(), &["status"]))["pid"].clone();
    let at = url(server.address());
    let callers: Vec<_> =
        (0..CALLERS).map(|number| Caller::join(&at, "tea", number, number == 0)).collect();
    let all = usize::try_from(CALLERS).unwrap();
    until(&callers, "everybody hears everybody", |seen| seen.heard == all - 1).await;

    let mut expected = Vec::new();
    let mut longest = Duration::ZERO;
    for restart in 1..=restarts {
        // Sent at the last moment, and in the gap.
        callers[0].say(&format!("before {restart}"));
        expected.extend([format!("before {restart}"), format!("gap {restart}")]);
        let data = server.data().to_owned();
        let status = tokio::task::spawn_blocking(move || upgrade(&data)).await.unwrap();
        assert_eq!(status["pid"], pid, "the process stays");
        until(&callers, "everybody hears everybody again", |seen| {
            seen.sessions == restart + 1 && seen.heard == all - 1
        })
        .await;
        let gap = callers.iter().map(|caller| caller.seen().longest_gap).max().unwrap();
        longest = longest.max(gap);
    }
    until(&callers[1..], "all chat arrives", |seen| seen.chat.len() >= expected.len()).await;
    println!("{restarts} restarts, longest gap {longest:?}");
    for seen in callers.iter().map(Caller::seen) {
        assert_eq!((seen.left, seen.told), (0, restarts), "nobody is seen to leave");
        assert!(seen.longest_gap <= MAX_GAP, "audio was gone for {:?}", seen.longest_gap);
        let mut instances = seen.instances;
        instances.dedup();
        assert_eq!(instances.len(), restarts + 1, "each process has another name");
    }
    for caller in &callers[1..] {
        assert_eq!(caller.seen().chat, expected, "in order, once");
    }
    assert!(!server.data().join("handover").exists());
    let mut calls = Command::new(env!("CARGO_BIN_EXE_moim"));
    calls.args(["calls", "--since", "1h", "--format", "csv", "--data"]).arg(server.data());
    let calls = String::from_utf8(calls.output().unwrap().stdout).unwrap();
    assert_eq!(calls.lines().count(), 1 + all, "one call, each in it once: {calls}");
}

/// P4 with a memory budget that is full of logs: what has to be written and read lengthens the gap.
/// `MOIM_TEST_RESTART_LOGS=256` fills the default budget; it takes a release build to keep the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_restart_with_a_full_memory_budget_is_a_short_gap_too() {
    let logs = env::var("MOIM_TEST_RESTART_LOGS").ok().and_then(|number| number.parse().ok());
    let logs: usize = logs.unwrap_or(LOGS);
    // The rest is for the queues of those who come back.
    let bytes = (logs << 20) / 10 * 9;
    let flags = ["--max-queue-memory", &logs.to_string(), "--max-rooms-per-address", "1000"];
    let server = Server::start(&flags);
    let at = url(server.address());
    let (mut pairs, callers, held) = tokio::task::block_in_place(|| {
        let pairs = fill_logs(&server, bytes);
        let callers: Vec<_> =
            (0..CALLERS).map(|number| Caller::join(&at, "tea", number, number == 0)).collect();
        (pairs, callers, reading(&server, "moim_log_bytes"))
    });
    assert!(held >= bytes, "{held} of {bytes} bytes");
    let all = usize::try_from(CALLERS).unwrap();
    until(&callers, "everybody hears everybody", |seen| seen.heard == all - 1).await;

    let took = tokio::task::block_in_place(|| {
        let start = Instant::now();
        upgrade(server.data());
        let took = start.elapsed();
        let each = pairs.len().div_ceil(THREADS);
        std::thread::scope(|scope| {
            for part in pairs.chunks_mut(each) {
                scope.spawn(|| part.iter_mut().flatten().for_each(|member| member.resume(&server)));
            }
        });
        took
    });
    until(&callers, "everybody hears everybody again", |seen| {
        seen.sessions == 2 && seen.heard == all - 1
    })
    .await;
    let gap = callers.iter().map(|caller| caller.seen().longest_gap).max().unwrap();
    println!("{} MiB of logs: upgrade {took:?}, longest gap {gap:?}", held >> 20);
    assert!(callers.iter().all(|caller| caller.seen().left == 0), "nobody is seen to leave");
    let restored = tokio::task::block_in_place(|| reading(&server, "moim_log_bytes"));
    assert!(restored >= held, "{restored} of {held} bytes are there again");
    assert!(gap <= MAX_GAP, "audio was gone for {gap:?}");
}

#[test]
fn upgrade_is_refused_if_the_next_process_would_not_start() {
    let server = Server::start(&[]);
    fs::write(server.data().join("moim.toml"), "lisen = 'x'\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_moim"));
    let refused = command.args(["upgrade", "--data"]).arg(server.data()).output().unwrap();
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("line 1") && told.contains("did you mean listen?"), "{told}");
    assert_eq!(answer(&ctl(server.data(), &["ready"]))["ready"], true, "the old one goes on");
}

#[test]
fn restarts_leak_no_descriptors() {
    let server = Server::start(&[]);
    upgrade(server.data());
    let before = server.descriptors();
    for _ in 0..3 {
        upgrade(server.data());
    }
    // The socket of the last command closes after its reply.
    within(DEADLINE, "as many descriptors as before", || {
        (server.descriptors() <= before).then_some(())
    });
}
