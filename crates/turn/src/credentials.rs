//! Who may use the server: users an operator names, and whoever was given a credential made with
//! one of the secrets (see [`crate::rest`]).

use crate::rest;
use crate::stun::{Key, Message, PasswordAlgorithm, userhash};
use foldhash::HashMap;
use std::borrow::Cow;

/// A user that an operator names. Only keys are kept, which hold for one realm.
#[derive(Clone, Debug)]
pub struct User {
    name: Box<str>,
    md5: Key,
    sha256: Key,
    hash: [u8; 32],
}

impl User {
    /// A user of a realm. Name and password are taken as they are: whoever has them from a person
    /// prepares them first (`OpaqueString`, RFC 8265).
    #[must_use]
    pub fn new(name: &str, realm: &str, password: &str) -> Self {
        let key = |algorithm| Key::derive(algorithm, name, realm, password);
        Self {
            name: name.into(),
            md5: key(PasswordAlgorithm::Md5),
            sha256: key(PasswordAlgorithm::Sha256),
            hash: userhash(name, realm),
        }
    }

    fn key(&self, algorithm: PasswordAlgorithm) -> &Key {
        match algorithm {
            PasswordAlgorithm::Md5 => &self.md5,
            PasswordAlgorithm::Sha256 => &self.sha256,
        }
    }
}

/// How a request names its user.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Name<'a> {
    /// USERNAME
    Plain(&'a str),
    /// USERHASH
    Hash(&'a [u8]),
}

/// All that a password is checked against.
pub(crate) struct Credentials {
    realm: Box<str>,
    /// The first is the one in use; the others are on their way out.
    secrets: Vec<Vec<u8>>,
    users: HashMap<Box<str>, User>,
    by_hash: HashMap<[u8; 32], Box<str>>,
    /// Stands for users that are not there, so that asking for one takes as long.
    nobody: User,
}

impl Credentials {
    /// `nobody` is a password that nobody knows.
    pub(crate) fn new(realm: &str, secrets: Vec<Vec<u8>>, users: Vec<User>, nobody: &str) -> Self {
        Self {
            realm: realm.into(),
            secrets,
            by_hash: users.iter().map(|user| (user.hash, user.name.clone())).collect(),
            users: users.into_iter().map(|user| (user.name.clone(), user)).collect(),
            nobody: User::new("", realm, nobody),
        }
    }

    /// Whether a client can be asked to hide its user's name: only names we know can be told by
    /// their hash, and those of REST credentials we never saw before.
    pub(crate) fn knows_all_names(&self) -> bool {
        self.secrets.is_empty()
    }

    /// The key that protects a message, if its sender has it. A name nobody has, one that has
    /// ended and a wrong password take the same steps.
    ///
    /// `outlives` says that a REST name is good although its time is over.
    pub(crate) fn prove<'a>(
        &self,
        unix_now: u64,
        message: &Message<'_>,
        name: Name<'a>,
        algorithm: PasswordAlgorithm,
        outlives: bool,
    ) -> Option<(Cow<'a, str>, Key)> {
        let user = match name {
            Name::Plain(name) => self.users.get(name),
            Name::Hash(hash) => self.by_hash.get(hash).and_then(|name| self.users.get(name)),
        };
        let static_key = user.unwrap_or(&self.nobody).key(algorithm);
        let mut proven = None;
        if message.verify(static_key)
            && let Some(user) = user
        {
            let name = match name {
                Name::Plain(name) => Cow::Borrowed(name),
                Name::Hash(_) => Cow::Owned(String::from(&*user.name)),
            };
            proven = Some((name, static_key.clone()));
        }
        let plain = match name {
            Name::Plain(name) => name,
            Name::Hash(_) => "",
        };
        let parsed = rest::Username::parse(plain);
        let current = parsed.is_some_and(|name| name.expiry > unix_now || outlives);
        for secret in &self.secrets {
            let password = rest::password(secret, plain);
            let key = Key::derive(algorithm, plain, &self.realm, &password);
            if message.verify(&key) && current && proven.is_none() {
                proven = Some((Cow::Borrowed(plain), key));
            }
        }
        proven
    }
}
