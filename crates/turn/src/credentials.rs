//! Credentials that clients authenticate with: of users in the configuration, and REST credentials
//! made with a shared secret (see [`crate::rest`]).

use std::{borrow::Cow, time::Instant};

use foldhash::HashMap;

use crate::{
    member_credentials::MemberCredentials,
    rest,
    stun::{Key, Message, PasswordAlgorithm, userhash},
};

/// A user from the configuration. Only keys are stored, which are valid for one realm.
#[derive(Clone, Debug)]
pub struct User {
    name: Box<str>,
    md5: Key,
    sha256: Key,
    hash: [u8; 32],
}

impl User {
    /// A user of a realm. Name and password are used as they are; text that a person has typed is
    /// to be prepared by the caller (`OpaqueString`, RFC 8265).
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

/// The attribute by which a request names its user.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Name<'a> {
    /// USERNAME
    Plain(&'a str),
    /// USERHASH
    Hash(&'a [u8]),
}

/// The name and key derivation that a request claims.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim<'a> {
    pub(crate) name: Name<'a>,
    pub(crate) algorithm: PasswordAlgorithm,
    /// Accepts an expired credential: its allocation is still live.
    pub(crate) may_be_expired: bool,
}

/// The current time on both clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Time {
    pub(crate) now: Instant,
    /// Seconds since 1970.
    pub(crate) unix: u64,
}

/// The authenticated sender of a request.
pub(crate) struct Authenticated<'a> {
    pub(crate) username: Cow<'a, str>,
    pub(crate) key: Key,
    /// True if the credential was issued to a member of a room.
    pub(crate) is_member: bool,
}

impl Authenticated<'_> {
    /// Returns whether this user made something under `username`: the names are equal, or are REST
    /// names of the same user with different expiries, since clients renew their credentials while
    /// an allocation lives. A name without a user part matches only itself.
    pub(crate) fn owns(&self, username: &str, is_member: bool) -> bool {
        let same_user = || {
            let parsed = [username, &self.username].map(rest::Username::parse);
            let [Some(owner), Some(current)] = parsed else { return false };
            owner.user == current.user && !owner.user.is_empty()
        };
        self.is_member == is_member && (*self.username == *username || same_user())
    }
}

/// The credentials that the server accepts.
pub(crate) struct Credentials {
    realm: Box<str>,
    /// Current secret first, then retired ones that are still accepted.
    secrets: Vec<Vec<u8>>,
    users: HashMap<Box<str>, User>,
    by_hash: HashMap<[u8; 32], Box<str>>,
    /// The issuer of room credentials, which has a secret of its own.
    rooms: Option<MemberCredentials>,
    /// A stand-in for unknown users, so that a lookup of one takes as long.
    dummy: User,
}

impl Credentials {
    /// Credentials of a realm. `dummy_password` is a random secret.
    pub(crate) fn new(
        realm: &str,
        secrets: Vec<Vec<u8>>,
        users: Vec<User>,
        rooms: Option<MemberCredentials>,
        dummy_password: &str,
    ) -> Self {
        Self {
            realm: realm.into(),
            secrets,
            rooms,
            by_hash: users.iter().map(|user| (user.hash, user.name.clone())).collect(),
            users: users.into_iter().map(|user| (user.name.clone(), user)).collect(),
            dummy: User::new("", realm, dummy_password),
        }
    }

    /// Replaces secrets and users.
    pub(crate) fn replace(&mut self, secrets: Vec<Vec<u8>>, users: Vec<User>) {
        self.secrets = secrets;
        self.by_hash = users.iter().map(|user| (user.hash, user.name.clone())).collect();
        self.users = users.into_iter().map(|user| (user.name.clone(), user)).collect();
    }

    /// Returns whether clients can be asked to send USERHASH: a hash identifies only known names,
    /// and the names of REST credentials are not known beforehand.
    pub(crate) fn knows_all_names(&self) -> bool {
        self.secrets.is_empty() && self.rooms.is_none()
    }

    /// Returns whether the participant named by a room credential is still a member.
    pub(crate) fn has_member(&self, username: &str) -> bool {
        self.rooms.as_ref().is_some_and(|rooms| rooms.has_member(rest::user_of(username)))
    }

    /// Authenticates a message. An unknown name, an expired one and a wrong password take the same
    /// steps, so timing does not reveal which it was.
    pub(crate) fn authenticate<'a>(
        &self,
        time: Time,
        message: &Message<'_>,
        claim: Claim<'a>,
    ) -> Option<Authenticated<'a>> {
        let Time { now, unix: unix_now } = time;
        let Claim { name, algorithm, may_be_expired } = claim;
        let user = match name {
            Name::Plain(name) => self.users.get(name),
            Name::Hash(hash) => self.by_hash.get(hash).and_then(|name| self.users.get(name)),
        };
        let static_key = user.unwrap_or(&self.dummy).key(algorithm);
        let mut authenticated = None;
        if message.verify(static_key)
            && let Some(user) = user
        {
            let name = match name {
                Name::Plain(name) => Cow::Borrowed(name),
                Name::Hash(_) => Cow::Owned(String::from(&*user.name)),
            };
            authenticated =
                Some(Authenticated { username: name, key: static_key.clone(), is_member: false });
        }
        let plain = match name {
            Name::Plain(name) => name,
            Name::Hash(_) => "",
        };
        let parsed = rest::Username::parse(plain);
        let current = parsed.is_some_and(|name| name.expiry > unix_now || may_be_expired);
        for secret in &self.secrets {
            let password = rest::password(secret, plain);
            let key = Key::derive(algorithm, plain, &self.realm, &password);
            if message.verify(&key) && current && authenticated.is_none() {
                let username = Cow::Borrowed(plain);
                authenticated = Some(Authenticated { username, key, is_member: false });
            }
        }
        if let Some(rooms) = &self.rooms {
            let password = rest::password(rooms.secret(), plain);
            let key = Key::derive(algorithm, plain, &self.realm, &password);
            let current = parsed.is_some_and(|name| {
                (name.expiry > rooms.unix_time(now) || may_be_expired)
                    && rooms.has_member(name.user)
            });
            if message.verify(&key) && current && authenticated.is_none() {
                authenticated =
                    Some(Authenticated { username: Cow::Borrowed(plain), key, is_member: true });
            }
        }
        authenticated
    }
}
