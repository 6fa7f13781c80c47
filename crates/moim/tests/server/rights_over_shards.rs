//! Rights of participants whose links to the media server are on different shards: no request without
//! its right has any effect.

use room::{
    Rejection,
    protocol::{Allowed, Policy},
    rights::{Right, Rights, Role},
};
use serde_json::{Value, json};

use crate::{
    api::{Api, Page},
    caller::{Caller, stamp_time, url},
    peer::get,
    rights::silences,
    support::Server,
    tokens,
    upgrade::until,
};

/// The types of the protocol, generated from the server's.
const TYPES: &str = include_str!("../../../../web/packages/client/src/protocol.ts");
/// The first four links of a room share a shard, the others are on the other one.
const AT_HOME: usize = 4;
/// Roles of the callers, by their numbers. The last one is held by its token.
const ROLES: [Role; 9] = [
    Role::Host,
    Role::CoHost,
    Role::Speaker,
    Role::Viewer,
    Role::CoHost,
    Role::Speaker,
    Role::Viewer,
    Role::Speaker,
    Role::Speaker,
];
const HOST: usize = 0;
const TOKEN: usize = 8;

/// Each request towards a participant, and the right that it requires.
fn requests(to: &str, invitation: &str) -> Vec<(&'static str, Option<Right>, Value)> {
    let media = json!({"mic": true, "camera": false, "screen": false, "hand": false});
    let microphone = json!(["microphone"]);
    let mute = json!({"participants": [to], "sources": microphone});
    vec![
        ("chat", Some(Right::Chat), json!({"text": "forbidden"})),
        ("reaction", Some(Right::React), json!({"emoji": "👏"})),
        ("signal", Some(Right::Signal), json!({"to": to, "candidate": {"candidate": "c"}})),
        ("subscribe", Some(Right::Subscribe), json!({"tracks": []})),
        ("file:signal", Some(Right::SendFiles), {
            let file = "0123456789abcdef";
            json!({"to": to, "file": file, "attempt": 1, "candidate": {"candidate": "c"}})
        }),
        ("poll:ask", Some(Right::Poll), json!({"question": "forbidden", "options": ["a", "b"]})),
        ("poll:close", Some(Right::Poll), json!({"poll": 1})),
        ("poll:remove", Some(Right::Poll), json!({"poll": 1})),
        ("poll:vote", Some(Right::React), json!({"poll": 1, "options": [0]})),
        ("room:mute", Some(Right::Mute), mute),
        ("room:mute", Some(Right::Mute), json!({"sources": microphone})),
        ("room:unmute", Some(Right::Mute), json!({"participant": to, "sources": microphone})),
        ("room:lower_hands", Some(Right::Mute), json!({"participants": [to]})),
        ("room:lower_hands", Some(Right::Mute), json!({})),
        ("room:spotlight", Some(Right::Mute), json!({"participants": [to]})),
        ("room:remove", Some(Right::Remove), json!({"participant": to})),
        ("room:admit", Some(Right::Admit), json!({})),
        ("room:deny", Some(Right::Admit), json!({})),
        ("room:invite", Some(Right::Admit), json!({"role": "speaker"})),
        ("room:revoke", Some(Right::Admit), json!({"invitation": invitation})),
        ("room:invitations", Some(Right::Admit), json!({})),
        ("room:settings", Some(Right::Lock), json!({"capacity": 50, "password": "forbidden"})),
        ("room:role", Some(Right::Roles), json!({"participant": to, "role": "co_host"})),
        ("room:end", Some(Right::End), json!({})),
        // These need no right: what somebody publishes without one is not forwarded.
        ("publish", None, json!({"tracks": []})),
        ("file:withdraw", None, json!({"file": "0123456789abcdef"})),
        ("media", None, media),
        ("direct", None, json!({"direct": false})),
        ("handover", None, json!({"to": to, "topology": "sfu"})),
        ("report", None, json!({})),
        ("room:list", None, json!({})),
        ("room:create", None, json!({})),
        ("room:check", None, json!({})),
        ("room:join", None, json!({})),
        ("room:leave", None, json!({})),
    ]
}

