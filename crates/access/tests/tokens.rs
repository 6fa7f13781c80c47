//! Verification of tokens, on a given clock.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::needless_pass_by_value)]

mod signer;

use access::{
    ApiKey, Audience, KeyRing, KeySet, LEEWAY_SECONDS, MAX_TOKEN_BYTES, Role, Source, Token,
    TokenError, UnixTime,
};
use serde_json::{Value, json};

use signer::Signer;

const NOW: UnixTime = UnixTime(1_800_000_000);
const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn ring() -> KeyRing {
    let key = |name: &str, secret: &str| format!("{name}:{secret}").parse::<ApiKey>().unwrap();
    let other = SECRET.replace('0', "x");
    KeyRing { api_keys: vec![key("app", SECRET), key("other", &other)], ..KeyRing::default() }
}

/// Claims of a participant of the room `tea`, with changes.
fn claims(changes: Value) -> Value {
    let mut claims = json!({
        "iss": "app", "sub": "ann", "name": "Ann", "exp": NOW.0 + 600, "nbf": NOW.0,
        "video": {"roomJoin": true, "room": "tea"},
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn verify(token: &str) -> Result<Token, TokenError> {
    ring().verify(NOW, None, token)
}

fn verified(changes: Value) -> Token {
    verify(&Signer::secret(SECRET).token(&claims(changes))).unwrap()
}

fn refused(changes: Value) -> TokenError {
    verify(&Signer::secret(SECRET).token(&claims(changes))).unwrap_err()
}

#[test]
fn token_of_an_api_key_joins_its_room_and_no_other() {
    let token = verified(json!({}));
    assert_eq!((token.identity.as_str(), token.name.as_deref()), ("ann", Some("Ann")));
    assert!(token.is_of_api_key);
    assert_eq!(token.check_join(|room| room == "tea"), Ok(()));
    assert_eq!(token.check_join(|room| room == "milk"), Err(TokenError::WrongRoom));
    assert_eq!(token.check_admin(|_| true), Err(TokenError::NotGranted("roomAdmin")));
    assert_eq!(token.check_create(), Err(TokenError::NotGranted("roomCreate")));
    assert_eq!(token.check_list(), Err(TokenError::NotGranted("roomList")));
    assert_eq!(token.role(), None);
    assert!(token.may_subscribe() && token.may_send_data() && token.opens_room());
}

#[test]
fn token_without_room_joins_none() {
    for video in [json!({"roomJoin": true}), json!({"roomJoin": true, "room": ""})] {
        assert!(verified(json!({"video": video})).check_join(|_| true).is_err());
    }
    for video in [json!({"room": "tea"}), json!({"room": "tea", "roomJoin": false}), json!(null)] {
        let denied = verified(json!({"video": video})).check_join(|_| true);
        assert_eq!(denied, Err(TokenError::NotGranted("roomJoin")));
    }
}

#[test]
fn expired_token_is_refused_with_both_clocks() {
    let expired = |ago: u64| json!({"exp": NOW.0 - ago});
    assert!(verify(&Signer::secret(SECRET).token(&claims(expired(LEEWAY_SECONDS)))).is_ok());
    let error = refused(expired(LEEWAY_SECONDS + 1));
    assert!(error.is_about_time());
    let text = error.to_string();
    assert!(text.contains("expired at 2027-01-15T07:58:59Z"), "{text}");
    assert!(text.contains("shows 2027-01-15T08:00:00Z"), "{text}");
    let error = refused(json!({"nbf": NOW.0 + LEEWAY_SECONDS + 1}));
    assert!(error.is_about_time() && error.to_string().contains("2027-01-15T08:01:01Z"), "{error}");
    assert_eq!(refused(json!({"exp": null})), TokenError::NoExpiry);
    // Some libraries write fractions.
    assert_eq!(verified(json!({"exp": 1_800_000_000.7})).expiry, NOW);
    let far = verified(json!({"exp": 1e300}));
    assert_eq!(far.expiry, UnixTime(u64::MAX));
    assert!(refused(json!({"exp": -5})).is_about_time());
}

#[test]
fn unsigned_token_is_refused() {
    for alg in ["none", "None", "NONE"] {
        let token = signer::unsigned(alg, &claims(json!({})));
        assert_eq!(verify(&token), Err(TokenError::Unsigned));
    }
    // Without its signature, with that of another key, or changed.
    let token = Signer::secret(SECRET).token(&claims(json!({})));
    let (message, signature) = token.rsplit_once('.').unwrap();
    assert_eq!(verify(&format!("{message}.")), Err(TokenError::WrongSignature));
    let other = Signer::secret(SECRET.replace('0', "x")).token(&claims(json!({})));
    assert_eq!(verify(&other), Err(TokenError::WrongSignature));
    let host = Signer::secret("x").token(&claims(json!({"sub": "host"})));
    let (message, _) = host.rsplit_once('.').unwrap();
    assert_eq!(verify(&format!("{message}.{signature}")), Err(TokenError::WrongSignature));
}

#[test]
fn token_of_an_unknown_issuer_is_refused() {
    assert_eq!(refused(json!({"iss": "stranger"})), TokenError::UnknownKey);
    assert_eq!(refused(json!({"iss": null})), TokenError::UnknownKey);
    // A key's secret signs for that key alone.
    assert_eq!(refused(json!({"iss": "other"})), TokenError::WrongSignature);
}

#[test]
fn published_keys_verify_each_algorithm() {
    for signer in [Signer::rs256("a"), Signer::es256("a"), Signer::ed25519("a")] {
        let keys = KeySet::parse(signer.jwks().to_string().as_bytes()).unwrap();
        let token = signer.token(&claims(json!({"iss": "https://login.example"})));
        let verified = ring().verify(NOW, Some(&keys), &token).unwrap();
        assert!(!verified.is_of_api_key);
        assert_eq!(ring().verify(NOW, None, &token), Err(TokenError::UnknownKey));
        // Another key with the same id.
        let other = KeySet::parse(signer.again().jwks().to_string().as_bytes()).unwrap();
        assert_eq!(ring().verify(NOW, Some(&other), &token), Err(TokenError::WrongSignature));
    }
}

#[test]
fn public_key_is_no_secret() {
    let signer = Signer::rs256("a");
    let jwks = signer.jwks();
    let keys = KeySet::parse(jwks.to_string().as_bytes()).unwrap();
    // What an attacker knows of the key, in the forms in which libraries have taken it as a secret.
    let key = &jwks["keys"][0];
    let forms = [signer.public_der(), key.to_string().into(), key["n"].as_str().unwrap().into()];
    for form in forms {
        for header in [json!({"alg": "HS256", "kid": "a"}), json!({"alg": "HS256"})] {
            let token = signer::forged(&form, &header, &claims(json!({"iss": "idp"})));
            let expected = TokenError::WrongAlgorithm { expected: "RS256", given: "HS256" };
            assert_eq!(ring().verify(NOW, Some(&keys), &token), Err(expected));
        }
    }
    // Nor does the header choose among the algorithms of one key.
    let header = json!({"alg": "PS256", "kid": "a"});
    let token = signer::forged(b"x", &header, &claims(json!({"iss": "idp"})));
    let error = ring().verify(NOW, Some(&keys), &token).unwrap_err();
    assert_eq!(error, TokenError::WrongAlgorithm { expected: "RS256", given: "PS256" });
}

#[test]
fn key_ids_choose_the_key() {
    let (first, second) = (Signer::es256("1"), Signer::es256("2"));
    let both = json!({"keys": [first.jwks()["keys"][0], second.jwks()["keys"][0], {"kty": "?"}]});
    let keys = KeySet::parse(both.to_string().as_bytes()).unwrap();
    let foreign = claims(json!({"iss": "idp"}));
    assert!(ring().verify(NOW, Some(&keys), &second.token(&foreign)).is_ok());
    assert_eq!(
        ring().verify(NOW, Some(&keys), &Signer::es256("3").token(&foreign)),
        Err(TokenError::UnknownKey)
    );
    // Without an id, only a single key is certain.
    let anonymous = second.clone().without_id();
    assert_eq!(
        ring().verify(NOW, Some(&keys), &anonymous.token(&foreign)),
        Err(TokenError::UnknownKey)
    );
    let single = KeySet::parse(anonymous.jwks().to_string().as_bytes()).unwrap();
    assert!(ring().verify(NOW, Some(&single), &anonymous.token(&foreign)).is_ok());
}

#[test]
fn token_for_another_service_is_refused() {
    let signer = Signer::es256("a");
    let keys = KeySet::parse(signer.jwks().to_string().as_bytes()).unwrap();
    let mut ring = ring();
    ring.audience = Audience { name: "moim".to_owned(), issuer: Some("https://idp".to_owned()) };
    let verify = |changes: Value| ring.verify(NOW, Some(&keys), &signer.token(&claims(changes)));
    let from = |aud: Value| json!({"iss": "https://idp", "aud": aud});
    assert!(verify(from(json!(null))).is_ok());
    assert!(verify(from(json!("moim"))).is_ok());
    assert!(verify(from(json!(["x", "moim"]))).is_ok());
    assert_eq!(verify(from(json!("wiki"))), Err(TokenError::WrongAudience));
    assert_eq!(verify(json!({"iss": "https://other"})), Err(TokenError::WrongIssuer));
}

#[test]
fn grants_give_roles_and_sources() {
    let video = |grant: Value| verified(json!({"video": grant}));
    assert_eq!(video(json!({"roomAdmin": true})).role(), Some(Role::Host));
    assert_eq!(video(json!({"canPublish": false})).role(), Some(Role::Viewer));
    let token = verified(json!({"moim": {"role": "co_host", "template": "class", "lobby": false}}));
    assert_eq!(token.role(), Some(Role::CoHost));
    assert_eq!((token.template(), token.waits()), (Some("class"), Some(false)));
    let token = video(json!({"canPublishSources": ["microphone", "screen_share", "new"]}));
    let all = [Source::Camera, Source::Microphone, Source::Screen, Source::ScreenAudio];
    let may: Vec<_> = all.into_iter().filter(|source| token.may_publish(*source)).collect();
    assert_eq!(may, [Source::Microphone, Source::Screen]);
    // An SDK writes an empty list for "all".
    let token = video(json!({"canPublishSources": []}));
    assert!(all.into_iter().all(|source| token.may_publish(source)));
    let token = video(json!({"canSubscribe": false, "canPublishData": false}));
    assert!(!token.may_subscribe() && !token.may_send_data());
    assert!(!video(json!({"roomCreate": false})).opens_room());
    assert!(video(json!({"roomCreate": true, "roomList": true})).check_create().is_ok());
    let hidden = video(json!({"roomJoin": true, "room": "tea", "hidden": true}));
    assert_eq!(hidden.check_join(|_| true), Err(TokenError::Unsupported("hidden participants")));
    assert!(matches!(refused(json!({"moim": {"role": "king"}})), TokenError::Malformed(_)));
}

#[test]
fn removed_participant_is_known_by_its_identity() {
    let ban = |changes: Value| verified(changes).ban_id();
    assert_eq!(ban(json!({"jti": "1"})), ban(json!({"jti": "2"})), "a new token, the same person");
    assert_ne!(ban(json!({"sub": "", "jti": "1"})), ban(json!({"sub": "", "jti": "2"})));
    assert_eq!(ban(json!({"sub": ""})), None);
}

#[test]
fn malformed_tokens_are_refused() {
    let token = Signer::secret(SECRET).token(&claims(json!({})));
    for bad in ["", ".", "..", "...", "a.b.c", &token[1..], &format!("{token}.x"), "ÄÖ.Ü.x"] {
        assert!(verify(bad).is_err(), "{bad}");
    }
    assert_eq!(verify(&"a".repeat(MAX_TOKEN_BYTES + 1)), Err(TokenError::TooLarge));
    let header = json!({"alg": "HS256", "crit": ["b64"], "b64": false});
    let critical = signer::forged(SECRET.as_bytes(), &header, &claims(json!({})));
    assert!(matches!(verify(&critical), Err(TokenError::Malformed(_))));
    for wrong in [json!({"exp": "soon"}), json!({"video": 5}), json!({"iss": ["app"]})] {
        assert!(matches!(refused(wrong), TokenError::Malformed(_)));
    }
}
