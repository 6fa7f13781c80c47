//! Wrong passwords at one room: guesses are delayed, and the right password is never refused for
//! the wrong ones of others.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;

use super::rate::{Bucket, Rate};
use crate::net::client_prefix::ClientPrefix;

/// Wrong passwords of one client prefix at one room before its guesses are delayed.
const OF_PREFIX: Rate = Rate { burst: 10.0, per_second: 0.25 };
/// Wrong passwords of all clients at one room before all guesses are delayed.
const OF_ROOM: Rate = Rate { burst: 60.0, per_second: 1.0 };
/// The longest that a guess may wait; a client waits ten seconds for its answer.
const LONGEST: Duration = Duration::from_secs(8);
/// How long each guess waits while the room has more wrong ones than it may.
const UNDER_ATTACK: Duration = Duration::from_secs(4);
/// Prefixes whose wrong passwords one room remembers.
const PREFIXES: usize = 256;

/// The wrong passwords at one room.
#[derive(Debug)]
pub(super) struct Guesses(Mutex<State>);

#[derive(Debug)]
struct State {
    room: Bucket,
    by_prefix: HashMap<ClientPrefix, Bucket>,
}

/// One guess. Its token is given back unless the password was wrong.
#[derive(Debug)]
pub(super) struct Guess {
    guesses: Arc<Guesses>,
    prefix: ClientPrefix,
    was_wrong: bool,
}

impl Guesses {
    pub(super) fn new(now: Instant) -> Arc<Self> {
        let room = Bucket::full(OF_ROOM, now);
        Arc::new(Self(Mutex::new(State { room, by_prefix: HashMap::new() })))
    }

    /// Takes a guess of that prefix, and tells how long it has to wait. None where as many of the
    /// prefix wait as may.
    pub(super) fn take(
        self: &Arc<Self>,
        prefix: ClientPrefix,
        now: Instant,
    ) -> Option<(Guess, Duration)> {
        let mut state = self.0.lock();
        if state.by_prefix.len() >= PREFIXES && !state.by_prefix.contains_key(&prefix) {
            // Those that have earned all tokens back are as good as unknown.
            state.by_prefix.retain(|_, bucket| !bucket.is_full(OF_PREFIX, now));
            if state.by_prefix.len() >= PREFIXES {
                state.by_prefix.clear();
            }
        }
        let bucket = state.by_prefix.entry(prefix).or_insert_with(|| Bucket::full(OF_PREFIX, now));
        let of_prefix = bucket.owe(OF_PREFIX, now, 1.0);
        if of_prefix > LONGEST {
            bucket.put_back(OF_PREFIX);
            return None;
        }
        let of_room = state.room.owe(OF_ROOM, now, 1.0);
        let of_room = if of_room.is_zero() { of_room } else { UNDER_ATTACK };
        let guess = Guess { guesses: Arc::clone(self), prefix, was_wrong: false };
        Some((guess, of_prefix.max(of_room)))
    }
}

impl Guess {
    /// Notes that the password was wrong, so that its token is spent.
    pub(super) fn was_wrong(mut self) {
        self.was_wrong = true;
    }
}

impl Drop for Guess {
    fn drop(&mut self) {
        let mut state = self.guesses.0.lock();
        let State { room, by_prefix } = &mut *state;
        if self.was_wrong {
            // A debt without end would keep out those who know the password.
            room.forgive(OF_ROOM);
        } else {
            room.put_back(OF_ROOM);
            if let Some(bucket) = by_prefix.get_mut(&self.prefix) {
                bucket.put_back(OF_PREFIX);
            }
        }
    }
}
