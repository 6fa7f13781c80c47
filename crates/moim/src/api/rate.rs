//! Rate limits of the API.

use std::{collections::HashMap, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::{
    net::client_prefix::ClientPrefix,
    signaling::rate::{Bucket, PerClient, Rate},
};

/// Requests of one key.
const KEY_RATE: Rate = Rate { burst: 20.0, per_second: 10.0 };
/// Requests with a wrong or no key from one client prefix.
const STRANGER_RATE: Rate = Rate { burst: 20.0, per_second: 0.5 };
/// Answers of the OpenID provider from one client prefix: a school's teachers sign in at once.
const SIGN_IN_RATE: Rate = Rate { burst: 60.0, per_second: 1.0 };
/// Client prefixes tracked for each of both.
const MAX_PREFIXES: usize = 4096;
/// Callers tracked; idle ones are forgotten first.
const MAX_CALLERS: usize = 2048;

/// The limits.
#[derive(Debug)]
pub(super) struct RateLimits {
    callers: Mutex<HashMap<String, Bucket>>,
    strangers: PerClient,
    sign_ins: PerClient,
}

impl RateLimits {
    pub(super) fn new() -> Self {
        Self {
            callers: Mutex::default(),
            strangers: PerClient::new(STRANGER_RATE, MAX_PREFIXES),
            sign_ins: PerClient::new(SIGN_IN_RATE, MAX_PREFIXES),
        }
    }

    /// Takes a request of a caller; an error is the time to wait.
    pub(super) fn take(&self, caller: &str, now: Instant) -> Result<(), Duration> {
        let mut callers = self.callers.lock();
        if callers.len() >= MAX_CALLERS && !callers.contains_key(caller) {
            callers.retain(|_, bucket| !bucket.is_full(KEY_RATE, now));
            if callers.len() >= MAX_CALLERS {
                return Err(Duration::from_secs(1));
            }
        }
        let new = || Bucket::full(KEY_RATE, now);
        let bucket = callers.entry(caller.to_owned()).or_insert_with(new);
        if bucket.take(KEY_RATE, now) { Ok(()) } else { Err(Duration::from_millis(100)) }
    }

    /// Takes a request without a valid key.
    pub(super) fn take_stranger(&self, client: ClientPrefix, now: Instant) -> bool {
        self.strangers.take(client, now)
    }

    /// Takes an answer of the OpenID provider, which costs a request to it.
    pub(super) fn take_sign_in(&self, client: ClientPrefix, now: Instant) -> bool {
        self.sign_ins.take(client, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_has_ten_requests_a_second() {
        let limits = RateLimits::new();
        let start = Instant::now();
        let taken = (0..100).filter(|_| limits.take("a", start).is_ok()).count();
        assert_eq!(taken, 20, "a burst");
        let later = start + Duration::from_secs(1);
        assert_eq!((0..100).filter(|_| limits.take("a", later).is_ok()).count(), 10);
        assert!(limits.take("b", later).is_ok(), "others are not affected");
    }

    #[test]
    fn callers_are_bounded_in_number() {
        let limits = RateLimits::new();
        let now = Instant::now();
        for n in 0..10_000 {
            let _ = limits.take(&n.to_string(), now);
        }
        assert!(limits.callers.lock().len() <= MAX_CALLERS);
        assert!(limits.take("later", now + Duration::from_secs(10)).is_ok());
    }
}
