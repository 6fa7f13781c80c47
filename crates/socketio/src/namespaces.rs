//! Namespaces of an application and of a client.

use std::{sync::Arc, time::Instant};

/// The default namespace, to which every client may connect.
pub const MAIN: &str = "/";

/// Maximum number of namespaces.
pub const MAX_NAMESPACES: usize = 32;

/// Namespaces to which clients may connect: [`MAIN`] and added ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespaces(Vec<Arc<str>>);

/// One of the [`Namespaces`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Namespace(u8);

/// Reason for which a namespace can't be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NamespaceError {
    /// The name does not begin with a slash or contains a delimiter of the wire format.
    #[error("a namespace must begin with a slash and contain neither `,` nor `?`")]
    Form,
    /// [`MAX_NAMESPACES`] is reached.
    #[error("too many namespaces")]
    TooMany,
}

impl Default for Namespaces {
    fn default() -> Self {
        Self(vec![MAIN.into()])
    }
}

impl Namespaces {
    /// Adds a namespace.
    ///
    /// # Errors
    /// The name is invalid or there are too many.
    pub fn with(mut self, name: &str) -> Result<Self, NamespaceError> {
        if !name.starts_with('/') || name.contains([',', '?']) {
            return Err(NamespaceError::Form);
        }
        if self.find(name).is_none() {
            if self.0.len() >= MAX_NAMESPACES {
                return Err(NamespaceError::TooMany);
            }
            self.0.push(name.into());
        }
        Ok(self)
    }

    /// The namespace's name; [`MAIN`] for one of another application.
    pub fn name(&self, namespace: Namespace) -> Arc<str> {
        self.0.get(usize::from(namespace.0)).cloned().unwrap_or_else(|| MAIN.into())
    }

    /// Finds a namespace by name.
    pub(crate) fn find(&self, name: &str) -> Option<Namespace> {
        let at = self.0.iter().position(|known| **known == *name)?;
        u8::try_from(at).ok().map(Namespace)
    }
}

/// Namespaces that a client is connected to or has asked to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Presence {
    /// Bit mask of namespaces.
    inside: u32,
    /// Time by which it must connect, while in no namespace.
    deadline: Instant,
}

impl Presence {
    /// Connected to no namespace.
    pub(crate) fn none(deadline: Instant) -> Self {
        Self { inside: 0, deadline }
    }

    pub(crate) fn is_in(self, namespace: Namespace) -> bool {
        self.inside & bit(namespace) != 0
    }

    /// Connect deadline; `None` while in a namespace.
    pub(crate) fn deadline(self) -> Option<Instant> {
        (self.inside == 0).then_some(self.deadline)
    }

    pub(crate) fn enter(&mut self, namespace: Namespace) {
        self.inside |= bit(namespace);
    }

    /// Leaves a namespace; `deadline` applies if it was the last one.
    pub(crate) fn leave(&mut self, namespace: Namespace, deadline: Instant) {
        self.inside &= !bit(namespace);
        self.deadline = deadline;
    }
}

fn bit(namespace: Namespace) -> u32 {
    1_u32.checked_shl(namespace.0.into()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_namespace_is_rejected() {
        for name in ["", "custom", "/a,b", "/a?b"] {
            assert_eq!(Namespaces::default().with(name), Err(NamespaceError::Form), "{name}");
        }
    }

    #[test]
    fn namespaces_are_limited_and_distinct() {
        let mut namespaces = Namespaces::default();
        for n in 1..MAX_NAMESPACES {
            namespaces = namespaces.with(&format!("/{n}")).unwrap().with(&format!("/{n}")).unwrap();
        }
        assert_eq!(namespaces.clone().with("/more"), Err(NamespaceError::TooMany));
        let now = testnet::Clock::new().now();
        let mut presence = Presence::none(now);
        for n in 1..MAX_NAMESPACES {
            let namespace = namespaces.find(&format!("/{n}")).unwrap();
            assert_eq!(*namespaces.name(namespace), format!("/{n}"));
            assert!(!presence.is_in(namespace));
            presence.enter(namespace);
            assert!(presence.is_in(namespace));
        }
        assert!(!presence.is_in(namespaces.find(MAIN).unwrap()));
    }
}
