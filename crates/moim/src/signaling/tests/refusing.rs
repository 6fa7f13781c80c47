//! What is refused, and what it changes: nothing.

use serde_json::json;
use std::time::Duration;

use super::{Client, code, config, connect, connect_from, id, server};
use crate::signaling::{Config, Signaling};
use crate::socket::app::{Events as _, Gone};

#[tokio::test(start_paused = true)]
async fn wrong_passwords_delay_guesses_and_never_refuse_the_right_one() {
    let server = server();
    let mut ann = connect(&server);
    let create = json!({"name": "tea", "password": "sesame"});
    assert_eq!(ann.ask("room:create", create).await["ok"]["room"]["locked"], true);
    let mut ben = connect(&server);
    assert_eq!(
        code(&ben.ask("room:join", json!({"room": "tea", "name": "Ben"})).await),
        "password_required"
    );
    let with = |password: &str| json!({"room": "tea", "name": "Ben", "password": password});
    let started = tokio::time::Instant::now();
    for n in 0..12 {
        let answer = ben.ask("room:join", with(&n.to_string())).await;
        assert_eq!(code(&answer), "wrong_password");
    }
    assert_eq!(started.elapsed().as_secs(), 8, "two waited four seconds each");
    let mut cem = connect(&server);
    let asked = tokio::time::Instant::now();
    assert!(cem.ask("room:join", with("sesame")).await["ok"].is_object(), "same address");
    assert!(asked.elapsed() <= Duration::from_secs(8));
    // A room of its own is not concerned.
    let mut eve = connect(&server);
    eve.ask("room:create", json!({"name": "den", "password": "other"})).await;
    let asked = tokio::time::Instant::now();
    let den = json!({"room": "den", "name": "Eve", "password": "other"});
    assert!(eve.ask("room:join", den).await["ok"].is_object());
    assert!(asked.elapsed() < Duration::from_secs(1));
    let mut dan = connect_from(&server, [192, 0, 2, 2]);
    assert!(dan.ask("room:join", with("sesame")).await["ok"].is_object());
    // Right passwords cost nothing.
    for _ in 0..20 {
        assert!(dan.ask("room:leave", json!({})).await["ok"].is_object());
        assert!(dan.ask("room:join", with("sesame")).await["ok"].is_object());
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_botnet_guesses_slowly_and_keeps_nobody_out() {
    let server = server();
    let mut ann = connect(&server);
    ann.ask("room:create", json!({"name": "tea", "password": "sesame"})).await;
    let with = |password: &str| json!({"room": "tea", "name": "Ben", "password": password});
    for bot in 0..70 {
        let mut bot = connect_from(&server, [203, 0, 113, bot]);
        assert_eq!(code(&bot.ask("room:join", with("x")).await), "wrong_password");
    }
    let mut dan = connect_from(&server, [192, 0, 2, 2]);
    let asked = tokio::time::Instant::now();
    assert!(dan.ask("room:join", with("sesame")).await["ok"].is_object());
    assert!(asked.elapsed() <= Duration::from_secs(8));
}

#[tokio::test(start_paused = true)]
async fn a_room_made_by_joining_with_a_password_is_locked_with_it() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server), connect(&server));
    let join = json!({"room": "tea", "name": "Ann", "password": "sesame"});
    assert_eq!(ann.ask("room:join", join).await["ok"]["room"]["locked"], true);
    let join = json!({"room": "tea", "name": "Ben"});
    assert_eq!(code(&ben.ask("room:join", join).await), "password_required");
}

