//! Who may use the server: users an operator names, and whoever was given a credential made with
//! one of the secrets (see [`crate::rest`]).

use std::{borrow::Cow, time::Instant};

use foldhash::HashMap;

use crate::{
    member_credentials::MemberCredentials,
    rest,
    stun::{Key, Message, PasswordAlgorithm, userhash},
};

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
    /// The credential is a room's.
    pub(crate) is_member: bool,
}

impl Authenticated<'_> {
    /// Whether something made under that name is this user's: the same name, or one of the same user
    /// that ends at another time, as credentials are renewed while what was made with them lives. A
    /// name that is a bare time says of no user that it is the same.
    pub(crate) fn owns(&self, username: &str, is_member: bool) -> bool {
        let same_user = || {
            let parsed = [username, &self.username].map(rest::Username::parse);
            let [Some(made), Some(now)] = parsed else { return false };
            made.user == now.user && !made.user.is_empty()
        };
        self.is_member == is_member && (*self.username == *username || same_user())
    }
}

/// All that a password is checked against.
pub(crate) struct Credentials {
    realm: Box<str>,
    /// The first is the one in use; the others are on their way out.
    secrets: Vec<Vec<u8>>,
    users: HashMap<Box<str>, User>,
    by_hash: HashMap<[u8; 32], Box<str>>,
    /// Those of rooms have a secret of their own.
    rooms: Option<MemberCredentials>,
    /// Stands for users that are not there, so that asking for one takes as long.
    dummy: User,
}

impl Credentials {
    /// `nobody` is a password that nobody knows.
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

    /// Whether a client can be asked to hide its user's name: only names we know can be told by
    /// their hash, and those of REST credentials we never saw before.
    pub(crate) fn knows_all_names(&self) -> bool {
        self.secrets.is_empty() && self.rooms.is_none()
    }

    /// Whether the participant of a room credential's name is still a member.
    pub(crate) fn has_member(&self, username: &str) -> bool {
        self.rooms.as_ref().is_some_and(|rooms| rooms.has_member(rest::user_of(username)))
    }

    /// Authenticates a message. An unknown name, an expired one and a wrong password take the same
    /// steps, so that timing reveals none of them.
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
