//! Unguessable participant ids and resume secrets.

use rand::{Rng, SeedableRng, rngs::StdRng};
use subtle::ConstantTimeEq;

use crate::protocol::{InvitationId, ParticipantId, ResumeToken};

/// URL-safe alphabet of 32 characters (5 bits each) that are hard to confuse.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// 65 bits: unguessable during a room's lifetime, yet short in logs and URLs.
const ID_LENGTH: usize = 13;
/// 130 bits.
const SECRET_LENGTH: usize = 26;

/// Generates ids and secrets with a cryptographic generator.
pub(crate) struct TokenGenerator(StdRng);

impl TokenGenerator {
    /// `seed` must come from the operating system's random number generator.
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self(StdRng::from_seed(seed))
    }

    pub(crate) fn participant_id(&mut self) -> ParticipantId {
        ParticipantId(self.characters::<ID_LENGTH>().into_iter().map(char::from).collect())
    }

    pub(crate) fn invitation_id(&mut self) -> InvitationId {
        InvitationId(self.characters::<ID_LENGTH>().into_iter().map(char::from).collect())
    }

    /// Key of an invitation.
    pub(crate) fn key(&mut self) -> String {
        self.characters::<SECRET_LENGTH>().into_iter().map(char::from).collect()
    }

    pub(crate) fn secret(&mut self) -> Secret {
        Secret(self.characters())
    }

    fn characters<const N: usize>(&mut self) -> [u8; N] {
        let mut characters = [0; N];
        self.0.fill_bytes(&mut characters);
        for character in &mut characters {
            *character = ALPHABET.get(usize::from(*character & 31)).copied().unwrap_or_default();
        }
        characters
    }
}

/// Secret half of a resume token `ID.SECRET`. The id only finds the participant; the secret
/// authenticates.
#[derive(Clone)]
pub(crate) struct Secret([u8; SECRET_LENGTH]);

/// Compared with for unknown ids; belongs to no participant.
pub(crate) const DUMMY_SECRET: Secret = Secret([0; SECRET_LENGTH]);

impl Secret {
    /// Resume token of the participant `id`.
    pub(crate) fn token(&self, id: &ParticipantId) -> ResumeToken {
        let secret: String = self.0.iter().copied().map(char::from).collect();
        ResumeToken(format!("{}.{secret}", id.as_str()))
    }

    /// The secret of a token; `None` if it has another length.
    pub(crate) fn of(token: &ResumeToken) -> Option<Self> {
        split_token(token).1.as_bytes().try_into().ok().map(Self)
    }

    /// Compares in constant time.
    pub(crate) fn is(&self, given: &str) -> bool {
        self.0.as_slice().ct_eq(given.as_bytes()).into()
    }
}

/// Splits a token into the claimed id and its secret.
pub(crate) fn split_token(token: &ResumeToken) -> (ParticipantId, &str) {
    let (id, secret) = token.as_str().split_once('.').unwrap_or_default();
    (ParticipantId(id.to_owned()), secret)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_short_url_safe_and_unique() {
        let mut generator = TokenGenerator::new([7; 32]);
        let ids: HashSet<_> = (0..10_000).map(|_| generator.participant_id()).collect();
        assert_eq!(ids.len(), 10_000);
        for id in ids {
            assert_eq!(id.as_str().len(), 13);
            assert!(id.as_str().bytes().all(|byte| ALPHABET.contains(&byte)));
        }
    }

    #[test]
    fn token_authenticates_its_own_participant_only() {
        let mut generator = TokenGenerator::new([7; 32]);
        let (id, secret, other) =
            (generator.participant_id(), generator.secret(), generator.secret());
        let token = secret.token(&id);
        let (claimed, given) = split_token(&token);
        assert_eq!(claimed, id);
        assert!(secret.is(given));
        assert!(!other.is(given));
        assert!(!secret.is(given.get(1..).expect("long enough")));
        assert!(!secret.is(""));
    }
}
