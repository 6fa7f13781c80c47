//! Times at which published keys are fetched.

use super::{JwksError, KeySet};
use crate::time::UnixTime;

/// Age from which on keys are fetched again.
const FRESH_SECONDS: u64 = 10 * 60;
/// Age from which on keys are no longer used, if they can't be fetched again: a withdrawn key must
/// end.
const STALE_SECONDS: u64 = 24 * 60 * 60;
/// Minimum time between two fetches, so that tokens with invented key ids cause no more.
const MIN_INTERVAL_SECONDS: u64 = 15;

/// Keys as fetched last, and whether to fetch them again.
#[derive(Debug, Default)]
pub struct JwksCache {
    keys: Option<(UnixTime, KeySet)>,
    attempted: Option<UnixTime>,
    /// A fetch is wanted, however fresh the keys are.
    is_wanted: bool,
}

impl JwksCache {
    /// The keys, unless they are too old.
    #[must_use]
    pub fn keys(&self, now: UnixTime) -> Option<&KeySet> {
        let (at, keys) = self.keys.as_ref()?;
        (now.since(*at) < STALE_SECONDS).then_some(keys)
    }

    /// True if keys were fetched once, however old they are.
    #[must_use]
    pub fn has_keys(&self) -> bool {
        self.keys.is_some()
    }

    /// True if the keys are missing or old and a fetch may begin.
    #[must_use]
    pub fn is_due(&self, now: UnixTime) -> bool {
        let is_fresh = self.keys.as_ref().is_some_and(|(at, _)| now.since(*at) < FRESH_SECONDS);
        (self.is_wanted || !is_fresh) && !self.is_limited(now)
    }

    /// Begins a fetch if one is due, or if a token has a key id that the set lacks (`is_missed`).
    /// Returns `false` if the caller must not fetch now.
    pub fn begin_fetch(&mut self, now: UnixTime, is_missed: bool) -> bool {
        let begins = self.is_due(now) || (is_missed && !self.is_limited(now));
        if begins {
            self.attempted = Some(now);
        }
        begins
    }

    /// A clock that was set back must not stop fetches for good.
    fn is_limited(&self, now: UnixTime) -> bool {
        self.attempted.is_some_and(|at| now >= at && now.since(at) < MIN_INTERVAL_SECONDS)
    }

    /// Has the keys fetched at the next need. They keep their age, so those that can't be fetched
    /// again still end.
    pub fn refetch(&mut self) {
        self.is_wanted = true;
        self.attempted = None;
    }

    /// Takes in a fetched document. A broken one leaves the keys as they are.
    ///
    /// # Errors
    /// The document is no usable set of keys.
    pub fn handle_fetched(&mut self, now: UnixTime, document: &[u8]) -> Result<(), JwksError> {
        self.keys = Some((now, KeySet::parse(document)?));
        self.is_wanted = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &[u8] = br#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

    fn at(seconds: u64) -> UnixTime {
        UnixTime(1_800_000_000 + seconds)
    }

    #[test]
    fn unknown_key_ids_cause_few_fetches() {
        let mut cache = JwksCache::default();
        assert!(cache.begin_fetch(at(0), false));
        cache.handle_fetched(at(0), KEYS).unwrap();
        let fetches = (1..=60).filter(|second| cache.begin_fetch(at(*second), true)).count();
        assert_eq!(fetches, 4);
    }

    #[test]
    fn keys_are_fetched_again_when_old_and_dropped_when_stale() {
        let mut cache = JwksCache::default();
        assert!(cache.keys(at(0)).is_none());
        assert!(cache.begin_fetch(at(0), false));
        assert!(!cache.begin_fetch(at(1), false), "one fetch at a time");
        cache.handle_fetched(at(1), KEYS).unwrap();
        assert!(!cache.begin_fetch(at(FRESH_SECONDS), false));
        assert!(cache.begin_fetch(at(FRESH_SECONDS + 1), false));
        assert_eq!(
            cache.handle_fetched(at(FRESH_SECONDS + 2), b"<html>"),
            Err(JwksError::Malformed)
        );
        assert!(cache.keys(at(FRESH_SECONDS + 2)).is_some(), "a broken document changes nothing");
        assert!(cache.keys(at(STALE_SECONDS + 1)).is_none());
    }

    #[test]
    fn keys_that_are_to_be_fetched_again_keep_their_age() {
        let mut cache = JwksCache::default();
        assert!(cache.begin_fetch(at(0), false));
        cache.handle_fetched(at(0), KEYS).unwrap();
        cache.refetch();
        assert!(cache.begin_fetch(at(1), false), "at once");
        assert!(!cache.begin_fetch(at(2), false), "but not again and again");
        assert!(cache.keys(at(STALE_SECONDS - 1)).is_some(), "meanwhile the old ones count");
        assert!(cache.keys(at(STALE_SECONDS)).is_none(), "and end when they would have ended");
        cache.handle_fetched(at(STALE_SECONDS), KEYS).unwrap();
        assert!(!cache.begin_fetch(at(STALE_SECONDS + 60), false));
    }

    #[test]
    fn clock_set_back_does_not_stop_fetches() {
        let mut cache = JwksCache::default();
        assert!(cache.begin_fetch(at(100_000), false));
        assert!(cache.begin_fetch(at(0), false));
    }

    #[test]
    fn secrets_and_encryption_keys_are_left_out() {
        let only = |key: &str| KeySet::parse(format!(r#"{{"keys":[{key}]}}"#).as_bytes());
        for key in [
            r#"{"kty":"oct","kid":"a","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlYw"}"#,
            r#"{"kty":"RSA","use":"enc","kid":"a","n":"AQAB","e":"AQAB"}"#,
            r#"{"kty":"RSA","alg":"HS256","kid":"a","n":"AQAB","e":"AQAB"}"#,
            r#"{"kty":"EC","crv":"P-521","kid":"a","x":"AQAB","y":"AQAB"}"#,
            r#"{"kty":"new"}"#,
        ] {
            assert_eq!(only(key).unwrap_err(), JwksError::NoKeys, "{key}");
        }
        assert!(only(r#"{"kty":"RSA","use":"sig","kid":"a","n":"AQAB","e":"AQAB"}"#).is_ok());
    }
}
