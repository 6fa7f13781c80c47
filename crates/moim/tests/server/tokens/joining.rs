//! Joining by token.

use super::{issuer::Publisher, *};

#[test]
fn r1_token_joins_its_room_and_no_other() {
    let server = server(&[]);
    let (reply, _ann) = join(&server, "tea", json!({"token": token(json!({}))}));
    let me = &reply["ok"]["self"];
    assert_eq!(me["name"], "Ann", "the name of the token: {reply}");
    // The host is who the application makes host, not who comes first.
    assert_eq!(me["role"], "speaker");
    assert_eq!(refused(&server, "milk", &token(json!({}))), "wrong_room");
    let (reply, _) = join(&server, "milk", json!({}));
    assert!(reply["ok"].is_object(), "the room is open to others: {reply}");
    let none = json!({"video": {"room": "tea"}});
    assert_eq!(refused(&server, "tea", &token(none)), "forbidden");
    let host =
        json!({"sub": "hana", "video": {"roomJoin": true, "room": "tea", "roomAdmin": true}});
    let (reply, _hana) = join(&server, "tea", json!({"token": token(host)}));
    assert_eq!(reply["ok"]["self"]["role"], "host", "{reply}");
}

#[test]
fn r1_expired_unsigned_and_forged_tokens_are_refused() {
    let rsa = Issuer::rs256("a");
    let publisher = Publisher::new(&[&rsa]);
    let server = server(&["--jwks", &publisher.url()]);
    let idp = |changes: Value| claims("https://idp.example", changes);
    assert!(join(&server, "tea", json!({"token": rsa.token(&idp(json!({})))})).0["ok"].is_object());

    let (reply, _) = join(&server, "tea", json!({"token": token(json!({"exp": now() - 120}))}));
    assert_eq!(reply["error"]["code"], "token_expired");
    let text = reply["error"]["message"].as_str().unwrap();
    assert!(text.contains("expired at 20") && text.contains("this server shows 20"), "{text}");
    let early = token(json!({"nbf": now() + 120}));
    assert_eq!(refused(&server, "tea", &early), "token_expired");

    let anybody = Issuer::secret("x");
    let unsigned = anybody.token_as(&json!({"alg": "none"}), &claims("app", json!({})));
    let unsigned = format!("{}.", unsigned.rsplit_once('.').unwrap().0);
    assert_eq!(refused(&server, "tea", &unsigned), "invalid_token");
    assert_eq!(refused(&server, "tea", &anybody.token(&claims("app", json!({})))), "invalid_token");

    // Key confusion: the public key as the secret of an HMAC.
    let jwk = rsa.jwk();
    for secret in [jwk.to_string(), jwk["n"].as_str().unwrap().to_owned()] {
        let header = json!({"alg": "HS256", "kid": "a"});
        let forged = Issuer::secret(&secret).token_as(&header, &idp(json!({})));
        let (reply, _) = join(&server, "tea", json!({"token": forged}));
        assert_eq!(reply["error"]["code"], "invalid_token", "{reply}");
        assert!(reply["error"]["message"].as_str().unwrap().contains("RS256"), "{reply}");
    }
    for malformed in ["a", "a.b.c", "Ä"] {
        assert_eq!(refused(&server, "tea", malformed), "invalid_token");
    }
    assert_eq!(refused(&server, "tea", &"a".repeat(8193)), "invalid");
}

#[test]
fn r1_published_keys_follow_rotation_with_few_reads() {
    let (first, second) = (Issuer::es256("1"), Issuer::ed25519("2"));
    let publisher = Publisher::new(&[&first]);
    let server = server(&["--jwks", &publisher.url(), "--jwks-issuer", "idp"]);
    let joins = |issuer: &Issuer| {
        let token = issuer.token(&claims("idp", json!({})));
        join(&server, "tea", json!({"token": token})).0["ok"].is_object()
    };
    assert!(joins(&first));
    assert!(joins(&first));
    assert_eq!(publisher.reads(), 1);
    // Invented key ids cause no read within the next seconds.
    for _ in 0..5 {
        assert!(!joins(&second));
    }
    assert_eq!(publisher.reads(), 1);
    // A reload reads again, and finds the new key.
    publisher.publish(&[&first, &second]);
    crate::reload::order(&server);
    assert!(joins(&second));
    assert_eq!(publisher.reads(), 2);
    let stranger = first.token(&claims("another", json!({})));
    assert_eq!(refused(&server, "tea", &stranger), "invalid_token");
    let wiki = first.token(&claims("idp", json!({"aud": "wiki"})));
    assert_eq!(refused(&server, "tea", &wiki), "invalid_token");
}

