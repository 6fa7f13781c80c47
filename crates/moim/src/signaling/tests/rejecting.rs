//! Rejections.

use std::time::Duration;

use serde_json::json;

use super::{Client, code, config, connect, connect_from, id, server};
use crate::{
    signaling::{Config, Signaling},
    socketio::{CloseReason, Events as _},
};

#[tokio::test(start_paused = true)]
async fn wrong_passwords_delay_attempts_but_never_reject_the_right_one() {
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
    assert_eq!(started.elapsed().as_secs(), 8, "two attempts waited four seconds each");
    let mut cem = connect(&server);
    let asked = tokio::time::Instant::now();
    assert!(cem.ask("room:join", with("sesame")).await["ok"].is_object(), "same address");
    assert!(asked.elapsed() <= Duration::from_secs(8));
    // Other rooms are not affected.
    let mut eve = connect(&server);
    eve.ask("room:create", json!({"name": "den", "password": "other"})).await;
    let asked = tokio::time::Instant::now();
    let den = json!({"room": "den", "name": "Eve", "password": "other"});
    assert!(eve.ask("room:join", den).await["ok"].is_object());
    assert!(asked.elapsed() < Duration::from_secs(1));
    let mut dan = connect_from(&server, [192, 0, 2, 2]);
    assert!(dan.ask("room:join", with("sesame")).await["ok"].is_object());
    // Right passwords are not limited.
    for _ in 0..20 {
        assert!(dan.ask("room:leave", json!({})).await["ok"].is_object());
        assert!(dan.ask("room:join", with("sesame")).await["ok"].is_object());
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn distributed_guessing_is_slowed_without_lockout() {
    let server = server();
    let mut ann = connect(&server);
    ann.ask("room:create", json!({"name": "tea", "password": "sesame"})).await;
    let with = |password: &str| json!({"room": "tea", "name": "Ben", "password": password});
    let started = tokio::time::Instant::now();
    for bot in 0..120 {
        let mut bot = connect_from(&server, [203, 0, 113, bot]);
        assert_eq!(code(&bot.ask("room:join", with("x")).await), "wrong_password");
    }
    // Sixty at once, then one a second.
    let elapsed = started.elapsed().as_secs();
    assert!((50..=70).contains(&elapsed), "{elapsed} s");
    let mut dan = connect_from(&server, [192, 0, 2, 2]);
    let asked = tokio::time::Instant::now();
    assert!(dan.ask("room:join", with("sesame")).await["ok"].is_object());
    assert!(asked.elapsed() <= Duration::from_secs(8));
}

#[tokio::test(start_paused = true)]
async fn room_created_by_join_with_password_is_locked() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server), connect(&server));
    let join = json!({"room": "tea", "name": "Ann", "password": "sesame"});
    assert_eq!(ann.ask("room:join", join).await["ok"]["room"]["locked"], true);
    let join = json!({"room": "tea", "name": "Ben"});
    assert_eq!(code(&ben.ask("room:join", join).await), "password_required");
}

