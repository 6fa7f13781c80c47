//! Session tickets: clients resume TLS without a full handshake, also after a warm restart.
//!
//! A ticket is sealed session state that the client keeps. rustls' own ticketer has keys that can't
//! be handed on: with it, all clients that reconnect after a restart would need full handshakes at
//! once.

use std::{
    fmt,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use parking_lot::Mutex;
use rustls::server::ProducesTickets;
use serde::{Deserialize, Serialize};

/// Age at which a key is replaced (seconds).
const KEY_SECONDS: u64 = 6 * 60 * 60;
/// Time for which a ticket is accepted (seconds): its key is the current or the one before.
const TICKET_SECONDS: u64 = 2 * KEY_SECONDS;
/// The current key and the one before.
const MAX_KEYS: usize = 2;
/// Bytes of a key.
const KEY_BYTES: usize = 32;
/// Bytes of a key's id, with which a ticket begins.
const ID_BYTES: usize = 8;

/// Keys of tickets. Clones share them.
#[derive(Clone)]
pub(crate) struct TicketKeys(Arc<Mutex<Vec<Key>>>);

/// A key, the current one first.
struct Key {
    secret: [u8; KEY_BYTES],
    /// Unix seconds.
    created: u64,
    sealing: LessSafeKey,
}

/// A key as data, for the next process of this server.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct FrozenKey {
    /// In base64.
    key: String,
    /// Unix seconds.
    created: u64,
}

impl TicketKeys {
    /// A first key.
    ///
    /// # Errors
    /// The system can't provide random bytes.
    pub(super) fn generate() -> Result<Self, getrandom::Error> {
        let keys = Self(Arc::default());
        keys.rotate(&mut keys.0.lock(), now())?;
        Ok(keys)
    }

    /// The keys as data.
    pub(crate) fn freeze(&self) -> Vec<FrozenKey> {
        let keys = self.0.lock();
        let frozen = keys
            .iter()
            .map(|key| FrozenKey { key: STANDARD.encode(key.secret), created: key.created });
        frozen.collect()
    }

    /// Goes on with the keys of an earlier process, at their age. Malformed ones are left out.
    pub(crate) fn adopt(&self, frozen: &[FrozenKey]) {
        let adopted: Vec<_> = frozen.iter().take(MAX_KEYS).filter_map(FrozenKey::thaw).collect();
        if !adopted.is_empty() {
            *self.0.lock() = adopted;
        }
    }

    /// Replaces an old key. Without random bytes the old one goes on.
    fn rotate(&self, keys: &mut Vec<Key>, now: u64) -> Result<(), getrandom::Error> {
        // A clock that was set back must not keep a key for good.
        let is_current = |key: &Key| now.abs_diff(key.created) < KEY_SECONDS;
        if !keys.first().is_some_and(is_current) {
            let mut secret = [0; KEY_BYTES];
            getrandom::fill(&mut secret)?;
            keys.splice(..0, Key::new(secret, now));
            keys.truncate(MAX_KEYS);
        }
        Ok(())
    }

    fn seal(&self, state: &[u8], now: u64) -> Option<Vec<u8>> {
        let mut keys = self.0.lock();
        let _ = self.rotate(&mut keys, now);
        let key = keys.first()?;
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).ok()?;
        let (id, mut sealed) = (key.id(), state.to_vec());
        key.sealing
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(id),
                &mut sealed,
            )
            .ok()?;
        Some([&id, &nonce[..], &sealed].concat())
    }

    fn open(&self, ticket: &[u8], now: u64) -> Option<Vec<u8>> {
        let (id, rest) = ticket.split_first_chunk::<ID_BYTES>()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
        let keys = self.0.lock();
        let is_of = |key: &&Key| key.id() == *id && now.abs_diff(key.created) < TICKET_SECONDS;
        let key = keys.iter().find(is_of)?;
        let mut state = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = key.sealing.open_in_place(nonce, Aad::from(*id), &mut state).ok()?.len();
        state.truncate(length);
        Some(state)
    }
}

impl Key {
    /// `None` is never the case: the length is that of the algorithm.
    fn new(secret: [u8; KEY_BYTES], created: u64) -> Option<Self> {
        let unbound = UnboundKey::new(&AES_256_GCM, &secret).ok()?;
        Some(Self { secret, created, sealing: LessSafeKey::new(unbound) })
    }

    /// Tells keys apart. It need not be secret.
    fn id(&self) -> [u8; ID_BYTES] {
        self.created.to_be_bytes()
    }
}

impl FrozenKey {
    fn thaw(&self) -> Option<Key> {
        let secret = STANDARD.decode(&self.key).ok()?.try_into().ok()?;
        Key::new(secret, self.created)
    }
}

impl ProducesTickets for TicketKeys {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        // A ticket may be made at the end of its key's life.
        u32::try_from(TICKET_SECONDS - KEY_SECONDS).unwrap_or(0)
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.seal(plain, now())
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        self.open(cipher, now())
    }
}

/// Hides the keys.
impl fmt::Debug for TicketKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketKeys").finish_non_exhaustive()
    }
}

/// Hides the key.
impl fmt::Debug for FrozenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrozenKey").field("created", &self.created).finish_non_exhaustive()
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATE: &[u8] = b"session state";

    #[test]
    fn tickets_open_for_two_lives_of_a_key() {
        let keys = TicketKeys::generate().unwrap();
        let start = now();
        let ticket = keys.seal(STATE, start).unwrap();
        assert_eq!(keys.open(&ticket, start + 1).as_deref(), Some(STATE));
        let later = start + KEY_SECONDS + 10;
        let next = keys.seal(STATE, later).unwrap();
        assert_ne!(next[..ID_BYTES], ticket[..ID_BYTES], "another key");
        assert_eq!(keys.open(&ticket, later).as_deref(), Some(STATE));
        assert_eq!(keys.open(&ticket, start + TICKET_SECONDS + 1), None);
        keys.seal(STATE, later + KEY_SECONDS).unwrap();
        assert_eq!(keys.open(&ticket, later), None, "two keys are kept");
    }

    #[test]
    fn forged_and_cut_tickets_are_refused() {
        let keys = TicketKeys::generate().unwrap();
        let ticket = keys.seal(STATE, now()).unwrap();
        for length in 0..ticket.len() {
            assert_eq!(keys.decrypt(&ticket[..length]), None, "{length}");
        }
        for at in 0..ticket.len() {
            let mut forged = ticket.clone();
            forged[at] ^= 1;
            assert_eq!(keys.decrypt(&forged), None, "{at}");
        }
        assert_eq!(TicketKeys::generate().unwrap().decrypt(&ticket), None, "of another server");
    }

    #[test]
    fn next_process_opens_tickets_until_their_end() {
        let before = TicketKeys::generate().unwrap();
        let ticket = before.encrypt(STATE).unwrap();
        let text = serde_json::to_string(&before.freeze()).unwrap();
        let next = TicketKeys::generate().unwrap();
        next.adopt(&serde_json::from_str::<Vec<FrozenKey>>(&text).unwrap());
        assert_eq!(next.decrypt(&ticket).as_deref(), Some(STATE));
        assert_eq!(next.open(&ticket, now() + TICKET_SECONDS), None);
        assert!(!format!("{next:?} {:?}", next.freeze()).contains(&next.freeze()[0].key));
        next.adopt(&[FrozenKey { key: "short".to_owned(), created: 0 }]);
        assert!(next.decrypt(&ticket).is_some(), "a malformed key changes nothing");
    }
}
