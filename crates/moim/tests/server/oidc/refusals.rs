//! Answers by which nobody is signed in.

use super::*;

/// Where a refused sign-in leads; nobody is signed in by it.
fn refused(browser: &mut Browser<'_>, sign_in: impl FnOnce(&mut Browser<'_>) -> String) -> String {
    let to = sign_in(browser);
    assert!(!browser.has("moim-person"), "{to}");
    assert_eq!(browser.person(), Value::Null);
    to
}

#[test]
fn wrong_id_tokens_sign_nobody_in() {
    let provider = Provider::start(Issuer::rs256("a"));
    let server = server(&provider, &[]);
    let now = crate::tokens::now();
    for (changes, reason) in [
        (json!({"nonce": "another"}), "nonce"),
        (json!({"aud": "wiki"}), "aud"),
        (json!({"aud": [CLIENT, "wiki"]}), "aud"),
        (json!({"iss": "https://idp.example"}), "issuer"),
        (json!({"exp": now - 120}), "expired"),
        (json!({"exp": null}), "no expiry"),
        (json!({"sub": null}), "names nobody"),
    ] {
        let mut browser = Browser::new(&server);
        let to = refused(&mut browser, |browser| browser.sign_in(&provider, &changes));
        assert_eq!(to, "/?sign-in=failed", "{changes}");
        // The line may follow the answer by a moment.
        within(DEADLINE, reason, || {
            let log = server.log();
            let last = log.lines().rfind(|line| line.contains("nobody was signed in"))?;
            last.contains(reason).then_some(())
        });
    }
    // Unsigned, signed with the public key as a secret, and by the key of somebody else.
    let forge: [&dyn Fn(&Value) -> String; 3] = [
        &|claims| {
            let token = Issuer::secret("x").token_as(&json!({"alg": "none", "kid": "a"}), claims);
            format!("{}.", token.rsplit_once('.').unwrap().0)
        },
        &|claims| {
            let header = json!({"alg": "HS256", "kid": "a"});
            Issuer::secret(provider.key().jwk().to_string()).token_as(&header, claims)
        },
        &|claims| Issuer::es256("a").token_as(&json!({"alg": "RS256", "kid": "a"}), claims),
    ];
    for forge in forge {
        let mut browser = Browser::new(&server);
        let asked = browser.begin("/");
        let code = provider.grant(&asked, forge(&provider.claims(&asked, &json!({}))));
        let to = refused(&mut browser, |browser| browser.answer(&provider, &asked, &code));
        assert_eq!(to, "/?sign-in=failed");
    }
    assert!(!server.log().contains(SECRET));
}

#[test]
fn answers_that_belong_to_no_sign_in_of_this_browser_are_not_exchanged() {
    let provider = Provider::start(Issuer::es256("a"));
    let server = server(&provider, &[]);
    let granted = |browser: &mut Browser<'_>| {
        let asked = browser.begin("/");
        let token = provider.key().token(&provider.claims(&asked, &json!({})));
        let code = provider.grant(&asked, token);
        (asked, code)
    };
    let mut victim = Browser::new(&server);
    let (own, _) = granted(&mut victim);
    let (theirs, code) = granted(&mut Browser::new(&server));
    let iss = provider.issuer();
    // The attacker's answer, in the victim's browser.
    let state = theirs.query["state"].as_str();
    let to = refused(&mut victim, |victim| {
        victim.finish(&[("code", &code), ("state", state), ("iss", &iss)])
    });
    assert_eq!(to, "/?sign-in=expired");
    for state in [None, Some(""), Some("AAAA"), own.query.get("nonce").map(String::as_str)] {
        let mut browser = Browser::new(&server);
        granted(&mut browser);
        let mut query = vec![("code", code.as_str()), ("iss", iss.as_str())];
        query.extend(state.map(|state| ("state", state)));
        assert_eq!(refused(&mut browser, |browser| browser.finish(&query)), "/?sign-in=expired");
    }
    assert_eq!(provider.exchanged().len(), 0);
    // Twice the same answer: the cookie is gone; whoever kept it fails at the provider.
    let mut browser = Browser::new(&server);
    let (asked, code) = granted(&mut browser);
    let kept = browser.cookies.clone();
    assert_eq!(browser.answer(&provider, &asked, &code), "/");
    assert_eq!(browser.answer(&provider, &asked, &code), "/?sign-in=expired");
    let mut copy = Browser { server: &server, cookies: kept };
    let to = refused(&mut copy, |copy| copy.answer(&provider, &asked, &code));
    assert_eq!(to, "/?sign-in=refused");
    assert_eq!(provider.exchanged().len(), 2);
}

#[test]
fn refusals_and_other_issuers_are_told_apart() {
    let provider = Provider::start(Issuer::es256("a"));
    let server = server(&provider, &[]);
    let iss = provider.issuer();
    for (query, to) in [
        (vec![("error", "access_denied"), ("iss", iss.as_str())], "/?sign-in=refused"),
        // RFC 9207: the answer of another provider, or of nobody knows whom.
        (vec![("code", "x"), ("iss", "https://evil.example")], "/?sign-in=failed"),
        (vec![("code", "x")], "/?sign-in=failed"),
        (vec![("iss", iss.as_str())], "/?sign-in=failed"),
    ] {
        let mut browser = Browser::new(&server);
        let asked = browser.begin("/");
        let state = ("state", asked.query["state"].as_str());
        let query: Vec<_> = query.into_iter().chain([state]).collect();
        assert_eq!(refused(&mut browser, |browser| browser.finish(&query)), to, "{query:?}");
    }
    assert_eq!(provider.exchanged().len(), 0);
}

#[test]
fn oversized_answers_are_given_up() {
    let provider = Provider::start(Issuer::es256("a"));
    let server = server(&provider, &[]);
    let mut browser = Browser::new(&server);
    let asked = browser.begin("/");
    let token = provider.key().token(&provider.claims(&asked, &json!({})));
    let code = provider.grant(&asked, token);
    provider.pad(1 << 20);
    let to = refused(&mut browser, |browser| browser.answer(&provider, &asked, &code));
    assert_eq!(to, "/?sign-in=away");
    // Metadata too, of another server that doesn't know them yet.
    let server = super::server(&provider, &[]);
    let answer = Browser::new(&server).get("/auth/sign-in?to=/");
    assert_eq!(answer.header("location"), Some("/?sign-in=away"));
}
