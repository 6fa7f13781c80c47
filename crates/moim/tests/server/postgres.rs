//! The whole server on a PostgreSQL database.

#[path = "../postgres/mod.rs"]
pub(crate) mod process;

use std::process::{Command, Output};

use process::PostgresProcess;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    api::{Api, Page},
    ctl::answer,
    peer::get,
    support::{DEADLINE, Server, moim, within},
    webhooks::{Receiver, create},
};

const DEVICE: &str = "device-secret-0001";

fn upgrade(server: &Server) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_moim"));
    command.args(["upgrade", "--data"]).arg(server.data()).output().unwrap()
}

fn instance(server: &Server) -> Value {
    answer(&crate::ctl::ctl(server.data(), &["status"]))["instance"].clone()
}

#[test]
fn store_in_postgres_survives_kill_9_outages_upgrades_and_other_servers() {
    let Some(mut postgres) = PostgresProcess::start() else { return };
    let database = postgres.new_database();
    let url = format!("postgres://moim@127.0.0.1:{}/{database}", postgres.port);
    let flags = ["--store", &url, "--webhook-private"];
    let mut server = Server::start(&flags);

    // Another server with a folder of its own, which waits a while for this one to end.
    let folder = tempfile::tempdir().unwrap();
    let refused = moim(&["--listen", "127.0.0.1:0"], folder.path(), &flags).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("Another server runs") && told.contains("moim on "), "{told}");

    let receiver = Receiver::start();
    receiver.answer("503 Service Unavailable");
    let (_, secret) = create(&Api::new(&server, "admin"), &receiver.url());
    let locked = json!({ "password": "sesame", "device": DEVICE });
    let (_mina, joined) = Page::enter(&server, "tea", "Mina", &locked);
    assert_eq!(joined["ok"]["self"]["role"], "host", "{joined}");
    let first = receiver.next();
    assert_eq!(first.name(), "room.started");
    within(DEADLINE, "room, password and events are in the database", || {
        let sql = "SELECT (SELECT count(*) FROM outbox), (SELECT count(*) FROM room
            WHERE state LIKE '%\"password\"%' AND state LIKE '%\"host\"%')";
        (postgres.query(&database, sql) == "2|1").then_some(())
    });

    server.signal(Signal::KILL);
    server.ended();
    receiver.answer("204 No Content");
    let server = Server::start_in(server.keep_data(), &flags);
    let again = receiver.next();
    again.verify(&secret);
    assert_eq!(again.text, first.text);
    let rest = ["participant.joined Mina", "participant.left Mina", "room.finished"];
    assert_eq!(receiver.next_types(3), rest);
    let enter = |more: Value| Page::enter(&server, "tea", "Mina", &more);
    assert_eq!(enter(json!({})).1["error"]["code"], "password_required");
    assert_eq!(enter(json!({"password": "open"})).1["error"]["code"], "wrong_password");
    let (_mina, joined) = enter(locked.clone());
    assert_eq!(joined["ok"]["self"]["role"], "host", "{joined}");
    let audit = Api::new(&server, "admin").get("/audit");
    let actions = audit["items"].as_array().unwrap().iter().map(|row| &row["action"]);
    assert!(actions.into_iter().any(|action| *action == "webhook.create"), "{audit}");

    // An upgrade that the next process would not survive is refused, and this one goes on.
    let before = instance(&server);
    postgres.kill();
    let refused = upgrade(&server);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("can't be reached"), "{told}");
    assert_eq!((get(&server, "/readyz").status, instance(&server)), (200, before.clone()));
    postgres.start_again();
    answer(&upgrade(&server));
    assert_ne!(instance(&server), before, "the next process has the database's lock");
}