#[test]
fn token_counts_from_the_handshake_too() {
    let server = server(&[]);
    let bearer = format!("Bearer {}", token(json!({"name": "By header"})));
    let mut stream = websocket_with(tcp(server.address()), &[("Authorization", &bearer)]);
    stream.write_all(&text_frame("40")).unwrap();
    assert!(frame(&mut stream).unwrap().1.starts_with(b"40{"));
    let reply = ask(&mut stream, "room:join", &json!({"room": "tea", "name": "X"}));
    assert_eq!(reply["ok"]["self"]["name"], "By header", "{reply}");

    let mut stream = crate::peer::websocket(tcp(server.address()));
    let auth = json!({"token": token(json!({"name": "By auth"}))});
    stream.write_all(&text_frame(&format!("40{auth}"))).unwrap();
    assert!(frame(&mut stream).unwrap().1.starts_with(b"40{"));
    let reply = ask(&mut stream, "room:join", &json!({"room": "milk", "name": "X"}));
    assert_eq!(reply["error"]["code"], "wrong_room", "{reply}");
    let reply = ask(&mut stream, "room:join", &json!({"room": "tea", "name": "X"}));
    assert_eq!(reply["ok"]["self"]["name"], "By auth", "{reply}");
}

#[test]
fn token_stands_in_for_the_password_and_limits_what_its_holder_may_do() {
    let server = server(&["--topology", "sfu"]);
    let mut hana = connect(&server);
    let create = json!({"name": "tea", "password": "sesame"});
    assert!(ask(&mut hana, "room:create", &create)["ok"].is_object());
    assert_eq!(join(&server, "tea", json!({})).0["error"]["code"], "password_required");
    let video =
        json!({"roomJoin": true, "room": "tea", "canPublish": false, "canPublishData": false});
    let (reply, mut ann) = join(
        &server,
        "tea",
        json!({
            "token": token(json!({"video": video})), "media": {"mic": true, "camera": true, "screen": false, "hand": false}
        }),
    );
    let me = &reply["ok"]["self"];
    assert_eq!(me["role"], "viewer", "{reply}");
    assert_eq!((&me["media"]["mic"], &me["media"]["camera"]), (&json!(false), &json!(false)));
    let chat = ask(&mut ann, "chat", &json!({"text": "hello"}));
    assert_eq!(chat["error"]["code"], "forbidden", "{chat}");
    // Nor does it shed its limits by joining again in its own place.
    let replaces = reply["ok"]["resume"].clone();
    let (reply, mut ann) = join(&server, "tea", json!({"replaces": replaces}));
    assert!(reply["ok"].is_object(), "{reply}");
    let chat = ask(&mut ann, "chat", &json!({"text": "hello"}));
    assert_eq!(chat["error"]["code"], "forbidden", "{chat}");
}

#[test]
fn removed_identity_stays_out_with_new_tokens_and_devices() {
    let server = server(&[]);
    let host =
        json!({"sub": "hana", "video": {"roomJoin": true, "room": "tea", "roomAdmin": true}});
    let (_, mut hana) = join(&server, "tea", json!({"token": token(host)}));
    let enter = |id: &str, device: &str| {
        let token = token(json!({"sub": "ann", "jti": id}));
        join(&server, "tea", json!({"token": token, "device": device}))
    };
    let (reply, _ann) = enter("1", "device-secret-0001");
    let remove = json!({"participant": reply["ok"]["self"]["id"]});
    assert!(ask(&mut hana, "room:remove", &remove)["ok"].is_object());
    assert_eq!(enter("2", "device-secret-0002").0["error"]["code"], "banned");
    let resumed = json!({"resume": reply["ok"]["resume"], "device": "device-secret-0003"});
    assert_eq!(join(&server, "tea", resumed).0["error"]["code"], "resume_expired");
    let other = token(json!({"sub": "ben"}));
    assert!(join(&server, "tea", json!({"token": other})).0["ok"].is_object());
}

#[test]
fn reload_replaces_keys() {
    let server = server(&[]);
    let old = token(json!({}));
    assert!(join(&server, "tea", json!({"token": old})).0["ok"].is_object());
    let secret = SECRET.replace('0', "x");
    fs::write(server.data().join("keys"), format!("next:{secret}\n")).unwrap();
    crate::reload::order(&server);
    assert_eq!(refused(&server, "tea", &old), "invalid_token");
    let new = Issuer::secret(&secret).token(&claims("next", json!({})));
    assert!(join(&server, "tea", json!({"token": new})).0["ok"].is_object());
}
