//! Who may create and list rooms.

use super::*;

fn create(stream: &mut TcpStream, name: &str, token: Option<&str>) -> Value {
    ask(stream, "room:create", &json!({"name": name, "token": token}))
}

#[test]
fn everybody_may_create_and_list_by_default() {
    let server = server(&[]);
    let mut stream = connect(&server);
    assert!(create(&mut stream, "tea", None)["ok"].is_object());
    assert!(ask(&mut stream, "room:list", &json!({}))["ok"]["rooms"].is_array());
}

#[test]
fn api_alone_creates_rooms_and_tokens_open_theirs() {
    let server = server(&["--create", "api", "--list", "nobody"]);
    let mut stream = connect(&server);
    let reply = create(&mut stream, "tea", None);
    assert_eq!(reply["error"]["code"], "api_only", "{reply}");
    // Nor by joining, in either protocol.
    assert_eq!(join(&server, "tea", json!({})).0["error"]["code"], "api_only");
    assert_eq!(ask(&mut stream, "room:list", &json!({}))["error"]["code"], "api_only");
    stream.write_all(&text_frame(r#"42["join_room",{"room":"dialect"}]"#)).unwrap();
    let creator = token(json!({"video": {"roomCreate": true, "roomList": true}}));
    assert!(create(&mut stream, "milk", Some(&creator))["ok"].is_object());
    // Joined first, since the list follows the room's task.
    let (reply, _guest) = join(&server, "milk", json!({}));
    assert!(reply["ok"].is_object(), "an open room admits all: {reply}");
    assert_eq!(reply["ok"]["self"]["role"], "speaker", "nobody is host by coming first");
    let list = ask(&mut stream, "room:list", &json!({"token": creator}));
    let rooms = list["ok"]["rooms"].as_array().unwrap();
    assert_eq!(rooms.len(), 1, "{list}");
    assert_eq!(rooms[0]["name"], "milk");
    // A join token opens its room, unless it says otherwise.
    let never = json!({"video": {"roomJoin": true, "room": "tea", "roomCreate": false}});
    assert_eq!(refused(&server, "tea", &token(never)), "api_only");
    let (reply, _ann) = join(&server, "tea", json!({"token": token(json!({}))}));
    assert!(reply["ok"].is_object(), "{reply}");
    assert!(join(&server, "tea", json!({})).0["ok"].is_object());
}

/// The lists of dialects, too, are for those who may see and make rooms.
#[test]
fn dialects_obey_the_policy() {
    let listed = |server: &Server| {
        let mut stream = connect(server);
        let make = r#"42["make room",{"roomName":"Tea","roomID":"1"}]"#;
        stream.write_all(&text_frame(make)).unwrap();
        stream.write_all(&text_frame(r#"42["get room list"]"#)).unwrap();
        // Answered after both events.
        stream.write_all(&text_frame(r#"421["room:leave",{}]"#)).unwrap();
        let mut seen = Vec::new();
        loop {
            let (_, bytes) = frame(&mut stream).unwrap();
            let text = String::from_utf8(bytes).unwrap();
            if text.starts_with("431") {
                return seen;
            }
            seen.push(text);
        }
    };
    assert!(listed(&server(&[])).iter().any(|text| text.contains("Tea")));
    let none = listed(&server(&["--create", "api", "--list", "nobody"]));
    assert!(!none.iter().any(|text| text.contains("room list")), "{none:?}");
}

#[test]
fn token_opens_its_room_by_a_template() {
    let server = server(&[]);
    let text = "[template.class]\nchat = 'hosts'\nnewcomers = 'viewer'\n";
    fs::write(server.data().join("moim.toml"), text).unwrap();
    crate::reload::order(&server);
    let with = |template: &str| token(json!({"moim": {"template": template}}));
    assert_eq!(refused(&server, "tea", &with("none")), "invalid");
    let (reply, _ann) = join(&server, "tea", json!({"token": with("class")}));
    assert_eq!(reply["ok"]["policy"]["chat"], "hosts", "{reply}");
    assert_eq!(reply["ok"]["self"]["role"], "viewer", "{reply}");
}

#[test]
fn policy_is_reloaded() {
    let server = server(&[]);
    fs::write(server.data().join("moim.toml"), "create = 'api'\nlist = 'nobody'\n").unwrap();
    let applied = crate::reload::order(&server);
    assert!(applied.contains("create") && applied.contains("list"), "{applied}");
    let mut stream = connect(&server);
    assert_eq!(create(&mut stream, "tea", None)["error"]["code"], "api_only");
    fs::write(server.data().join("moim.toml"), "create = 'nobody'\n").unwrap();
    assert!(crate::reload::order(&server).contains("line 1"));
}
