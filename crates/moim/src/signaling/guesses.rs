//! Password attempts at one room. Wrong attempts delay further ones; the right password is never
//! rejected because of wrong attempts of others.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;

use super::rate::{Bucket, Rate};
use crate::net::client_prefix::ClientPrefix;

/// Wrong passwords of one client prefix at one room before its attempts are delayed.
const PREFIX_RATE: Rate = Rate { burst: 10.0, per_second: 0.25 };
/// Wrong passwords of all clients at one room before all attempts are delayed.
const ROOM_RATE: Rate = Rate { burst: 60.0, per_second: 1.0 };
/// Maximum delay of an attempt; clients time out after 10 s.
const MAX_DELAY: Duration = Duration::from_secs(8);
/// Delay of each attempt while the room exceeds its rate of wrong ones.
const ATTACK_DELAY: Duration = Duration::from_secs(4);
/// Number of prefixes tracked per room.
const MAX_PREFIXES: usize = 256;

/// Password attempts at one room.
#[derive(Debug)]
pub(crate) struct Guesses(Mutex<State>);

#[derive(Debug)]
struct State {
    room: Bucket,
    by_prefix: HashMap<ClientPrefix, Bucket>,
}

/// One attempt. Returns its token unless the password was wrong.
#[derive(Debug)]
pub(crate) struct Guess {
    guesses: Arc<Guesses>,
    prefix: ClientPrefix,
    was_wrong: bool,
}

impl Guesses {
    pub(crate) fn new(now: Instant) -> Arc<Self> {
        let room = Bucket::full(ROOM_RATE, now);
        Arc::new(Self(Mutex::new(State { room, by_prefix: HashMap::new() })))
    }

    /// Registers an attempt of a prefix; returns its delay, or `None` if the prefix has too many
    /// pending attempts.
    pub(crate) fn take(
        self: &Arc<Self>,
        prefix: ClientPrefix,
        now: Instant,
    ) -> Option<(Guess, Duration)> {
        let mut state = self.0.lock();
        if state.by_prefix.len() >= MAX_PREFIXES && !state.by_prefix.contains_key(&prefix) {
            // Full buckets carry no information.
            state.by_prefix.retain(|_, bucket| !bucket.is_full(PREFIX_RATE, now));
            if state.by_prefix.len() >= MAX_PREFIXES {
                state.by_prefix.clear();
            }
        }
        let bucket =
            state.by_prefix.entry(prefix).or_insert_with(|| Bucket::full(PREFIX_RATE, now));
        let prefix_delay = bucket.owe(PREFIX_RATE, now, 1.0);
        if prefix_delay > MAX_DELAY {
            bucket.put_back(PREFIX_RATE);
            return None;
        }
        let room_delay = state.room.owe(ROOM_RATE, now, 1.0);
        let room_delay = if room_delay.is_zero() { room_delay } else { ATTACK_DELAY };
        let guess = Guess { guesses: Arc::clone(self), prefix, was_wrong: false };
        Some((guess, prefix_delay.max(room_delay)))
    }
}

impl Guess {
    /// Spends the token because the password was wrong.
    pub(crate) fn was_wrong(mut self) {
        self.was_wrong = true;
    }
}

impl Drop for Guess {
    fn drop(&mut self) {
        let mut state = self.guesses.0.lock();
        let State { room, by_prefix } = &mut *state;
        if self.was_wrong {
            // An unbounded debt would lock out clients that know the password.
            room.forgive(ROOM_RATE);
        } else {
            room.put_back(ROOM_RATE);
            if let Some(bucket) = by_prefix.get_mut(&self.prefix) {
                bucket.put_back(PREFIX_RATE);
            }
        }
    }
}