#[tokio::test(start_paused = true)]
async fn forged_targets_and_senders_are_refused() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server), connect(&server));
    let (mut eve, mut outside) = (connect(&server), connect(&server));
    let ann_is = ann.join("tea", "Ann").await;
    let ben_is = ben.join("tea", "Ben").await;
    eve.join("den", "Eve").await;
    ann.everything().await;
    let to = |target: &str| json!({"to": target, "candidate": {"candidate": "c"}});
    assert_eq!(code(&eve.ask("signal", to(id(&ann_is))).await), "no_such_participant");
    assert_eq!(code(&outside.ask("signal", to(id(&ann_is))).await), "not_joined");
    assert_eq!(code(&ben.ask("signal", to("__proto__")).await), "no_such_participant");
    assert_eq!(code(&ben.ask("signal", to(id(&ben_is))).await), "no_such_participant");
    let mut forged = to(id(&ann_is));
    forged["from"] = json!(id(&ann_is));
    assert_eq!(code(&ben.ask("signal", forged).await), "invalid");
    let description = json!({"type": "offer", "sdp": "s".repeat(64 << 10)});
    let large = json!({"to": id(&ann_is), "description": description});
    assert!(ben.ask("signal", large.clone()).await["ok"].is_object());
    let mut larger = large;
    larger["description"]["sdp"] = json!("s".repeat((64 << 10) + 1));
    assert_eq!(code(&ben.ask("signal", larger).await), "too_large");
    assert_eq!(ann.everything().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn bad_requests_are_answered_and_change_nothing() {
    let server = server();
    let mut ann = connect(&server);
    for (event, payload, expected) in [
        ("nonsense", json!({}), "unknown_event"),
        ("room:join", json!({"room": "tea"}), "invalid"),
        ("room:join", json!({"room": "t\u{0}", "name": "Ann"}), "invalid"),
        ("room:join", json!({"room": "t".repeat(65), "name": "Ann"}), "invalid"),
        ("room:join", json!("tea"), "invalid"),
        ("room:create", json!({"name": "tea", "capacity": 0}), "invalid"),
        ("room:create", json!({"name": "tea", "capacity": 1_000_000}), "invalid"),
        ("room:create", json!({"name": "tea", "topology": "sfu"}), "invalid"),
        ("room:create", json!({"name": "tea", "password": "p".repeat(300)}), "invalid"),
        ("signal", json!({"to": "x"}), "invalid"),
        ("media", json!({"mic": true}), "invalid"),
        ("media", json!({"mic": true, "camera": true, "screen": true, "hand": true}), "not_joined"),
        ("room:leave", json!({}), "not_joined"),
        ("direct", json!({"direct": true}), "not_joined"),
        ("direct", json!({}), "invalid"),
        ("handover", json!({"to": "x", "topology": "sfu"}), "not_joined"),
        ("handover", json!({"to": "x", "topology": "auto"}), "invalid"),
        ("publish", json!({"tracks": []}), "not_joined"),
        ("publish", json!({"tracks": [{"mid": "0", "source": "film"}]}), "invalid"),
        ("publish", json!({"tracks": [{"mid": "", "source": "camera"}]}), "invalid"),
        ("subscribe", json!({"tracks": []}), "not_joined"),
        ("subscribe", json!({"tracks": [{"participant": "x", "source": "camera"}]}), "invalid"),
        ("room:leave", json!([]), "invalid"),
    ] {
        let answer = ann.ask(event, payload.clone()).await;
        assert_eq!(code(&answer), expected, "{event} {payload}");
    }
    assert_eq!(server.untold_refusals(), 0);
    ann.emit("room:join", vec![], None).await;
    assert_eq!(server.untold_refusals(), 1);
    assert_eq!(ann.ask("room:list", json!({})).await, json!({"ok": {"rooms": []}}));
}

#[tokio::test(start_paused = true)]
async fn a_server_holds_so_many_rooms_and_no_more() {
    let server = Signaling::new(Config { max_rooms: 2, ..config() });
    let mut people: Vec<Client> = (0..3).map(|_| connect(&server)).collect();
    people[0].join("a", "A").await;
    people[1].ask("room:create", json!({"name": "b"})).await;
    let join = json!({"room": "c", "name": "C"});
    assert_eq!(code(&people[2].ask("room:join", join.clone()).await), "server_full");
    assert_eq!(code(&people[2].ask("room:create", json!({"name": "c"})).await), "server_full");
    people[0].session.gone(Gone::ByClient).await;
    people[1].everything().await;
    assert!(people[2].ask("room:join", join).await["ok"].is_object());
}
