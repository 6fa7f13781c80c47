//! Verification of ID tokens, on a given clock.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::needless_pass_by_value)]
#![allow(dead_code, reason = "other tests use more of the signer")]

mod signer;

use access::{
    ExpectedIdToken, IdToken, KeySet, LEEWAY_SECONDS, MAX_ID_TOKEN_BYTES, TokenError, UnixTime,
};
use serde_json::{Value, json};

use signer::Signer;

const NOW: UnixTime = UnixTime(1_800_000_000);
const EXPECTED: ExpectedIdToken<'_> =
    ExpectedIdToken { issuer: "https://idp.example", client_id: "moim", nonce: "n" };

fn claims(changes: Value) -> Value {
    let mut claims = json!({
        "iss": "https://idp.example", "sub": "ann", "aud": "moim", "nonce": "n",
        "exp": NOW.0 + 300, "iat": NOW.0, "groups": ["teachers"],
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn keys(signer: &Signer) -> KeySet {
    KeySet::parse(signer.jwks().to_string().as_bytes()).unwrap()
}

fn verify(changes: Value) -> Result<IdToken, TokenError> {
    let signer = Signer::es256("a");
    EXPECTED.verify(NOW, Some(&keys(&signer)), &signer.token(&claims(changes)))
}

#[test]
fn id_token_names_its_person_and_keeps_other_claims() {
    for signer in [Signer::rs256("a"), Signer::es256("a"), Signer::ed25519("a")] {
        let token = signer.token(&claims(json!({})));
        let token = EXPECTED.verify(NOW, Some(&keys(&signer)), &token).unwrap();
        assert_eq!(
            (token.subject.as_str(), &token.claims["groups"][0]),
            ("ann", &"teachers".into())
        );
    }
}

#[test]
fn id_token_of_another_sign_in_or_service_is_refused() {
    for (changes, error) in [
        (json!({"nonce": "m"}), TokenError::WrongNonce),
        (json!({"nonce": null}), TokenError::WrongNonce),
        (json!({"iss": "https://idp.example/"}), TokenError::WrongIssuer),
        (json!({"iss": null}), TokenError::WrongIssuer),
        (json!({"aud": "wiki"}), TokenError::WrongAudience),
        (json!({"aud": null}), TokenError::WrongAudience),
        (json!({"aud": ["moim", "wiki"]}), TokenError::WrongAudience),
        (json!({"aud": ["moim", "wiki"], "azp": "wiki"}), TokenError::WrongAudience),
        (json!({"azp": "wiki"}), TokenError::WrongAudience),
        (json!({"exp": null}), TokenError::NoExpiry),
        (json!({"sub": ""}), TokenError::NoSubject),
        (json!({"sub": "x".repeat(256)}), TokenError::NoSubject),
    ] {
        assert_eq!(verify(changes.clone()), Err(error), "{changes}");
    }
    assert!(verify(json!({"aud": ["moim", "wiki"], "azp": "moim"})).is_ok());
    assert!(verify(json!({"aud": ["moim"]})).is_ok());
}

#[test]
fn id_token_counts_within_its_times_and_leeway_alone() {
    let at = |seconds: u64| UnixTime(NOW.0 + seconds);
    let signer = Signer::es256("a");
    let token = signer.token(&claims(json!({})));
    let verify_at = |now| EXPECTED.verify(now, Some(&keys(&signer)), &token);
    assert!(verify_at(at(300 + LEEWAY_SECONDS)).is_ok());
    assert!(matches!(verify_at(at(301 + LEEWAY_SECONDS)), Err(TokenError::Expired { .. })));
    for name in ["iat", "nbf"] {
        let early = verify(json!({name: NOW.0 + LEEWAY_SECONDS + 1}));
        assert!(matches!(early, Err(TokenError::NotYetValid { .. })), "{name}");
    }
}

#[test]
fn unsigned_and_forged_id_tokens_are_refused() {
    let signer = Signer::rs256("a");
    let keys = keys(&signer);
    let verify = |token: &str| EXPECTED.verify(NOW, Some(&keys), token);
    let none = signer::forged(b"", &json!({"alg": "none", "kid": "a"}), &claims(json!({})));
    assert_eq!(verify(&none), Err(TokenError::Unsigned));
    // The public key as the secret of an HMAC.
    let jwk = signer.jwks()["keys"][0].to_string();
    let header = json!({"alg": "HS256", "kid": "a"});
    let confused = signer::forged(jwk.as_bytes(), &header, &claims(json!({})));
    let wrong = TokenError::WrongAlgorithm { expected: "RS256", given: "HS256" };
    assert_eq!(verify(&confused), Err(wrong));
    let other = signer.again().token(&claims(json!({})));
    assert_eq!(verify(&other), Err(TokenError::WrongSignature));
    let unknown = Signer::rs256("b").token(&claims(json!({})));
    assert_eq!(verify(&unknown), Err(TokenError::UnknownKey));
    assert_eq!(EXPECTED.verify(NOW, None, &other), Err(TokenError::UnknownKey));
    let large = "a".repeat(MAX_ID_TOKEN_BYTES + 1);
    assert!(matches!(verify(&large), Err(TokenError::Malformed(_))));
}
