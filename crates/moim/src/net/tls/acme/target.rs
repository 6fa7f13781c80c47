//! What a certificate is for.

use std::{fmt, net::IpAddr};

use aws_lc_rs::digest::{SHA256, digest};

use crate::config::Acme;

/// A name or an address (RFC 8555 §7.1.4, RFC 8738).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Identifier {
    /// A DNS name in lower case.
    Name(String),
    /// A public address.
    Address(IpAddr),
}

/// A certificate to have. Each is for one identifier, so that one which can't be had keeps no other
/// from being had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) identifier: Identifier,
    pub(super) profile: Option<String>,
}

impl Target {
    /// Certificates for the names of `config` and for these announced addresses.
    pub(super) fn all(config: &Acme, announced: &[IpAddr]) -> Vec<Self> {
        let names = config.domains.iter().map(|domain| Self {
            identifier: Identifier::Name(domain.as_str().to_owned()),
            profile: config.profile_for_names().map(str::to_owned),
        });
        let addresses = announced.iter().filter(|_| config.addresses).map(|ip| Self {
            identifier: Identifier::Address(ip.to_canonical()),
            profile: Some(config.profile_for_addresses().to_owned()),
        });
        let mut targets: Vec<_> = names.collect();
        for target in addresses {
            // One address may be announced with several ports.
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
        targets
    }

    /// A file name without an extension.
    pub(super) fn file_stem(&self) -> String {
        short_hash(&self.identifier.to_string())
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(ip) => write!(f, "{ip}"),
        }
    }
}

/// The first 16 bytes of the SHA-256 of `text`, in hexadecimal.
pub(super) fn short_hash(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
