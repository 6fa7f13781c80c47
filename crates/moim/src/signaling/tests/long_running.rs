//! Long-running behavior: credentials, floods, slow readers, shutdown.

use std::{sync::Arc, time::Duration};

use serde_json::json;

use super::{Received, code, config, connect, connect_from, handshake, id, server, socket};
use crate::{
    signaling::{Config, Signaling},
    socketio::{Application as _, CloseReason, Events as _},
};

#[tokio::test(start_paused = true)]
async fn credentials_are_refreshed_at_half_lifetime() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server), connect(&server));
    let ann_joined = ann.join("tea", "Ann").await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let ben_joined = ben.join("tea", "Ben").await;
    ann.expect("participant:joined").await;
    let started = tokio::time::Instant::now();
    for minutes in [4, 9] {
        let fresh = ann.expect("ice:servers").await;
        let user = fresh["iceServers"][1]["username"].as_str().unwrap();
        assert!(user.ends_with(&format!(":{}", id(&ann_joined))), "{user}");
        assert_eq!(started.elapsed().as_secs() / 60, minutes);
    }
    ben.expect("ice:servers").await;
    assert_eq!(started.elapsed().as_secs() / 60, 9, "Ben's first received at 5, unread until now");
    ben.session.gone(CloseReason::Lost).await;
    assert!(id(&ben_joined) != id(&ann_joined));
}

#[tokio::test(start_paused = true)]
async fn flood_is_throttled_without_loss() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server), connect(&server));
    let ann_joined = ann.join("tea", "Ann").await;
    ben.join("tea", "Ben").await;
    ann.expect("participant:joined").await;
    let started = tokio::time::Instant::now();
    for n in 0..3000 {
        let candidate = json!({"candidate": n.to_string()});
        ben.ask("signal", json!({"to": id(&ann_joined), "candidate": candidate})).await;
        let received = ann.expect("signal").await;
        assert_eq!(received["candidate"]["candidate"], n.to_string());
    }
    assert!(started.elapsed() > Duration::from_secs(9), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn non_reading_socket_is_dropped_without_affecting_others() {
    let server = server();
    let (mut ann, mut ben, mut cem) = (connect(&server), connect(&server), connect(&server));
    ann.join("tea", "Ann").await;
    ben.join("tea", "Ben").await;
    cem.join("tea", "Cem").await;
    for n in 0..3000 {
        let media = json!({"mic": n % 2 == 0, "camera": true, "screen": false, "hand": false});
        ben.ask("media", media).await;
        cem.drain().await;
    }
    assert!(ann.outbox.take().await.is_err(), "its queue overflowed");
    ann.session.gone(CloseReason::Lost).await;
    let media = json!({"mic": true, "camera": false, "screen": false, "hand": false});
    assert_eq!(ben.ask("media", media.clone()).await, json!({"ok": {}}));
    assert_eq!(cem.expect("participant:updated").await["media"], media);
}

#[tokio::test(start_paused = true)]
async fn draining_announces_and_rejects_new_sockets() {
    let server = server();
    let (mut ann, mut watcher) = (connect(&server), connect(&server));
    ann.join("tea", "Ann").await;
    let draining = tokio::spawn({
        let server = Arc::clone(&server);
        async move { server.drain(Duration::from_secs(5)).await }
    });
    for (client, others_stay) in [(&mut ann, true), (&mut watcher, false)] {
        assert_eq!(client.expect("server:draining").await, json!({}));
        assert_eq!(client.drain().await, [Received::Disconnect]);
        assert!(!draining.is_finished());
        client.session.gone(CloseReason::ByServer).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(draining.is_finished(), !others_stay);
    }
    assert!(server.connect(socket().0, handshake([192, 0, 2, 1])).is_err());
}

#[tokio::test(start_paused = true)]
async fn draining_times_out() {
    let server = server();
    let _stuck = connect(&server);
    let started = tokio::time::Instant::now();
    server.drain(Duration::from_secs(2)).await;
    assert_eq!(started.elapsed().as_secs(), 2);
}

/// Returns whether the relay accepts this participant.
fn is_served(server: &super::Signaling, who: &serde_json::Value) -> bool {
    server.hub.config.credentials.has(id(who))
}

#[tokio::test(start_paused = true)]
async fn leaving_revokes_relay_access() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server), connect(&server));
    let (ann_joined, ben_joined) = (ann.join("tea", "Ann").await, ben.join("tea", "Ben").await);
    assert!(is_served(&server, &ann_joined) && is_served(&server, &ben_joined));
    ann.ask("room:leave", json!({})).await;
    assert!(!is_served(&server, &ann_joined) && is_served(&server, &ben_joined));
    // The last leave closes the room.
    ben.session.gone(CloseReason::ByClient).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!is_served(&server, &ben_joined));
    let again = ann.join("tea", "Ann").await;
    assert!(is_served(&server, &again) && !is_served(&server, &ann_joined), "a new participant");
}

