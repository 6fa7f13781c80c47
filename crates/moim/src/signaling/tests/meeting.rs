//! People meet, write, fill rooms and leave them.

use serde_json::json;
use std::{sync::Arc, time::Duration};

use super::{Came, Client, code, connect, connect_from, id, server};
use crate::socketio::{Events as _, Gone};

#[tokio::test(start_paused = true)]
async fn two_people_meet_and_signal() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server), connect(&server));
    let ann_is = ann.join("tea", "Ann").await;
    assert_eq!(ann_is["participants"], json!([]));
    assert_eq!(ann_is["topology"], "mesh");
    assert_eq!(ann_is["resumeSeconds"], 30);
    let urls = &ann_is["iceServers"][1]["urls"];
    assert_eq!(urls[0], "turn:moim.example:4000?transport=udp");
    let ben_is = ben.join("tea", "Ben").await;
    assert_eq!(ben_is["participants"], json!([ann_is["self"]]));
    assert_eq!(ann.hears("participant:joined").await, ben_is["self"]);

    let description = json!({"type": "offer", "sdp": "v=0"});
    let signal = json!({"to": id(&ann_is), "description": description});
    assert_eq!(ben.ask("signal", signal).await, json!({"ok": {}}));
    let signal = json!({"from": id(&ben_is), "description": description});
    assert_eq!(ann.hears("signal").await, signal);

    let media = json!({"mic": true, "camera": true, "screen": false, "hand": false});
    assert_eq!(ann.ask("media", media.clone()).await, json!({"ok": {}}));
    assert_eq!(ben.hears("participant:updated").await["media"], media);

    assert_eq!(ben.ask("room:leave", json!({})).await, json!({"ok": {}}));
    assert_eq!(ann.hears("participant:left").await, json!({"id": id(&ben_is)}));
    assert_eq!(ann.everything().await, []);
    assert_eq!(ben.everything().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_full_room_says_so_and_takes_the_next_when_somebody_leaves() {
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
    // Leaving and joining elsewhere at once, without waiting for answers.
    ann.send("room:leave", json!({})).await;
    assert!(ann.ask("room:join", json!({"room": "other", "name": "Ann"})).await["ok"].is_object());
    assert!(ben.ask("room:join", join).await["ok"].is_object());
}

#[tokio::test(start_paused = true)]
async fn people_write_to_each_other_and_who_floods_is_held_back() {
    let server = server();
    let mut ann = connect(&server);
    let early = ann.ask("chat", json!({"text": "anybody?"})).await;
    assert_eq!(code(&early), "not_joined");
    ann.ask("room:join", json!({"room": "tea", "name": "Ann"})).await;
    let mut ben = connect(&server);
    ben.ask("room:join", json!({"room": "tea", "name": "Ben"})).await;
    assert_eq!(ann.ask("chat", json!({"text": " hello\n"})).await, json!({"ok": {}}));
    let told = ben.hears("chat").await;
    assert_eq!(told["text"], "hello");
    assert!(told["at"].as_u64().unwrap() > 1_700_000_000_000);
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
    // What else a socket asks is not held back with it.
    let media = json!({"mic": true, "camera": false, "screen": false, "hand": false});
    assert_eq!(ann.ask("media", media).await, json!({"ok": {}}));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(ann.ask("chat", json!({"text": "sorry"})).await, json!({"ok": {}}));
}

#[tokio::test(start_paused = true)]
async fn who_disconnects_for_good_leaves_at_once() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server), connect(&server));
    ann.join("tea", "Ann").await;
    let ben_is = ben.join("tea", "Ben").await;
    ann.hears("participant:joined").await;
    ben.session.gone(Gone::ByClient).await;
    assert_eq!(ann.everything().await.len(), 1);
    ann.session.gone(Gone::ByClient).await;
    let mut cem = connect(&server);
    let cem_is = cem.join("tea", "Cem").await;
    assert_eq!(cem_is["participants"], json!([]));
    assert_ne!(id(&cem_is), id(&ben_is));
}

#[tokio::test(start_paused = true)]
async fn the_lobby_is_live_and_gathers_changes() {
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
    assert_eq!(watcher.hears("room:list").await, rooms);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(watcher.everything().await, [], "once for all of these changes");
    for person in &mut people {
        person.session.gone(Gone::ByClient).await;
    }
    assert_eq!(watcher.hears("room:list").await["rooms"][0]["name"], "empty");
    tokio::time::sleep(Duration::from_secs(601)).await;
    assert_eq!(watcher.hears("room:list").await, json!({"rooms": []}));
    // In a call there is no lobby.
    watcher.join("tea", "Watcher").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(watcher.everything().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_rooms_at_once_keep_their_signals_to_themselves() {
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
            for came in person.everything().await {
                let Came::Event(event, payload, _) = came else { continue };
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

/// On real threads, since that is where a join meets a room that is just closing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_room_that_closes_as_somebody_joins_loses_nobody() {
    let server = server();
    let people = (0..64).map(|person| {
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            let mut client = connect(&server);
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
    // The last rooms may be closing still.
    while watcher.ask("room:list", json!({})).await != json!({"ok": {"rooms": []}}) {
        watcher.hears("room:list").await;
    }
}
