//! Invitations over sockets: made, used, guessed, and kept over a crash.

use serde_json::{Value, json};

use super::{Client, code, config, connect, connect_from, server};
use crate::{
    data::DataFolder,
    signaling::{Config, Signaling},
    store::{Retention, Store, rooms},
};

const DEVICE: &str = "device-secret-0001";

async fn hosted(server: &Signaling, create: Value) -> Client {
    let mut host = connect(server);
    let created = host.ask("room:create", create.clone()).await;
    assert!(created["ok"].is_object(), "{created}");
    let (room, password) = (&create["name"], &create["password"]);
    let join = json!({"room": room, "name": "Hana", "password": password, "device": DEVICE});
    let joined = host.ask("room:join", join).await;
    assert_eq!(joined["ok"]["self"]["role"], "host", "{joined}");
    host
}

async fn invite(host: &mut Client, terms: Value) -> String {
    let made = host.ask("room:invite", terms).await;
    made["ok"]["key"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
}

fn with(key: &str, device: &str) -> Value {
    json!({"room": "tea", "name": "Guest", "invitation": key, "device": device})
}

#[tokio::test(start_paused = true)]
async fn guest_enters_with_an_invitation_and_the_host_sees_its_use() {
    let server = server();
    let create = json!({"name": "tea", "password": "sesame", "device": DEVICE});
    let mut host = hosted(&server, create).await;
    let key = invite(&mut host, json!({"role": "viewer", "uses": 1, "seconds": 3600})).await;
    let mut guest = connect(&server);
    let joined = guest.ask("room:join", with(&key, "device-secret-0002")).await;
    assert_eq!(joined["ok"]["self"]["role"], "viewer", "{joined}");
    let mut second = connect(&server);
    let refused = second.ask("room:join", with(&key, "device-secret-0003")).await;
    assert_eq!(code(&refused), "invitation_used_up");
    let list = host.ask("room:invitations", json!({})).await;
    let shown = &list["ok"]["invitations"][0];
    assert_eq!(
        (&shown["used"], &shown["uses"], &shown["by"]),
        (&json!(1), &json!(1), &json!("Hana"))
    );
    assert!(!list.to_string().contains(&key));
    assert_eq!(code(&guest.ask("room:invite", json!({"role": "viewer"})).await), "forbidden");
    let revoke = json!({"invitation": shown["id"]});
    assert_eq!(host.ask("room:revoke", revoke).await, json!({"ok": {}}));
    let refused = second.ask("room:join", with(&key, "device-secret-0003")).await;
    assert_eq!(code(&refused), "invitation_revoked");
}

#[tokio::test(start_paused = true)]
async fn guessed_keys_are_slowed_as_passwords_are() {
    let server = server();
    let mut host = hosted(&server, json!({"name": "tea", "device": DEVICE})).await;
    let key = invite(&mut host, json!({"role": "speaker"})).await;
    let mut eve = connect_from(&server, [203, 0, 113, 9]);
    let started = tokio::time::Instant::now();
    for n in 0..12 {
        let refused = eve.ask("room:join", with(&format!("{n:026}"), "device-secret-0009")).await;
        assert_eq!(code(&refused), "invalid_invitation");
    }
    assert_eq!(started.elapsed().as_secs(), 8, "two attempts waited four seconds each");
    let mut guest = connect_from(&server, [203, 0, 113, 10]);
    let asked = tokio::time::Instant::now();
    assert!(guest.ask("room:join", with(&key, "device-secret-0002")).await["ok"].is_object());
    assert!(asked.elapsed().as_secs() < 1);
}

/// An invitation is for its room: it opens none, which its holder would host.
#[tokio::test(start_paused = true)]
async fn invitation_to_a_room_that_is_not_open_opens_none() {
    let server = server();
    let mut guest = connect(&server);
    let refused = guest.ask("room:join", with("0123456789", "device-secret-0002")).await;
    assert_eq!(code(&refused), "invalid_invitation");
    assert_eq!(guest.ask("room:list", json!({})).await["ok"]["rooms"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn hosts_have_a_rate_of_their_own() {
    let server = server();
    let mut host = hosted(&server, json!({"name": "tea", "device": DEVICE})).await;
    let mute = json!({"sources": ["microphone"]});
    for _ in 0..60 {
        assert_eq!(host.ask("room:mute", mute.clone()).await, json!({"ok": {}}));
    }
    assert_eq!(code(&host.ask("room:mute", mute.clone()).await), "rate_limited");
    assert!(host.ask("chat", json!({"text": "hello"})).await["ok"].is_object());
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(host.ask("room:mute", mute).await, json!({"ok": {}}));
}

/// Only a hash of the password is kept, and it still holds for others once a guest has opened the
/// room with an invitation.
#[tokio::test]
async fn invitation_reopens_a_locked_room_after_a_crash_and_the_password_holds() {
    let folder = tempfile::tempdir().unwrap();
    let data = DataFolder::open(folder.path()).unwrap();
    let start = || {
        let store = Store::open(&data, Retention { samples_days: 7 }).unwrap();
        let kept = store.load(rooms::all).unwrap().unwrap();
        Signaling::new(Config { data: Some(data.clone()), store, kept, ..config() })
    };
    let key = {
        let server = start();
        let create = json!({"name": "tea", "password": "sesame", "device": DEVICE});
        let mut host = hosted(&server, create).await;
        let key = invite(&mut host, json!({"role": "speaker", "uses": 1})).await;
        server.hub.kept.save().await;
        server.hub.config.store.flush(std::time::Duration::from_secs(20));
        key
    };
    let server = start();
    let mut guest = connect(&server);
    let wrong = guest.ask("room:join", with("wrong", "device-secret-0002")).await;
    assert_eq!(code(&wrong), "invalid_invitation");
    let joined = guest.ask("room:join", with(&key, "device-secret-0002")).await;
    assert_eq!(joined["ok"]["self"]["role"], "speaker", "{joined}");
    let as_ann = |password: Option<&str>| {
        let mut join = json!({"room": "tea", "name": "Ann"});
        if let Some(password) = password {
            join["password"] = password.into();
        }
        join
    };
    let mut ann = connect(&server);
    for (password, expected) in [(None, "password_required"), (Some("x"), "wrong_password")] {
        assert_eq!(code(&ann.ask("room:join", as_ann(password)).await), expected);
    }
    assert!(ann.ask("room:join", as_ann(Some("sesame"))).await["ok"].is_object());
    let mut second = connect(&server);
    let refused = second.ask("room:join", with(&key, "device-secret-0003")).await;
    assert_eq!(code(&refused), "invitation_used_up");
}
