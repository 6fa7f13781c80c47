//! Over time: credentials, floods, sockets that do not read, the end.

use serde_json::json;
use std::{sync::Arc, time::Duration};

use super::{Came, code, config, connect, connect_from, handshake, id, server, socket};
use crate::signaling::{Config, Signaling};
use crate::socketio::{Application as _, Events as _, Gone};

#[tokio::test(start_paused = true)]
async fn credentials_are_refreshed_at_half_their_life() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server), connect(&server));
    let ann_is = ann.join("tea", "Ann").await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let ben_is = ben.join("tea", "Ben").await;
    ann.hears("participant:joined").await;
    let started = tokio::time::Instant::now();
    for minutes in [4, 9] {
        let fresh = ann.hears("ice:servers").await;
        let user = fresh["iceServers"][1]["username"].as_str().unwrap();
        assert!(user.ends_with(&format!(":{}", id(&ann_is))), "{user}");
        assert_eq!(started.elapsed().as_secs() / 60, minutes);
    }
    ben.hears("ice:servers").await;
    assert_eq!(started.elapsed().as_secs() / 60, 9, "Ben's first came at 5, unread until now");
    ben.session.gone(Gone::Lost).await;
    assert!(id(&ben_is) != id(&ann_is));
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_read_slowly_and_arrives_whole() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server), connect(&server));
    let ann_is = ann.join("tea", "Ann").await;
    ben.join("tea", "Ben").await;
    ann.hears("participant:joined").await;
    let started = tokio::time::Instant::now();
    for n in 0..3000 {
        let candidate = json!({"candidate": n.to_string()});
        ben.ask("signal", json!({"to": id(&ann_is), "candidate": candidate})).await;
        let heard = ann.hears("signal").await;
        assert_eq!(heard["candidate"]["candidate"], n.to_string());
    }
    assert!(started.elapsed() > Duration::from_secs(9), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_reads_nothing_is_cut_off_and_the_others_go_on() {
    let server = server();
    let (mut ann, mut ben, mut cem) = (connect(&server), connect(&server), connect(&server));
    ann.join("tea", "Ann").await;
    ben.join("tea", "Ben").await;
    cem.join("tea", "Cem").await;
    for n in 0..3000 {
        let media = json!({"mic": n % 2 == 0, "camera": true, "screen": false, "hand": false});
        ben.ask("media", media).await;
        cem.everything().await;
    }
    assert!(ann.outbox.take().await.is_err(), "its queue overflowed");
    ann.session.gone(Gone::Lost).await;
    let media = json!({"mic": true, "camera": false, "screen": false, "hand": false});
    assert_eq!(ben.ask("media", media.clone()).await, json!({"ok": {}}));
    assert_eq!(cem.hears("participant:updated").await["media"], media);
}

#[tokio::test(start_paused = true)]
async fn draining_tells_everybody_and_takes_nobody_in() {
    let server = server();
    let (mut ann, mut watcher) = (connect(&server), connect(&server));
    ann.join("tea", "Ann").await;
    let draining = tokio::spawn({
        let server = Arc::clone(&server);
        async move { server.drain(Duration::from_secs(5)).await }
    });
    for (client, others_stay) in [(&mut ann, true), (&mut watcher, false)] {
        assert_eq!(client.hears("server:draining").await, json!({}));
        assert_eq!(client.everything().await, [Came::Dismissal]);
        assert!(!draining.is_finished());
        client.session.gone(Gone::ByServer).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(draining.is_finished(), !others_stay);
    }
    assert!(server.connect(socket().0, handshake([192, 0, 2, 1])).is_err());
}

#[tokio::test(start_paused = true)]
async fn draining_does_not_wait_for_ever() {
    let server = server();
    let _stuck = connect(&server);
    let started = tokio::time::Instant::now();
    server.drain(Duration::from_secs(2)).await;
    assert_eq!(started.elapsed().as_secs(), 2);
}

/// Whether the relay serves this participant.
fn is_served(server: &super::Signaling, who: &serde_json::Value) -> bool {
    server.hub.config.credentials.has(id(who))
}

#[tokio::test(start_paused = true)]
async fn leaving_ends_the_access_to_the_relay() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server), connect(&server));
    let (ann_is, ben_is) = (ann.join("tea", "Ann").await, ben.join("tea", "Ben").await);
    assert!(is_served(&server, &ann_is) && is_served(&server, &ben_is));
    ann.ask("room:leave", json!({})).await;
    assert!(!is_served(&server, &ann_is) && is_served(&server, &ben_is));
    // The last to leave closes the room, and so has nobody to tell.
    ben.session.gone(Gone::ByClient).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!is_served(&server, &ben_is));
    let again = ann.join("tea", "Ann").await;
    assert!(is_served(&server, &again) && !is_served(&server, &ann_is), "another participant");
}

#[tokio::test(start_paused = true)]
async fn a_lost_participant_has_access_to_the_relay_until_the_place_is_given_up() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server), connect(&server));
    ben.join("tea", "Ben").await;
    let ann_is = ann.join("tea", "Ann").await;
    ann.session.gone(Gone::Lost).await;
    tokio::time::sleep(Duration::from_secs(29)).await;
    assert!(is_served(&server, &ann_is), "media goes on without a socket");
    let mut again = connect(&server);
    let resume = json!({"room": "tea", "name": "Ann", "resume": ann_is["resume"], "last": 0});
    let resumed = again.ask("room:join", resume).await;
    assert_eq!(id(&resumed["ok"]), id(&ann_is));
    assert!(resumed["ok"]["iceServers"][1]["credential"].is_string());
    again.session.gone(Gone::Lost).await;
    tokio::time::sleep(Duration::from_secs(31)).await;
    assert!(!is_served(&server, &ann_is));
}

#[tokio::test(start_paused = true)]
async fn queues_of_slow_readers_stay_within_the_budget_and_readers_go_on() {
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
            writer.everything().await;
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
async fn logs_of_rooms_are_given_up_before_the_budget_is_exceeded() {
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
            reader.everything().await;
        }
        writers.push((writer, reader, reader_is));
    }
    assert!(held() > 1 << 20, "{} bytes are kept", held());
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(held() <= 1 << 20, "{} bytes are kept", held());
    // Somebody who lost some of them is told so, and rooms whose log was given up go on, and close.
    for (mut writer, mut reader, reader_is) in writers {
        reader.session.gone(Gone::Lost).await;
        let mut again = connect(&server);
        let room = reader_is["room"]["name"].as_str().unwrap().to_owned();
        let resume = json!({"room": room, "name": "r", "resume": reader_is["resume"], "last": 0});
        let resumed = again.ask("room:join", resume).await;
        assert!(resumed["ok"].is_object() || code(&resumed) == "resume_expired", "{resumed}");
        writer.ask("room:leave", json!({})).await;
        again.session.gone(Gone::ByClient).await;
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!((server.census().rooms, held()), (0, 0));
}
