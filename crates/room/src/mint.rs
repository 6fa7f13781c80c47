//! Ids and secrets that nobody can guess.

use rand::{Rng, SeedableRng, rngs::StdRng};
use subtle::ConstantTimeEq;

use crate::protocol::{ParticipantId, ResumeToken};

/// Thirty-two signs that are safe in URLs and hard to mistake for one another: 5 bits each.
const SIGNS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// 65 bits: unguessable within a room's life, and short in logs and page addresses.
const ID_SIGNS: usize = 13;
/// 130 bits.
const SECRET_SIGNS: usize = 26;

/// Makes ids and secrets from a cryptographic generator.
pub(crate) struct Mint(StdRng);

impl Mint {
    /// `seed` comes from the operating system's randomness.
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self(StdRng::from_seed(seed))
    }

    pub(crate) fn participant_id(&mut self) -> ParticipantId {
        ParticipantId(self.signs::<ID_SIGNS>().into_iter().map(char::from).collect())
    }

    pub(crate) fn secret(&mut self) -> Secret {
        Secret(self.signs())
    }

    fn signs<const N: usize>(&mut self) -> [u8; N] {
        let mut signs = [0; N];
        self.0.fill_bytes(&mut signs);
        for sign in &mut signs {
            *sign = SIGNS.get(usize::from(*sign & 31)).copied().unwrap_or_default();
        }
        signs
    }
}

/// The secret half of a resume token, `ID.SECRET`: the id finds the participant, and the secret
/// alone decides.
#[derive(Clone)]
pub(crate) struct Secret([u8; SECRET_SIGNS]);

/// Nobody's secret.
pub(crate) const DECOY: Secret = Secret([0; SECRET_SIGNS]);

impl Secret {
    /// The token of the participant `id` that has this secret.
    pub(crate) fn token(&self, id: &ParticipantId) -> ResumeToken {
        let secret: String = self.0.iter().copied().map(char::from).collect();
        ResumeToken(format!("{}.{secret}", id.as_str()))
    }

    /// Whether `given` is this secret, in a time that does not tell how much of it is.
    pub(crate) fn is(&self, given: &str) -> bool {
        self.0.as_slice().ct_eq(given.as_bytes()).into()
    }
}

/// Takes a token apart: whose it claims to be, and the secret that would prove it.
pub(crate) fn claim(token: &ResumeToken) -> (ParticipantId, &str) {
    let (id, secret) = token.as_str().split_once('.').unwrap_or_default();
    (ParticipantId(id.to_owned()), secret)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_short_url_safe_and_unlike_one_another() {
        let mut mint = Mint::new([7; 32]);
        let ids: HashSet<_> = (0..10_000).map(|_| mint.participant_id()).collect();
        assert_eq!(ids.len(), 10_000);
        for id in ids {
            assert_eq!(id.as_str().len(), 13);
            assert!(id.as_str().bytes().all(|sign| SIGNS.contains(&sign)));
        }
    }

    #[test]
    fn a_token_proves_its_own_participant_alone() {
        let mut mint = Mint::new([7; 32]);
        let (id, secret, other) = (mint.participant_id(), mint.secret(), mint.secret());
        let token = secret.token(&id);
        let (claimed, given) = claim(&token);
        assert_eq!(claimed, id);
        assert!(secret.is(given));
        assert!(!other.is(given));
        assert!(!secret.is(given.get(1..).expect("long enough")));
        assert!(!secret.is(""));
    }
}
