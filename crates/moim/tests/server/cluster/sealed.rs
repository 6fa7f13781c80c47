//! Readers of Redis learn nothing, and writers to it can do little.

use std::{
    fs,
    io::Read,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use serde_json::json;

use super::{
    figures::Figures,
    key, nodes, pair,
    redis::RedisProcess,
    status_number,
    witness::{Witness, check},
};
use crate::{
    api::Page,
    peer::{Tls, tcp},
    support::{DEADLINE, Server, within},
};

/// Texts that must not be found in Redis.
const NAME: &str = "Wilhelmina of the tests";
const ROOM: &str = "a room of conspirators";
const TEXT: &str = "the words of a secret chat";
const PASSWORD: &str = "open sesame to the tests";
const DEVICE: &str = "device-secret-of-the-conspirators";

/// `redis-cli MONITOR`, which prints each command.
struct Monitor(Child);

impl Monitor {
    fn start(redis: &RedisProcess) -> Self {
        let port = redis.port.to_string();
        let mut command = Command::new("redis-cli");
        command.args(["-p", &port, "MONITOR"]).stdin(Stdio::null()).stdout(Stdio::piped());
        let child = command.spawn().unwrap();
        within(DEADLINE, "it listens", || {
            redis.command(&["CLIENT", "LIST"]).contains("cmd=monitor").then_some(())
        });
        Self(child)
    }

    fn end(mut self) -> Vec<u8> {
        self.0.kill().unwrap();
        let mut printed = Vec::new();
        self.0.stdout.take().unwrap().read_to_end(&mut printed).unwrap();
        self.0.wait().unwrap();
        printed
    }
}

/// The places of `secret` in what Redis has.
fn places(bytes: &[u8], secret: &str) -> usize {
    bytes.windows(secret.len()).filter(|window| *window == secret.as_bytes()).count()
}

#[test]
fn redis_sees_no_name_text_password_or_address() {
    let Some(redis) = RedisProcess::start(&["--dbfilename", "dump.rdb"]) else { return };
    let monitor = Monitor::start(&redis);
    let (_folder, key) = key("k");
    let url = redis.url();
    // An address that only cards have; Redis sees connections from another one.
    let server = Server::start_on(
        [127, 0, 0, 9].into(),
        &["--cluster", &url, "--cluster-key", &key, "--cluster-address", "127.0.0.9:4999"],
    );
    within(DEADLINE, "it is in its cluster", || super::is_leased(&server).then_some(()));
    let more = json!({ "device": DEVICE });
    let (mut mina, joined) = Page::enter(&server, ROOM, NAME, &more);
    assert!(joined["ok"].is_object(), "{joined}");
    let token = joined["ok"]["resume"].as_str().unwrap().to_owned();
    let said = mina.request("chat", &json!({ "text": TEXT }));
    assert!(said["ok"].is_object(), "{said}");
    let settings = mina.request("room:settings", &json!({ "password": PASSWORD }));
    assert!(settings["ok"].is_object(), "{settings}");
    let folder = redis.command(&["CONFIG", "GET", "dir"]).lines().nth(1).unwrap().to_owned();
    redis.command(&["SAVE"]);
    let dump = fs::read(format!("{folder}/dump.rdb")).unwrap();
    let commands = monitor.end();
    let (printed, kept) = (commands.len(), dump.len());
    let mut figures = Figures::of("sealed");
    figures.at_least("bytes of MONITOR", printed, 1000);
    figures.at_least("bytes of the dump", kept, 500);
    // The log is there, so the rest would be, too.
    figures.at_least("appends in MONITOR", places(&commands, "XADD"), 3);
    let instance = joined["ok"]["self"]["id"].as_str().unwrap();
    for secret in [NAME, ROOM, TEXT, PASSWORD, DEVICE, &token, instance, "127.0.0.9"] {
        for (place, bytes) in [("MONITOR", &commands), ("the dump", &dump)] {
            figures.exactly(&format!("places of {secret:?} in {place}"), places(bytes, secret), 0);
        }
    }
    figures.end();
}

#[test]
fn stranger_without_the_key_gets_no_connection_of_nodes() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let [owner, other] = pair(&redis, &key);
    let mut mina = Witness::join(&owner, "Mina");
    let mut ben = Witness::join(&other, "Ben");
    let mut figures = Figures::of("rogue");
    // In TLS 1.3 the server's verdict on the client comes after the client's handshake.
    let trusting = Tls::trusting(&owner).alpn(b"moim-node/1");
    let admitted = [&owner, &other].into_iter().filter(|server| {
        let Ok(mut stream) = trusting.connect(server.address(), "node.moim.invalid") else {
            return false;
        };
        let mut head = [0; 9];
        stream.sock.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.read_exact(&mut head).is_ok()
    });
    figures.exactly("strangers that were admitted as nodes", admitted.count(), 0);
    // The same over plain TCP is no protocol of ours.
    let mut plain = tcp(owner.address());
    std::io::Write::write_all(&mut plain, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    figures.exactly("plain connections of nodes", usize::from(answer.starts_with(&[0])), 0);
    assert!(mina.say("still here") && ben.say("me, too"));
    within(DEADLINE, "it is heard", || {
        (ben.heard() == ["still here"] && mina.heard() == ["me, too"]).then_some(())
    });
    check(&[&mina, &ben]);
    figures.end();
}

/// Somebody with Redis' password, but without the cluster's key, writes into it.
#[test]
fn forged_leases_and_replayed_entries_are_no_nodes_and_no_rooms() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let [owner, other] = pair(&redis, &key);
    let mut mina = Witness::join(&owner, "Mina");
    let mut ben = Witness::join(&other, "Ben");
    assert!(mina.say("before"));
    let mut figures = Figures::of("rogue");
    // The lease of a node under another slot: its card was sealed for another place.
    let keys_like = |pattern: &str| -> Vec<String> {
        redis.command(&["KEYS", pattern]).lines().map(str::to_owned).collect()
    };
    let leases = keys_like("moim:lease:*");
    let slots = (1..=1023).map(|slot| (slot.to_string(), format!("moim:lease:{slot}")));
    let (slot, forged) = slots.into_iter().find(|(_, key)| !leases.contains(key)).unwrap();
    // In one step, as leases are short.
    let copy = "redis.call('COPY', KEYS[1], KEYS[2]) redis.call('PERSIST', KEYS[2])
        redis.call('SADD', KEYS[3], ARGV[1]) return redis.call('PTTL', KEYS[2])";
    let kept = redis.command(&["EVAL", copy, "3", &leases[0], &forged, "moim:slots", &slot]);
    assert_eq!(kept, "-1", "it is there, for ever");
    // Both look once a second.
    thread::sleep(Duration::from_millis(1100));
    // A lease of their own may be late on a busy machine; a forged one would stay.
    for server in [&owner, &other] {
        within(DEADLINE, "only the two are believed", || (nodes(server) == 2).then_some(()));
    }
    // The log of a room under the name of another one.
    let [tea] = keys_like("moim:room:*").try_into().unwrap();
    let (mut page, joined) = Page::join(&other, "coffee", "Sun");
    assert!(joined.is_object());
    let coffee = keys_like("moim:room:*").into_iter().find(|key| *key != tea).unwrap();
    page.request("room:leave", &json!({}));
    within(DEADLINE, "it has ended", || (status_number(&other, "rooms") == 0).then_some(()));
    assert_eq!(redis.command(&["COPY", &tea, &coffee, "REPLACE"]), "1");
    let (_page, replayed) = Page::enter(&other, "coffee", "Eve", &json!({}));
    let told = replayed.to_string();
    figures.exactly("names and messages of another room", places(told.as_bytes(), "before"), 0);
    figures.exactly("participants of another room", places(told.as_bytes(), "Mina"), 0);
    // Entries that nobody sealed, under a name that is not open.
    let id = redis.command(&["XREVRANGE", &coffee, "+", "-", "COUNT", "1"]);
    let last = id.lines().next().and_then(|last| last.split_once('-'));
    let epoch: u64 = last.unwrap_or_else(|| panic!("{coffee} is empty: {id}")).0.parse().unwrap();
    let (next, writer) = (format!("{}-1", epoch + 1), format!("{slot}.0000000000000001"));
    redis.command(&["XADD", &coffee, &next, "w", &writer, "k", "s", "p", "{}"]);
    let (_page, entered) = Page::enter(&owner, "coffee", "Eve", &json!({}));
    let participants = entered["ok"]["participants"].as_array().map_or(0, Vec::len);
    figures.exactly("participants of forged entries", participants, 0);
    assert!(mina.say("after") && ben.say("after, too"));
    within(DEADLINE, "all is heard", || {
        (ben.heard() == ["before", "after"] && mina.heard() == ["after, too"]).then_some(())
    });
    check(&[&mina, &ben]);
    figures.end();
}
