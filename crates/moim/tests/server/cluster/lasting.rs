//! Decisions that must last in a cluster: answered once the log has them.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{key, metric, pair, redis::RedisProcess};
use crate::{
    api::{Api, Page},
    support::{DEADLINE, Server, within},
};

fn device(name: &str) -> Value {
    json!({ "device": format!("device-secret-of-{name}") })
}

fn done(page: &mut Page, request: &str, payload: &Value) {
    assert_eq!(page.request(request, payload), json!({ "ok": {} }), "{request}");
}

/// The code with which somebody is refused.
fn refused(server: &Server, name: &str, more: &Value) -> String {
    let (_, reply) = Page::enter(server, "tea", name, more);
    reply["error"]["code"].as_str().unwrap_or_else(|| panic!("admitted: {reply}")).to_owned()
}

/// Two servers of which the other can take rooms over by now.
fn listening_pair(redis: &RedisProcess, key: &str) -> [Server; 2] {
    let servers = pair(redis, key);
    // A server believes in the absence of another only after it has listened for a lease.
    std::thread::sleep(Duration::from_millis(2500));
    servers
}

#[test]
fn decisions_of_hosts_and_operators_outlive_the_server_that_answered() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let [mut owner, other] = listening_pair(&redis, &key);
    let (mut host, joined) = Page::enter(&owner, "tea", "Hana", &device("hana"));
    assert_eq!(joined["ok"]["self"]["role"], "host", "{joined}");
    let (_mallory, mallory) = Page::enter(&other, "tea", "Mallory", &device("mallory"));
    let made = host.request("room:invite", &json!({ "role": "speaker" }))["ok"].clone();
    done(&mut host, "room:settings", &json!({ "password": "sesame" }));
    let id = &mallory["ok"]["self"]["id"];
    done(&mut host, "room:remove", &json!({ "participant": id }));
    done(&mut host, "room:revoke", &json!({ "invitation": made["invitation"]["id"] }));
    let api = Api::new(&owner, "rooms");
    let changed = api.send("PATCH /rooms/tea/settings", &json!({ "capacity": 3 }));
    assert_eq!(changed.status, 200, "{changed:?}");
    owner.signal(Signal::KILL);
    owner.ended();
    let right = json!({ "password": "sesame", "device": "device-secret-of-mallory" });
    assert_eq!(refused(&other, "Mallory", &right), "banned");
    assert_eq!(refused(&other, "Jun", &json!({})), "password_required");
    let revoked = json!({ "invitation": made["key"] });
    assert_eq!(refused(&other, "Jun", &revoked), "invitation_revoked");
    let (_, jun) = Page::enter(&other, "tea", "Jun", &json!({ "password": "sesame" }));
    assert_eq!(jun["ok"]["room"]["capacity"], 3, "{jun}");
}

#[test]
fn decision_is_not_saved_while_redis_is_away_and_is_once_it_is_back() {
    let Some(mut redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let [mut owner, other] = listening_pair(&redis, &key);
    let (mut host, _) = Page::enter(&owner, "tea", "Hana", &device("hana"));
    redis.kill();
    let begun = Instant::now();
    let unsaved = host.request("room:settings", &json!({ "password": "sesame" }));
    assert_eq!(unsaved["error"]["code"], "not_saved", "{unsaved}");
    assert!(begun.elapsed() >= Duration::from_secs(5), "it waits for Redis");
    let api = Api::new(&owner, "rooms");
    let unsaved = api.send("PATCH /rooms/tea/settings", &json!({ "capacity": 3 }));
    assert_eq!(unsaved.status, 503, "{unsaved:?}");
    // It counts all the same.
    assert_eq!(refused(&owner, "Jun", &json!({})), "password_required");
    redis.start_again();
    within(DEADLINE, "the log has it", || {
        (metric(&owner, "moim_cluster_rooms_unkept").as_deref() == Some("0")).then_some(())
    });
    done(&mut host, "room:settings", &json!({ "policy": { "chat": "hosts" } }));
    std::thread::sleep(Duration::from_millis(2500));
    owner.signal(Signal::KILL);
    owner.ended();
    assert_eq!(refused(&other, "Jun", &json!({})), "password_required");
}

#[test]
fn room_that_was_ended_for_all_is_not_restored() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let [mut owner, other] = listening_pair(&redis, &key);
    let (mut host, _) = Page::enter(&owner, "tea", "Hana", &device("hana"));
    let (_jun, jun) = Page::join(&other, "tea", "Jun");
    done(&mut host, "room:end", &json!({}));
    owner.signal(Signal::KILL);
    owner.ended();
    let resume = json!({ "resume": jun["resume"], "last": jun["last"] });
    assert_eq!(refused(&other, "Jun", &resume), "resume_expired");
    let (_, joined) = Page::join(&other, "tea", "Sun");
    assert_eq!(super::names(&joined), Vec::<&str>::new());
}