#[tokio::test(start_paused = true)]
async fn lost_participant_keeps_relay_access_during_grace() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server), connect(&server));
    ben.join("tea", "Ben").await;
    let ann_joined = ann.join("tea", "Ann").await;
    ann.session.gone(CloseReason::Lost).await;
    tokio::time::sleep(Duration::from_secs(29)).await;
    assert!(is_served(&server, &ann_joined), "media continues without a socket");
    let mut again = connect(&server);
    let resume = json!({"room": "tea", "name": "Ann", "resume": ann_joined["resume"], "last": 0});
    let resumed = again.ask("room:join", resume).await;
    assert_eq!(id(&resumed["ok"]), id(&ann_joined));
    assert!(resumed["ok"]["iceServers"][1]["credential"].is_string());
    again.session.gone(CloseReason::Lost).await;
    tokio::time::sleep(Duration::from_secs(31)).await;
    assert!(!is_served(&server, &ann_joined));
}

#[tokio::test(start_paused = true)]
async fn slow_readers_stay_within_the_memory_budget() {
    let server = Signaling::new(Config { max_queue_bytes: 1 << 20, ..config() });
    let mut pairs = Vec::new();
    for n in 0..16 {
        let address = [198, 51, 100, n];
        let (mut writer, mut slow) =
            (connect_from(&server, address), connect_from(&server, address));
        let room = format!("room {n}");
        writer.join(&room, "writer").await;
        let to = id(&slow.join(&room, "slow").await).to_owned();
        pairs.push((writer, slow, to));
    }
    for _ in 0..8 {
        for (writer, _, to) in &mut pairs {
            let sdp = json!({"type": "offer", "sdp": "s".repeat(60 << 10)});
            writer.send("signal", json!({"to": to, "description": sdp})).await;
            writer.drain().await;
        }
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let queued: usize = pairs.iter().map(|(_, slow, _)| slow.socket.queued()).sum();
    assert!(queued <= 1 << 20, "{queued} bytes wait");
    for (writer, _, _) in &mut pairs {
        assert!(writer.ask("room:leave", json!({})).await["ok"].is_object());
    }
}

#[tokio::test(start_paused = true)]
async fn room_logs_are_dropped_to_stay_within_the_budget() {
    let server = Signaling::new(Config { max_queue_bytes: 1 << 20, ..config() });
    let held = || server.hub.directory.logs().iter().map(|log| log.bytes).sum::<usize>();
    let mut writers = Vec::new();
    for n in 0..8 {
        let mut writer = connect_from(&server, [198, 51, 100, n]);
        let mut reader = connect_from(&server, [203, 0, 113, n]);
        writer.join(&format!("room {n}"), "writer").await;
        let reader_is = reader.join(&format!("room {n}"), "reader").await;
        for _ in 0..8 {
            let sdp = json!({"type": "offer", "sdp": "s".repeat(60 << 10)});
            let signal = json!({"to": id(&reader_is), "description": sdp});
            assert!(writer.ask("signal", signal).await["ok"].is_object());
            reader.drain().await;
        }
        writers.push((writer, reader, reader_is));
    }
    assert!(held() > 1 << 20, "{} bytes are kept", held());
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(held() <= 1 << 20, "{} bytes are kept", held());
    // Clients that missed dropped events can't resume; the rooms continue, and close.
    for (mut writer, mut reader, reader_is) in writers {
        reader.session.gone(CloseReason::Lost).await;
        let mut again = connect(&server);
        let room = reader_is["room"]["name"].as_str().unwrap().to_owned();
        let resume = json!({"room": room, "name": "r", "resume": reader_is["resume"], "last": 0});
        let resumed = again.ask("room:join", resume).await;
        assert!(resumed["ok"].is_object() || code(&resumed) == "resume_expired", "{resumed}");
        writer.ask("room:leave", json!({})).await;
        again.session.gone(CloseReason::ByClient).await;
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!((server.census().rooms, held()), (0, 0));
}
