//! Joining, signaling, chat, full rooms and leaving.

use std::{sync::Arc, time::Duration};

use serde_json::json;

use super::{Client, Received, code, connect, connect_from, id, server};
use crate::socketio::{CloseReason, Events as _};

#[tokio::test(start_paused = true)]
async fn two_participants_join_and_signal() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server), connect(&server));
    let ann_joined = ann.join("tea", "Ann").await;
    assert_eq!(ann_joined["participants"], json!([]));
    assert_eq!(ann_joined["topology"], "mesh");
    assert_eq!(ann_joined["resumeSeconds"], 30);
    let urls = &ann_joined["iceServers"][1]["urls"];
    assert_eq!(urls[0], "turn:moim.example:4000?transport=udp");
    let ben_joined = ben.join("tea", "Ben").await;
    assert_eq!(ben_joined["participants"], json!([ann_joined["self"]]));
    assert_eq!(ann.expect("participant:joined").await, ben_joined["self"]);

    let description = json!({"type": "offer", "sdp": "v=0"});
    let signal = json!({"to": id(&ann_joined), "description": description});
    assert_eq!(ben.ask("signal", signal).await, json!({"ok": {}}));
    let signal = json!({"from": id(&ben_joined), "description": description});
    assert_eq!(ann.expect("signal").await, signal);

    let media = json!({"mic": true, "camera": true, "screen": false, "hand": false});
    assert_eq!(ann.ask("media", media.clone()).await, json!({"ok": {}}));
    assert_eq!(ben.expect("participant:updated").await["media"], media);

    assert_eq!(ben.ask("room:leave", json!({})).await, json!({"ok": {}}));
    assert_eq!(ann.expect("participant:left").await, json!({"id": id(&ben_joined)}));
    assert_eq!(ann.drain().await, []);
    assert_eq!(ben.drain().await, []);
}

#[tokio::test(start_paused = true)]
async fn full_room_rejects_until_a_participant_leaves() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server), connect(&server));
    let create = json!({"name": "tea", "capacity": 1});
    let created = ann.ask("room:create", create.clone()).await;
    let room = json!({"name": "tea", "participants": 0, "capacity": 1, "locked": false});
    assert_eq!(created, json!({"ok": {"room": room}}));
    assert_eq!(code(&ben.ask("room:create", create).await), "room_exists");
    ann.join("tea", "Ann").await;
    let join = json!({"room": "tea", "name": "Ben"});
    assert_eq!(code(&ben.ask("room:join", join.clone()).await), "room_full");
    assert_eq!(code(&ann.ask("room:join", join.clone()).await), "already_joined");
    // Leaves and joins another room without waiting for replies.
    ann.send("room:leave", json!({})).await;
    assert!(ann.ask("room:join", json!({"room": "other", "name": "Ann"})).await["ok"].is_object());
    assert!(ben.ask("room:join", join).await["ok"].is_object());
}

#[tokio::test(start_paused = true)]
async fn chat_is_delivered_and_rate_limited() {
    let server = server();
    let mut ann = connect(&server);
    let early = ann.ask("chat", json!({"text": "anybody?"})).await;
    assert_eq!(code(&early), "not_joined");
    ann.ask("room:join", json!({"room": "tea", "name": "Ann"})).await;
    let mut ben = connect(&server);
    ben.ask("room:join", json!({"room": "tea", "name": "Ben"})).await;
    assert_eq!(ann.ask("chat", json!({"text": " hello\n"})).await, json!({"ok": {}}));
    let received = ben.expect("chat").await;
    assert_eq!(received["text"], "hello");
    assert!(received["at"].as_u64().unwrap() > 1_700_000_000_000);
    for nonsense in [json!({}), json!({"text": " "}), json!({"text": "a", "from": "Ben"})] {
        assert_eq!(code(&ann.ask("chat", nonsense).await), "invalid");
    }
    let long = json!({"text": "a".repeat(2_001)});
    assert_eq!(code(&ann.ask("chat", long).await), "invalid");

    let mut refused = 0;
    for _ in 0..100 {
        let answer = ann.ask("chat", json!({"text": "buy now"})).await;
        refused += usize::from(answer["error"]["code"] == "rate_limited");
    }
    assert!((80..=82).contains(&refused), "{refused} of 100 were refused");
    // Other requests of the socket are not limited.
    let media = json!({"mic": true, "camera": false, "screen": false, "hand": false});
    assert_eq!(ann.ask("media", media).await, json!({"ok": {}}));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(ann.ask("chat", json!({"text": "sorry"})).await, json!({"ok": {}}));
}

#[tokio::test(start_paused = true)]
async fn disconnect_leaves_immediately() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server), connect(&server));
    ann.join("tea", "Ann").await;
    let ben_joined = ben.join("tea", "Ben").await;
    ann.expect("participant:joined").await;
    ben.session.gone(CloseReason::ByClient).await;
    assert_eq!(ann.drain().await.len(), 1);
    ann.session.gone(CloseReason::ByClient).await;
    let mut cem = connect(&server);
    let cem_joined = cem.join("tea", "Cem").await;
    assert_eq!(cem_joined["participants"], json!([]));
    assert_ne!(id(&cem_joined), id(&ben_joined));
}