#[tokio::test(start_paused = true)]
async fn forged_targets_and_senders_are_rejected() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server), connect(&server));
    let (mut eve, mut outside) = (connect(&server), connect(&server));
    let ann_joined = ann.join("tea", "Ann").await;
    let ben_joined = ben.join("tea", "Ben").await;
    eve.join("den", "Eve").await;
    ann.drain().await;
    let to = |target: &str| json!({"to": target, "candidate": {"candidate": "c"}});
    assert_eq!(code(&eve.ask("signal", to(id(&ann_joined))).await), "no_such_participant");
    assert_eq!(code(&outside.ask("signal", to(id(&ann_joined))).await), "not_joined");
    assert_eq!(code(&ben.ask("signal", to("__proto__")).await), "no_such_participant");
    assert_eq!(code(&ben.ask("signal", to(id(&ben_joined))).await), "no_such_participant");
    let mut forged = to(id(&ann_joined));
    forged["from"] = json!(id(&ann_joined));
    assert_eq!(code(&ben.ask("signal", forged).await), "invalid");
    let description = json!({"type": "offer", "sdp": "s".repeat(64 << 10)});
    let large = json!({"to": id(&ann_joined), "description": description});
    assert!(ben.ask("signal", large.clone()).await["ok"].is_object());
    let mut larger = large;
    larger["description"]["sdp"] = json!("s".repeat((64 << 10) + 1));
    assert_eq!(code(&ben.ask("signal", larger).await), "too_large");
    assert_eq!(ann.drain().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn bad_requests_are_rejected_without_effect() {
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
    assert_eq!(server.unacknowledged_rejections(), 0);
    ann.emit("room:join", vec![], None).await;
    assert_eq!(server.unacknowledged_rejections(), 1);
    assert_eq!(ann.ask("room:list", json!({})).await, json!({"ok": {"rooms": []}}));
}

#[tokio::test(start_paused = true)]
async fn number_of_rooms_is_limited() {
    let server = Signaling::new(Config { max_rooms: 2, ..config() });
    let mut people: Vec<Client> = (0..3).map(|_| connect(&server)).collect();
    people[0].join("a", "A").await;
    people[1].ask("room:create", json!({"name": "b"})).await;
    let join = json!({"room": "c", "name": "C"});
    assert_eq!(code(&people[2].ask("room:join", join.clone()).await), "server_full");
    assert_eq!(code(&people[2].ask("room:create", json!({"name": "c"})).await), "server_full");
    people[0].session.gone(CloseReason::ByClient).await;
    people[1].drain().await;
    assert!(people[2].ask("room:join", join).await["ok"].is_object());
}

/// Number of rate-limited offers.
async fn limited(client: &mut super::Client, offers: usize) -> usize {
    let offer = json!({"to": "sfu", "description": {"type": "offer", "sdp": "v=0"}});
    let mut limited = 0;
    for _ in 0..offers {
        let answer = client.ask("signal", offer.clone()).await;
        limited += usize::from(code(&answer) == "rate_limited");
    }
    limited
}

#[tokio::test(start_paused = true)]
async fn sfu_offers_are_limited_per_socket_and_address() {
    let server = server();
    let mut ann = connect(&server);
    assert_eq!(limited(&mut ann, 25).await, 5);
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(limited(&mut ann, 5).await, 1, "two a second");
    let offer = json!({"to": "bob", "description": {"type": "offer", "sdp": "v=0"}});
    assert_ne!(
        code(&ann.ask("signal", offer).await),
        "rate_limited",
        "offers to participants are not limited"
    );
    let mut refused = 0;
    for _ in 0..60 {
        refused += limited(&mut connect(&server), 20).await;
    }
    // All but four tokens were refilled in the meantime.
    assert_eq!(refused, 1200 - (1000 - 4));
    assert_eq!(
        limited(&mut connect_from(&server, [192, 0, 2, 99]), 20).await,
        0,
        "another address"
    );
    assert_eq!(limited(&mut connect_from(&server, [127, 0, 0, 1]), 20).await, 0);
}

#[tokio::test(start_paused = true)]
async fn ids_and_tokens_are_invalid_in_other_rooms() {
    let server = server();
    let (mut ann, mut eve) = (connect(&server), connect(&server));
    let ann_joined = ann.join("tea", "Ann").await;
    eve.join("den", "Eve").await;
    let candidate = json!({"candidate": "c", "sdpMid": "0", "sdpMLineIndex": 0});
    let signal = json!({"to": id(&ann_joined), "candidate": candidate});
    assert_eq!(code(&eve.ask("signal", signal).await), "no_such_participant");
    let handover = json!({"to": id(&ann_joined), "topology": "mesh"});
    assert_eq!(code(&eve.ask("handover", handover).await), "no_such_participant");
    let track =
        json!({"participant": id(&ann_joined), "source": "camera", "width": 640, "height": 360});
    assert_eq!(code(&eve.ask("subscribe", json!({"tracks": [track]})).await), "no_sfu");
    eve.ask("room:leave", json!({})).await;
    let resume = json!({"room": "den", "name": "Eve", "resume": ann_joined["resume"]});
    assert_eq!(code(&eve.ask("room:join", resume).await), "resume_expired");
    let replace = json!({"room": "den", "name": "Eve", "replaces": ann_joined["resume"]});
    assert_eq!(eve.ask("room:join", replace).await["ok"]["resumed"], false);
    assert_eq!(ann.drain().await, [], "Ann is unaffected");
    let list = ann.ask("room:list", json!({})).await;
    assert_eq!(list["ok"]["rooms"][0]["participants"], 1);
    assert_eq!(list["ok"]["rooms"][1]["participants"], 1);
}