#[test]
fn table_has_every_request_of_the_protocol() {
    let (_, requests_on) = TYPES.split_once("export interface Requests {").unwrap();
    let (requests_of_protocol, _) = requests_on.split_once('}').unwrap();
    let names = requests_of_protocol.lines().filter_map(|line| line.split_once(": ["));
    let mut names: Vec<_> = names.map(|(name, _)| name.trim().trim_matches('"')).collect();
    let mut known: Vec<_> = requests("", "").into_iter().map(|(name, ..)| name).collect();
    known.dedup();
    names.sort_unstable();
    known.sort_unstable();
    assert_eq!(known, names);
}

/// A room of nine on two shards, in which everybody goes on sending audio.
struct World {
    server: Server,
    callers: Vec<Caller>,
    policy: Policy,
    invitation: String,
    /// Somebody in the waiting room.
    waiting: Page,
}

impl World {
    async fn new() -> Self {
        let server = tokens::server(&["--topology", "sfu", "--shards", "2"]);
        let at = url(server.address());
        let video = json!({
            "roomJoin": true, "room": "tea", "canSubscribe": false, "canPublishData": false,
        });
        let token = tokens::token(json!({"sub": "held", "video": video}));
        let mut callers = Vec::new();
        for index in 0..ROLES.len() {
            let number = u32::try_from(index).unwrap();
            let token = (index == TOKEN).then(|| token.clone());
            let caller = Caller::join_with(&at, "tea", number, false, token);
            until(std::slice::from_ref(&caller), "joined", |seen| seen.sessions == 1).await;
            callers.push(caller);
        }
        // Whoever hears all has a link, in the order of joining.
        let hearing = &callers[..TOKEN];
        until(hearing, "everybody hears everybody", |seen| seen.heard == ROLES.len() - 1).await;
        let metrics = get(&server, "/metrics");
        let relayed = metrics
            .text()
            .lines()
            .find_map(|line| line.strip_prefix("moim_media_relayed_total ")?.parse::<f64>().ok());
        assert!(relayed.is_some_and(|packets| packets > 0.0), "the room is on two shards");
        let host = &callers[HOST];
        for (caller, role) in callers.iter().zip(ROLES).take(TOKEN).skip(1) {
            let role = json!({"participant": caller.seen().id, "role": role});
            host.request("room:role", role).await;
        }
        let policy = json!({"chat": "hosts", "entry": "waiting"});
        let rules = json!({"policy": policy, "capacity": ROLES.len() + 1});
        host.request("room:settings", rules).await;
        let made = host.request("room:invite", json!({"role": "viewer"})).await;
        let invitation = made["invitation"]["id"].as_str().unwrap().to_owned();
        let (waiting, reply) = Page::enter(&server, "tea", "Wanda", &json!({}));
        assert_eq!(reply["error"]["code"], "waiting", "{reply}");
        let policy = Policy { chat: Allowed::Hosts, ..Policy::default() };
        Self { server, callers, policy, invitation, waiting }
    }

    /// Rights of a caller: those of its role, within its token.
    fn rights(&self, index: usize) -> Rights {
        let rights = Rights::of(ROLES[index], self.policy);
        if index != TOKEN {
            return rights;
        }
        [Right::Subscribe, Right::Chat, Right::React].into_iter().fold(rights, Rights::without)
    }

    /// Somebody whose link is on the other shard: a viewer, or for a viewer a speaker.
    fn target_of(&self, index: usize) -> String {
        let role = if ROLES[index] == Role::Viewer { Role::Speaker } else { Role::Viewer };
        let is_other = |other: &usize| (*other < AT_HOME) != (index < AT_HOME);
        let target = (0..TOKEN).filter(is_other).find(|other| ROLES[*other] == role);
        self.callers[target.unwrap()].seen().id
    }

    /// All that requests could change, as the operator sees it.
    fn state(&self) -> Value {
        let api = Api::new(&self.server, "read");
        let mut participants = api.get("/rooms/tea/participants")["items"].clone();
        for participant in participants.as_array_mut().unwrap() {
            participant.as_object_mut().unwrap().remove("quality");
        }
        let rest = ["settings", "waiting", "invitations"]
            .map(|part| api.get(&format!("/rooms/tea/{part}")));
        json!([participants, rest])
    }

