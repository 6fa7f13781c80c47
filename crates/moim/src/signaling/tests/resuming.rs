//! Connections that broke come back.

use serde_json::json;
use std::time::Duration;

use super::{Came, code, connect, id, server};
use crate::socketio::{Events as _, Gone};

#[tokio::test(start_paused = true)]
async fn a_resumed_participant_hears_what_it_missed_and_nobody_saw_it_go() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server), connect(&server));
    let ann_is = ann.join("tea", "Ann").await;
    let ben_is = ben.join("tea", "Ben").await;
    let Came::Event(.., Some(last)) = ann.everything().await.remove(0) else { panic!("numbered") };
    ann.session.gone(Gone::Lost).await;
    let mut cem = connect(&server);
    let cem_is = cem.join("tea", "Cem").await;
    let candidate = json!({"candidate": "c", "sdpMid": "0", "sdpMLineIndex": 0});
    ben.ask("signal", json!({"to": id(&ann_is), "candidate": candidate})).await;
    tokio::time::sleep(Duration::from_secs(29)).await;

    let mut again = connect(&server);
    let resume = json!({"room": "tea", "name": "Ann", "resume": ann_is["resume"], "last": last});
    let resumed = again.ask("room:join", resume.clone()).await["ok"].clone();
    assert_eq!(resumed["resumed"], true);
    assert_eq!(resumed["last"], last);
    assert_eq!(resumed["self"], ann_is["self"]);
    assert_eq!(again.hears("participant:joined").await, cem_is["self"]);
    assert_eq!(again.hears("signal").await, json!({"from": id(&ben_is), "candidate": candidate}));
    // Asking again does no harm.
    assert_eq!(again.ask("room:join", resume.clone()).await["ok"]["resumed"], true);
    assert_eq!(again.everything().await.len(), 2);
    // And once more, while this one still looks alive; it is told nothing.
    let mut third = connect(&server);
    assert_eq!(third.ask("room:join", resume).await["ok"]["resumed"], true);
    assert_eq!(third.everything().await.len(), 2);
    assert_eq!(code(&again.ask("room:leave", json!({})).await), "not_joined");
    again.session.gone(Gone::Lost).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(again.everything().await, []);
    let names = |came: Vec<Came>| -> Vec<String> {
        let name = |came| match came {
            Came::Event(name, ..) => name,
            other => panic!("an event, not {other:?}"),
        };
        came.into_iter().map(name).collect()
    };
    assert_eq!(names(ben.everything().await), ["participant:joined"], "Cem, and no leave");
}

#[tokio::test(start_paused = true)]
async fn a_token_of_a_room_that_is_gone_expires_without_making_the_room() {
    let server = server();
    let mut ann = connect(&server);
    let ann_is = ann.join("tea", "Ann").await;
    ann.session.gone(Gone::Lost).await;
    tokio::time::sleep(Duration::from_secs(31)).await;
    let mut again = connect(&server);
    let resume = json!({"room": "tea", "name": "Ann", "resume": ann_is["resume"], "last": 0});
    assert_eq!(code(&again.ask("room:join", resume).await), "resume_expired");
    assert_eq!(again.ask("room:list", json!({})).await, json!({"ok": {"rooms": []}}));
    assert_eq!(again.join("tea", "Ann").await["resumed"], false);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_is_left_is_gone_within_a_second_and_replaced_at_once() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server), connect(&server));
    ann.ask("room:create", json!({"name": "tea", "capacity": 2, "password": "x"})).await;
    let join = json!({"room": "tea", "name": "Ann", "password": "x"});
    let ann_is = ann.ask("room:join", join.clone()).await["ok"].clone();
    ben.ask("room:join", join.clone()).await;

    // Its own ghost does not keep it out, whatever became of the connection.
    ann.session.gone(Gone::Lost).await;
    let mut again = connect(&server);
    assert_eq!(code(&again.ask("room:join", join.clone()).await), "room_full");
    let replace = json!({"room": "tea", "name": "Ann", "replaces": ann_is["resume"]});
    let again_is = again.ask("room:join", replace).await["ok"].clone();
    assert_eq!(again_is["resumed"], false);
    assert_eq!(ben.hears("participant:left").await, json!({"id": id(&ann_is)}));
    assert_eq!(ben.hears("participant:joined").await, again_is["self"]);

    again.session.gone(Gone::GoingAway).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(ben.hears("participant:left").await, json!({"id": id(&again_is)}));
}
