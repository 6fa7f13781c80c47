//! Rules by which people whom the provider knows are hosts.

use serde_json::{Map, Value};

use crate::config::OidcConfig;

/// The claims of an e-mail address.
const EMAIL_CLAIMS: [&str; 2] = ["email", "email_verified"];

/// Returns whether a person with these claims may sign in.
pub(super) fn is_host(config: &OidcConfig, claims: &Map<String, Value>) -> bool {
    if config.host_claims.is_empty() && config.host_domains.is_empty() {
        return true;
    }
    let has = |name: &str, value: &str| find(claims, name).is_some_and(|found| is(found, value));
    config.host_claims.iter().any(|claim| has(&claim.name, &claim.value))
        || domain(claims).is_some_and(|domain| config.host_domains.contains(&domain))
}

/// Returns whether the claims can decide about it, without a look at the provider's user info.
pub(super) fn has_all(config: &OidcConfig, claims: &Map<String, Value>) -> bool {
    config.host_claims.iter().all(|claim| find(claims, &claim.name).is_some())
        && (config.host_domains.is_empty()
            || EMAIL_CLAIMS.iter().all(|name| claims.contains_key(*name)))
        && name(claims).is_some()
}

/// Removes the e-mail address of one of two sources: that of the user info is not the one of which
/// the ID token says whether it is verified, nor the other way round.
pub(super) fn take_email_from_one(
    id_token: &mut Map<String, Value>,
    user_info: &mut Map<String, Value>,
) {
    let is_whole = EMAIL_CLAIMS.iter().all(|name| id_token.contains_key(*name));
    let other = if is_whole || !user_info.contains_key("email") { user_info } else { id_token };
    other.retain(|name, _| !EMAIL_CLAIMS.contains(&name.as_str()));
}

/// The provider's name of a person.
pub(super) fn name(claims: &Map<String, Value>) -> Option<&str> {
    let text = |name: &str| claims.get(name)?.as_str().filter(|text| !text.trim().is_empty());
    ["name", "preferred_username", "email"].into_iter().find_map(text)
}

/// A claim by its name, else by the path that its dots describe.
fn find<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    claims.get(name).or_else(|| {
        let (first, rest) = name.split_once('.')?;
        find(claims.get(first)?.as_object()?, rest)
    })
}

fn is(found: &Value, value: &str) -> bool {
    match found {
        Value::String(text) => text == value,
        Value::Bool(_) | Value::Number(_) => value.parse::<Value>().is_ok_and(|v| v == *found),
        Value::Array(all) => all.iter().any(|one| one.as_str() == Some(value)),
        _ => false,
    }
}

/// The domain of the e-mail address, if the provider has verified it.
fn domain(claims: &Map<String, Value>) -> Option<String> {
    let is_verified = is(claims.get("email_verified")?, "true");
    let (_, domain) = claims.get("email")?.as_str()?.rsplit_once('@')?;
    is_verified.then(|| domain.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::HostClaim;

    fn config(claims: &[(&str, &str)], domains: &[&str]) -> OidcConfig {
        let claim = |(name, value): &(&str, &str)| HostClaim {
            name: (*name).to_owned(),
            value: (*value).to_owned(),
        };
        OidcConfig {
            issuer: String::new(),
            metadata: axum::http::Uri::default(),
            client_id: String::new(),
            client_secret: None,
            scopes: String::new(),
            host_claims: claims.iter().map(claim).collect(),
            host_domains: domains.iter().map(|&domain| domain.to_owned()).collect(),
        }
    }

    fn passes(config: &OidcConfig, claims: &Value) -> bool {
        is_host(config, claims.as_object().unwrap())
    }

    #[test]
    fn address_and_its_verification_come_from_one_source() {
        let merged = |id_token: Value, user_info: Value| {
            let [mut first, mut more] = [id_token, user_info].map(|claims| match claims {
                Value::Object(claims) => claims,
                other => panic!("{other}"),
            });
            take_email_from_one(&mut first, &mut more);
            for (name, value) in more {
                first.entry(name).or_insert(value);
            }
            Value::Object(first)
        };
        let (ann, eve) = ("ann@school.example", "eve@mail.example");
        let unverified = json!({"email": ann, "email_verified": false});
        let verified = json!({"email": eve, "email_verified": true});
        assert_eq!(merged(unverified.clone(), verified.clone()), unverified);
        assert_eq!(merged(json!({"email": ann}), verified.clone()), verified);
        let alone = json!({"email_verified": true, "name": "Eve"});
        assert_eq!(merged(json!({"email": ann}), alone), json!({"email": ann, "name": "Eve"}));
        let school = config(&[], &["school.example"]);
        assert!(!passes(&school, &merged(json!({"email": ann}), verified)));
    }

    #[test]
    fn everybody_is_a_host_without_a_rule() {
        assert!(passes(&config(&[], &[]), &json!({})));
    }

    #[test]
    fn claim_has_the_value_or_is_a_list_with_it() {
        let teachers = config(&[("groups", "teachers"), ("realm.roles", "host")], &[]);
        for claims in [
            json!({"groups": "teachers"}),
            json!({"groups": ["staff", "teachers"]}),
            json!({"realm": {"roles": ["host"]}}),
            json!({"realm.roles": "host"}),
        ] {
            assert!(passes(&teachers, &claims), "{claims}");
        }
        for claims in [
            json!({}),
            json!({"groups": "teachers2"}),
            json!({"groups": ["Teachers"]}),
            json!({"groups": {"teachers": true}}),
            json!({"realm": ["host"]}),
            json!({"roles": ["host"]}),
        ] {
            assert!(!passes(&teachers, &claims), "{claims}");
        }
        assert!(passes(&config(&[("staff", "true")], &[]), &json!({"staff": true})));
    }

    #[test]
    fn domain_counts_only_of_a_verified_address() {
        let school = config(&[], &["school.example"]);
        let email =
            |email: &str, verified: Value| json!({"email": email, "email_verified": verified});
        assert!(passes(&school, &email("ann@School.Example", json!(true))));
        assert!(passes(&school, &email("ann@school.example", json!("true"))));
        for claims in [
            email("ann@school.example", json!(false)),
            json!({"email": "ann@school.example"}),
            email("ann@evil.school.example", json!(true)),
            email("ann@school.example@evil.example", json!(true)),
            email("school.example", json!(true)),
        ] {
            assert!(!passes(&school, &claims), "{claims}");
        }
    }
}
