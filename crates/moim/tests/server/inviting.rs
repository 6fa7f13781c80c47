//! Invitations by the API, and templates of rooms.

use std::fs;

use serde_json::{Value, json};

use crate::{
    api::{Api, Page},
    support::Server,
};

#[test]
fn application_invites_by_the_api_and_its_key_leads_into_the_room() {
    let server = Server::start(&[]);
    let api = Api::new(&server, "rooms");
    let room = json!({ "name": "tea & milk", "password": "sesame" });
    assert_eq!(api.send("POST /rooms", &room).status, 201);
    let path = "/rooms/tea%20%26%20milk/invitations";
    let terms = json!({ "role": "viewer", "uses": 1, "expires_in_seconds": 60 });
    let made = api.send(&format!("POST {path}"), &terms);
    assert_eq!(made.status, 201, "{made:?}");
    let key = made.body["key"].as_str().unwrap();
    assert_eq!(made.body["path"], format!("/r/tea%20%26%20milk#k={key}"));
    let listed = api.get(path);
    assert_eq!(listed["items"][0]["role"], "viewer");
    assert!(!listed.to_string().contains(key));

    let enter = |more: Value| Page::enter(&server, "tea & milk", "Mina", &more).1;
    assert_eq!(enter(json!({}))["error"]["code"], "password_required");
    let (_mina, reply) = Page::enter(&server, "tea & milk", "Mina", &json!({ "invitation": key }));
    assert_eq!(reply["ok"]["self"]["role"], "viewer", "{reply}");
    assert_eq!(enter(json!({ "invitation": key }))["error"]["code"], "invitation_used_up");

    let id = listed["items"][0]["id"].as_str().unwrap();
    assert_eq!(api.send(&format!("DELETE {path}/{id}"), &Value::Null).status, 204);
    assert_eq!(api.send(&format!("DELETE {path}/{id}"), &Value::Null).status, 404);
    assert_eq!(enter(json!({ "invitation": key }))["error"]["code"], "invitation_revoked");
    for wrong in [json!({}), json!({ "role": "host" }), json!({ "role": "viewer", "uses": 0 })] {
        let status = api.send(&format!("POST {path}"), &wrong).status;
        assert!([400, 422].contains(&status), "{wrong}: {status}");
    }
    let reader = Api::new(&server, "read");
    assert_eq!(reader.send(&format!("POST {path}"), &terms).status, 403);
}

#[test]
fn rooms_of_a_template_have_its_rules_and_end_with_their_host() {
    let folder = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let text = "[template.class]\nentry = 'locked'\nchat = 'hosts'\ncapacity = 40\n\
        listed = false\nwhen-hosts-leave = 'end'\n";
    fs::write(folder.path().join("moim.toml"), text).unwrap();
    let server = Server::start_in(folder, &[]);
    let api = Api::new(&server, "rooms");
    let create = |name: &str, template: &str| {
        api.send("POST /rooms", &json!({ "name": name, "template": template }))
    };
    let made = create("tea", "class");
    assert_eq!(made.status, 201, "{made:?}");
    let settings = &made.body["settings"];
    assert_eq!((&settings["capacity"], &settings["policy"]["chat"]), (&json!(40), &json!("hosts")));
    assert_eq!(create("milk", "none").status, 422);
    let (mut host, joined) = Page::join(&server, "tea", "Hana");
    assert_eq!(joined["self"]["role"], "host", "the first is not locked out: {joined}");
    let refused = Page::enter(&server, "tea", "Jun", &json!({})).1;
    assert_eq!(refused["error"]["code"], "room_locked", "{refused}");
    let open = json!({ "policy": { "entry": "open" } });
    assert!(host.request("room:settings", &open)["ok"].is_object());
    let (mut jun, _) = Page::join(&server, "tea", "Jun");
    host.request("room:leave", &json!({}));
    assert_eq!(jun.event("room:dismissed"), json!({ "reason": "ended" }));
}
