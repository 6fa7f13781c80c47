//! Configuration of the STUN and TURN server.

use std::{collections::BTreeMap, fmt, net::SocketAddr, ops::RangeInclusive};

use anyhow::{Context, bail, ensure};
use turn::Cidr;

use super::{Listen, Problems, Secret, options::Options};

/// Longest realm in bytes (RFC 8489 §14.9).
const MAX_REALM_BYTES: usize = 763;
/// Longest user name in bytes (RFC 8489 §14.3).
const MAX_USERNAME_BYTES: usize = 508;

/// Validated configuration of the STUN and TURN server.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    /// The server is a relay alone: no page, no rooms.
    pub(crate) only: bool,
    /// HMAC secrets of REST credentials, shared with the services that issue them. All are valid.
    pub(crate) secrets: Vec<Secret>,
    /// Users with permanent credentials.
    pub(crate) users: Users,
    /// The realm of all credentials.
    pub(crate) realm: String,
    /// Ports of relayed addresses.
    pub(crate) ports: RangeInclusive<u16>,
    /// Peer ranges that are permitted although denied by default.
    pub(crate) allow: Vec<Cidr>,
    /// Permits TCP allocations (RFC 6062) to participants of rooms.
    pub(crate) member_tcp: bool,
    /// The second address of NAT behaviour discovery (RFC 5780).
    pub(crate) alternate: Option<SocketAddr>,
}

/// Names and their passwords. No `Debug` text shows a password.
#[derive(Clone, Default)]
pub(crate) struct Users(BTreeMap<String, String>);

impl Turn {
    /// Resolves the options; mistakes go to `problems`. Without a secret among the options,
    /// `secrets` is empty.
    pub(super) fn resolve(options: &mut Options, listen: &Listen, problems: &mut Problems) -> Self {
        let realm = options.turn_realm.take().unwrap_or_else(|| "moim".to_owned());
        let is_realm = !realm.is_empty()
            && realm.len() <= MAX_REALM_BYTES
            && !realm.contains(char::is_control);
        problems.ensure(is_realm, || {
            format!("--turn-realm must be 1 to {MAX_REALM_BYTES} bytes of plain text")
        });
        let ports = options.turn_ports.take().map_or(49_152..=65_535, Into::into);
        let only = options.turn_only.unwrap_or(false);
        problems.ensure(!only || options.folder.is_none(), || {
            "--turn-only serves no pages: leave out one of --turn-only and --static".to_owned()
        });
        let alternate = options.stun_alternate.map(|at| alternate(at, listen)).transpose();
        let users = Users::read(options.turn_user.take().unwrap_or_default());
        Self {
            only,
            secrets: problems.take(secrets(options.turn_secret.take())).unwrap_or_default(),
            users: problems.take(users).unwrap_or_default(),
            realm,
            ports,
            member_tcp: options.turn_tcp.unwrap_or(false),
            allow: options.turn_allow.take().unwrap_or_default(),
            alternate: problems.take(alternate).flatten(),
        }
    }
}

fn secrets(given: Option<Vec<String>>) -> anyhow::Result<Vec<Secret>> {
    let secrets = given.unwrap_or_default().into_iter().map(|secret| {
        Secret::new(secret)
            .context("--turn-secret is empty: give a long random text or leave it out")
    });
    secrets.collect()
}

/// Checks the second address of RFC 5780, which differs from the first in address and port.
fn alternate(at: SocketAddr, listen: &Listen) -> anyhow::Result<SocketAddr> {
    ensure!(
        !at.ip().is_unspecified() && at.port() != 0,
        "--stun-alternate {at} must be one address of this computer, with a port"
    );
    let same_family = listen.required.iter().filter(|main| main.is_ipv4() == at.is_ipv4());
    let Some(main) = same_family.clone().find(|main| !main.ip().is_unspecified()) else {
        bail!(
            "--stun-alternate {at} needs a first address of the same family: set --listen to \
             one address, not the wildcard"
        );
    };
    ensure!(
        main.ip() != at.ip() && main.port() != at.port(),
        "--stun-alternate {at} must differ from {main} in both address and port"
    );
    Ok(at)
}

impl Users {
    /// Parses NAME:PASSWORD texts. Errors don't quote the text, which is a secret.
    fn read(texts: Vec<String>) -> anyhow::Result<Self> {
        let mut users = BTreeMap::new();
        for (number, text) in (1..).zip(texts) {
            let Some((name, password)) = text.split_once(':') else {
                bail!("--turn-user number {number} has no colon: write NAME:PASSWORD");
            };
            ensure!(
                !name.is_empty()
                    && name.len() <= MAX_USERNAME_BYTES
                    && !name.contains(char::is_control),
                "--turn-user number {number} must begin with a name of 1 to {MAX_USERNAME_BYTES} \
                 bytes"
            );
            ensure!(!password.is_empty(), "--turn-user {name} has no password after the colon");
            let is_rest = turn::rest::Username::parse(name).is_some();
            ensure!(
                !is_rest,
                "--turn-user {name} looks like the timestamp of a REST credential: add a letter"
            );
            let former = users.insert(name.to_owned(), password.to_owned());
            ensure!(former.is_none(), "--turn-user {name} is given twice: leave one out");
        }
        Ok(Self(users))
    }

    /// Names with their passwords.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, password)| (name.as_str(), password.as_str()))
    }
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(texts: &[&str]) -> Result<Users, String> {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        Users::read(texts).map_err(|error| error.to_string())
    }

    #[test]
    fn password_may_contain_colons_and_is_not_printed() {
        let users = users(&["ann:pa:ss,word", "bob:x"]).unwrap();
        assert_eq!(users.iter().collect::<Vec<_>>(), [("ann", "pa:ss,word"), ("bob", "x")]);
        assert_eq!(format!("{users:?}"), r#"{"ann", "bob"}"#);
    }

    #[test]
    fn errors_about_users_do_not_quote_the_password() {
        for text in ["hunter2", ":hunter2", "ann:", "12345:hunter2", "a\u{7}b:hunter2"] {
            let error = users(&["bob:x", text]).unwrap_err();
            assert!(error.contains("--turn-user") && !error.contains("hunter2"), "{error}");
        }
        assert!(users(&["ann:x", "ann:y"]).unwrap_err().contains("--turn-user ann"));
    }

    #[test]
    fn alternate_must_differ_in_address_and_port() {
        let listen = Listen::new(Some("192.0.2.1:3478".parse().unwrap()), Vec::new());
        let ok = "192.0.2.2:3479".parse().unwrap();
        assert_eq!(alternate(ok, &listen).unwrap(), ok);
        for at in ["192.0.2.1:3479", "192.0.2.2:3478", "0.0.0.0:3479", "192.0.2.2:0", "[::1]:3479"]
        {
            let error = alternate(at.parse().unwrap(), &listen).unwrap_err();
            assert!(error.to_string().contains("--stun-alternate"), "{error}");
        }
        let anywhere = Listen::new(None, Vec::new());
        assert!(alternate(ok, &anywhere).is_err());
    }
}