    /// Waits until everybody else has received all that the room has sent until now; returns what
    /// came since `before`.
    async fn events_since(&self, before: &[usize], marker: String) -> Vec<(usize, Vec<String>)> {
        self.callers[HOST].say(&marker);
        until(&self.callers[1..], "the marker", |seen| seen.chat.last() == Some(&marker)).await;
        let new = |(index, caller): (usize, &Caller)| {
            let events = caller.seen().events.split_off(before[index]);
            (!events.is_empty()).then_some((index, events))
        };
        self.callers.iter().enumerate().filter_map(new).collect()
    }
}

/// Every request by every role, each towards somebody on the other shard.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn request_without_its_right_has_no_effect_on_any_shard() {
    let mut world = World::new().await;
    assert_eq!(world.events_since(&[0; ROLES.len()], "begin".to_owned()).await.len(), ROLES.len());
    let before = world.state();
    let forbidden = Rejection::Forbidden.to_string();
    let mut refused = Vec::new();
    for (index, role) in ROLES.into_iter().enumerate() {
        let counts: Vec<_> =
            world.callers.iter().map(|caller| caller.seen().events.len()).collect();
        let rights = world.rights(index);
        let all = requests(&world.target_of(index), &world.invitation);
        for (name, right, payload) in all {
            if right.is_none_or(|right| rights.has(right)) {
                continue;
            }
            let reply = world.callers[index].try_request(name, payload).await;
            assert_eq!(reply, Err(forbidden.clone()), "{name} by {role:?} {index}");
            refused.push((name, index));
        }
        let events = world.events_since(&counts, format!("after {index}")).await;
        assert!(events.is_empty(), "of {role:?} {index}: {events:?}");
        assert_eq!(world.state(), before, "after {role:?} {index}");
    }
    // No role has all of them, and the table is not empty for want of a right.
    let count = |name: &str| refused.iter().filter(|(refused, _)| *refused == name).count();
    assert_eq!((count("room:end"), count("room:remove"), count("subscribe")), (8, 6, 1));
    assert_eq!((count("room:role"), count("chat"), count("reaction")), (8, 6, 1));
    for caller in &world.callers {
        let chat = caller.seen().chat;
        assert!(chat.iter().all(|text| text != "forbidden"), "{chat:?}");
    }

    // Media, too: two viewers send on, and the one that may not receive is sent nothing.
    let audible = |index: usize| ROLES[index] != Role::Viewer;
    let (since, of_held) = (stamp_time(), world.callers[TOKEN].seen().received);
    let second = std::time::Duration::from_secs(1);
    let is_heard = |seen: &crate::caller::Seen, index: usize| {
        let number = u32::try_from(index).unwrap();
        seen.newest.get(&number).is_some_and(|newest| *newest > since + second)
    };
    for (index, caller) in world.callers.iter().enumerate().take(TOKEN) {
        let others = || (0..ROLES.len()).filter(|other| *other != index);
        until(std::slice::from_ref(caller), "all who may publish are heard", |seen| {
            others().filter(|other| audible(*other)).all(|other| is_heard(seen, other))
        })
        .await;
        let seen = caller.seen();
        let viewers = others().filter(|other| !audible(*other));
        assert!(!viewers.into_iter().any(|other| is_heard(&seen, other)), "{index}: {seen:?}");
    }
    assert_eq!((of_held, world.callers[TOKEN].seen().received), (0, 0));

    // Requests with the right reach the other shard: a mute, and a role.
    let host = (&world.callers[HOST], 0);
    let listeners = [&world.callers[2], &world.callers[4]];
    let (obstinate, id) = ((&world.callers[5], 5), world.callers[5].seen().id);
    let mute = json!({"participants": [id], "sources": ["microphone"]});
    silences(host, obstinate, &listeners, "room:mute", mute).await;
    let (obstinate, id) = ((&world.callers[7], 7), world.callers[7].seen().id);
    let role = json!({"participant": id, "role": "viewer"});
    silences(host, obstinate, &listeners, "room:role", role).await;
    world.callers[4].request("room:admit", json!({})).await;
    world.waiting.event("room:admitted");
}