#[tokio::test(start_paused = true)]
async fn lobby_publishes_coalesced_changes() {
    let server = server();
    let mut watcher = connect(&server);
    assert_eq!(watcher.ask("room:list", json!({})).await, json!({"ok": {"rooms": []}}));
    let mut people: Vec<Client> = (0..5).map(|_| connect(&server)).collect();
    for person in &mut people {
        person.join("tea", "somebody").await;
    }
    people[0].ask("room:create", json!({"name": "empty", "capacity": 2})).await;
    let rooms = json!({"rooms": [
        {"name": "tea", "participants": 5, "capacity": 9, "locked": false},
        {"name": "empty", "participants": 0, "capacity": 2, "locked": false},
    ]});
    assert_eq!(watcher.expect("room:list").await, rooms);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(watcher.drain().await, [], "once for all changes");
    for person in &mut people {
        person.session.gone(CloseReason::ByClient).await;
    }
    assert_eq!(watcher.expect("room:list").await["rooms"][0]["name"], "empty");
    tokio::time::sleep(Duration::from_secs(601)).await;
    assert_eq!(watcher.expect("room:list").await, json!({"rooms": []}));
    // No lobby events during a call.
    watcher.join("tea", "Watcher").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(watcher.drain().await, []);
}

#[tokio::test(start_paused = true)]
async fn concurrent_rooms_are_isolated() {
    let server = server();
    let rooms = (0..100_u8).map(|room| {
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            let name = format!("room {room}");
            let address = [198, 51, 100, room];
            let mut people: Vec<Client> = (0..3).map(|_| connect_from(&server, address)).collect();
            let mut ids = Vec::new();
            for person in &mut people {
                ids.push(id(&person.join(&name, "somebody").await).to_owned());
            }
            for round in 0..10 {
                for from in 0..3 {
                    let to = &ids[(from + 1 + round % 2) % 3];
                    let candidate = json!({"candidate": format!("{name}/{from}/{round}")});
                    let signal = json!({"to": to, "candidate": candidate});
                    people[from].send("signal", signal).await;
                    tokio::task::yield_now().await;
                }
            }
            (name, people)
        })
    });
    let rooms: Vec<_> = rooms.collect();
    for room in rooms {
        let (name, mut people) = room.await.unwrap();
        let mut count = 0;
        for person in &mut people {
            for received in person.drain().await {
                let Received::Event(event, payload, _) = received else { continue };
                if event == "signal" {
                    count += 1;
                    let text = payload["candidate"]["candidate"].as_str().unwrap();
                    assert!(text.starts_with(&format!("{name}/")), "{text} in {name}");
                }
            }
        }
        assert_eq!(count, 30, "{name}");
    }
}

/// On real threads, where a join can race with the close of a room.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn join_racing_with_close_is_not_lost() {
    let server = server();
    let people = (0..64).map(|person| {
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            // No rate of creations counts: how many rooms they open depends on the race.
            let mut client = connect_from(&server, [127, 0, 0, 1]);
            for _ in 0..25 {
                let joined = client.join(&format!("room {}", person % 16), "somebody").await;
                let media = json!({"mic": true, "camera": true, "screen": true, "hand": true});
                assert_eq!(client.ask("media", media).await, json!({"ok": {}}), "{joined}");
                assert_eq!(client.ask("room:leave", json!({})).await, json!({"ok": {}}));
            }
        })
    });
    for person in people.collect::<Vec<_>>() {
        person.await.unwrap();
    }
    let mut watcher = connect(&server);
    // The last rooms may still be closing.
    while watcher.ask("room:list", json!({})).await != json!({"ok": {"rooms": []}}) {
        watcher.expect("room:list").await;
    }
}

#[tokio::test(start_paused = true)]
async fn check_tells_of_a_password_and_of_nothing_else() {
    let server = server();
    let mut ann = connect(&server);
    let hidden = json!({"name": "hidden", "password": "sesame", "listed": false});
    ann.ask("room:create", hidden).await;
    ann.ask("room:create", json!({"name": "plain", "listed": false})).await;
    // The tasks of the rooms begin.
    ann.drain().await;
    let mut ben = connect(&server);
    let mut locked = async |room: &str| {
        let answer = ben.ask("room:check", json!({ "room": room })).await;
        answer["ok"].clone()
    };
    assert_eq!(locked("hidden").await, json!({"locked": true}));
    assert_eq!(locked("plain").await, json!({"locked": false}));
    assert_eq!(locked("plain").await, locked("nowhere").await, "a stranger can't tell them apart");
    // Nothing was opened, entered or listed.
    assert_eq!(server.rooms().len(), 2);
    assert!(server.rooms().iter().all(|room| room.participants == 0));
    // The host removes the password.
    let join = json!({"room": "hidden", "name": "Ann", "password": "sesame"});
    assert!(ann.ask("room:join", join).await["ok"].is_object());
    ann.ask("room:settings", json!({"password": ""})).await;
    assert_eq!(locked("hidden").await, json!({"locked": false}));
    let answer = ben.ask("room:check", json!({"room": " "})).await;
    assert_eq!(code(&answer), "invalid");
}

#[tokio::test(start_paused = true)]
async fn names_of_rooms_are_not_checked_faster_than_joined() {
    let server = server();
    let mut refused = 0;
    for n in 0..10_u8 {
        let mut socket = connect(&server);
        for name in 0..20_u8 {
            let room = format!("{n} {name}");
            let answer = socket.ask("room:check", json!({ "room": room })).await;
            refused += usize::from(answer["error"]["code"] == "rate_limited");
        }
    }
    assert_eq!(refused, 100, "of 200, a hundred are the burst");
    let mut other = connect_from(&server, [203, 0, 113, 7]);
    assert_eq!(
        other.ask("room:check", json!({"room": "tea"})).await["ok"],
        json!({"locked": false})
    );
}
