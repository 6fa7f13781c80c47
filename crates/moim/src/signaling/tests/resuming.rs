//! Resuming after lost connections.

use std::time::Duration;

use serde_json::json;

use super::{Received, code, connect, id, server};
use crate::socketio::{CloseReason, Events as _};

#[tokio::test(start_paused = true)]
async fn resume_replays_missed_events_unnoticed_by_others() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server), connect(&server));
    let ann_joined = ann.join("tea", "Ann").await;
    let ben_joined = ben.join("tea", "Ben").await;
    let Received::Event(.., Some(last)) = ann.drain().await.remove(0) else { panic!("numbered") };
    ann.session.gone(CloseReason::Lost).await;
    let mut cem = connect(&server);
    let cem_joined = cem.join("tea", "Cem").await;
    let candidate = json!({"candidate": "c", "sdpMid": "0", "sdpMLineIndex": 0});
    ben.ask("signal", json!({"to": id(&ann_joined), "candidate": candidate})).await;
    tokio::time::sleep(Duration::from_secs(29)).await;

    let mut again = connect(&server);
    let resume =
        json!({"room": "tea", "name": "Ann", "resume": ann_joined["resume"], "last": last});
    let resumed = again.ask("room:join", resume.clone()).await["ok"].clone();
    assert_eq!(resumed["resumed"], true);
    assert_eq!(resumed["last"], last);
    assert_eq!(resumed["self"], ann_joined["self"]);
    assert_eq!(again.expect("participant:joined").await, cem_joined["self"]);
    assert_eq!(
        again.expect("signal").await,
        json!({"from": id(&ben_joined), "candidate": candidate})
    );
    // Repeating the request is harmless.
    assert_eq!(again.ask("room:join", resume.clone()).await["ok"]["resumed"], true);
    assert_eq!(again.drain().await.len(), 2);
    // Once more, while the previous connection still looks alive; it receives nothing.
    let mut third = connect(&server);
    assert_eq!(third.ask("room:join", resume).await["ok"]["resumed"], true);
    assert_eq!(third.drain().await.len(), 2);
    assert_eq!(code(&again.ask("room:leave", json!({})).await), "not_joined");
    again.session.gone(CloseReason::Lost).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(again.drain().await, []);
    let names = |received: Vec<Received>| -> Vec<String> {
        let name = |received| match received {
            Received::Event(name, ..) => name,
            other => panic!("an event, not {other:?}"),
        };
        received.into_iter().map(name).collect()
    };
    assert_eq!(names(ben.drain().await), ["participant:joined"], "Cem, and no leave");
}

#[tokio::test(start_paused = true)]
async fn token_of_a_closed_room_expires_without_opening_it() {
    let server = server();
    let mut ann = connect(&server);
    let ann_joined = ann.join("tea", "Ann").await;
    ann.session.gone(CloseReason::Lost).await;
    tokio::time::sleep(Duration::from_secs(31)).await;
    let mut again = connect(&server);
    let resume = json!({"room": "tea", "name": "Ann", "resume": ann_joined["resume"], "last": 0});
    assert_eq!(code(&again.ask("room:join", resume).await), "resume_expired");
    assert_eq!(again.ask("room:list", json!({})).await, json!({"ok": {"rooms": []}}));
    assert_eq!(again.join("tea", "Ann").await["resumed"], false);
}

#[tokio::test(start_paused = true)]
async fn closed_page_leaves_within_a_second_or_is_replaced() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server), connect(&server));
    ann.ask("room:create", json!({"name": "tea", "capacity": 2, "password": "x"})).await;
    let join = json!({"room": "tea", "name": "Ann", "password": "x"});
    let ann_joined = ann.ask("room:join", join.clone()).await["ok"].clone();
    ben.ask("room:join", join.clone()).await;

    // Its own stale participant does not block it.
    ann.session.gone(CloseReason::Lost).await;
    let mut again = connect(&server);
    assert_eq!(code(&again.ask("room:join", join.clone()).await), "room_full");
    let replace = json!({"room": "tea", "name": "Ann", "replaces": ann_joined["resume"]});
    let again_joined = again.ask("room:join", replace).await["ok"].clone();
    assert_eq!(again_joined["resumed"], false);
    assert_eq!(ben.expect("participant:left").await, json!({"id": id(&ann_joined)}));
    assert_eq!(ben.expect("participant:joined").await, again_joined["self"]);

    again.session.gone(CloseReason::GoingAway).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(ben.expect("participant:left").await, json!({"id": id(&again_joined)}));
}
