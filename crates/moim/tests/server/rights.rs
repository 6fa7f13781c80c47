//! Rights of participants, enforced by the media server: a client that ignores what a host decided
//! reaches nobody.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    api::Api,
    caller::{Caller, Seen, stamp_time, url},
    support::Server,
    tokens,
    upgrade::until,
};

/// Acceptance check R3: the longest time for which audio goes on after a decision.
const MAX_DELAY: Duration = Duration::from_millis(200);
/// The time without audio that proves it, in time of the senders' stamps.
const SILENCE: Duration = Duration::from_secs(1);
const HOST: u32 = 0;
const OBSTINATE: u32 = 1;
const LISTENER: u32 = 2;

/// Callers obey no host: they never turn their microphone off.
async fn call(room: &str) -> (Server, [Caller; 3]) {
    let server = Server::start(&["--topology", "sfu"]);
    let at = url(server.address());
    let join = async |number| {
        let caller = Caller::join(&at, room, number, false);
        until(std::slice::from_ref(&caller), "joined", |seen| seen.sessions == 1).await;
        caller
    };
    let callers = [join(HOST).await, join(OBSTINATE).await, join(LISTENER).await];
    until(&callers, "everybody hears everybody", |seen| seen.heard == 2).await;
    (server, callers)
}

/// Has the host make a request, after which the obstinate caller is no longer heard.
async fn is_silenced_by(callers: &[Caller; 3], event: &'static str, payload: Value) {
    let [host, obstinate, listener] = callers;
    silences((host, HOST), (obstinate, OBSTINATE), &[listener], event, payload).await;
}

/// Has a host make a request, after which no listener hears the obstinate caller any more. Callers
/// come with their numbers.
pub(crate) async fn silences(
    (host, host_number): (&Caller, u32),
    (obstinate, number): (&Caller, u32),
    listeners: &[&Caller],
    event: &'static str,
    payload: Value,
) {
    host.request(event, payload).await;
    let decided = stamp_time();
    let sent = obstinate.seen().sent;
    let of = |seen: &Seen, publisher| seen.newest.get(&publisher).copied().unwrap_or_default();
    for listener in listeners {
        // The host's audio, which comes the same way, shows that the listener is up to date.
        until(std::slice::from_ref(*listener), "the host is still heard", |seen| {
            of(seen, host_number) > decided + MAX_DELAY + SILENCE
        })
        .await;
        let last = of(&listener.seen(), number);
        assert!(last <= decided + MAX_DELAY, "heard {:?} later", last.saturating_sub(decided));
    }
    assert!(obstinate.seen().sent > sent + 30, "it goes on sending");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r3_audio_of_a_muted_client_that_ignores_it_ends_within_200_ms() {
    let (_server, callers) = call("muted").await;
    let mute = json!({"participants": [callers[1].seen().id], "sources": ["microphone"]});
    is_silenced_by(&callers, "room:mute", mute).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r2_media_of_a_viewer_that_goes_on_sending_reaches_nobody() {
    let (_server, callers) = call("viewer").await;
    let role = json!({"participant": callers[1].seen().id, "role": "viewer"});
    is_silenced_by(&callers, "room:role", role).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn participant_without_subscribe_gets_no_packet_until_the_api_grants_it() {
    let server = tokens::server(&["--topology", "sfu"]);
    let at = url(server.address());
    let deaf = tokens::token(json!({
        "sub": "deaf",
        "video": {"roomJoin": true, "room": "tea", "canSubscribe": false},
    }));
    let deaf = Caller::join_with(&at, "tea", 1, false, Some(deaf));
    let [publisher, listener] = [0, 2].map(|number| Caller::join(&at, "tea", number, false));
    let callers = [publisher, deaf, listener];
    // The deaf one is heard over its link, so it could receive.
    until(&callers[..1], "the publisher hears both", |seen| seen.heard == 2).await;
    until(&callers[2..], "the listener hears both", |seen| seen.heard == 2).await;
    let sent = callers[0].seen().sent;
    until(&callers[..1], "two seconds of audio", |seen| seen.sent > sent + 100).await;
    assert_eq!(callers[1].seen().received, 0);

    let api = Api::new(&server, "rooms");
    let id = callers[1].seen().id;
    let subscribe = |may: bool| {
        let reply =
            api.send(&format!("PATCH /rooms/tea/participants/{id}"), &json!({ "subscribe": may }));
        assert_eq!((reply.status, &reply.body["subscribes"]), (200, &may.into()), "{reply:?}");
    };
    subscribe(true);
    until(&callers[1..2], "it hears both", |seen| seen.heard == 2).await;
    subscribe(false);
    let decided = stamp_time();
    let heard = |caller: &Caller| caller.seen().newest.get(&0).copied().unwrap_or_default();
    until(&callers[2..], "the listener hears on", |_| {
        heard(&callers[2]) > decided + MAX_DELAY + SILENCE
    })
    .await;
    let last = heard(&callers[1]);
    assert!(last <= decided + MAX_DELAY, "heard {:?} later", last.saturating_sub(decided));
}
