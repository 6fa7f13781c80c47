//! The namespaces that an application has, and those that a client is in.

use std::{sync::Arc, time::Instant};

/// The default namespace, to which every client may connect.
pub const MAIN: &str = "/";

/// How many namespaces an application may have.
pub const MAX_NAMESPACES: usize = 32;

/// The namespaces clients may connect to: [`MAIN`], unless others are added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespaces(Vec<Arc<str>>);

/// One of the [`Namespaces`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Namespace(u8);

/// What can't be a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NamespaceError {
    /// It does not begin with a slash, or has a character that ends a namespace on the wire.
    #[error("a namespace begins with a slash and has neither `,` nor `?`")]
    Form,
    /// There are [`MAX_NAMESPACES`] already.
    #[error("there are too many namespaces")]
    TooMany,
}

impl Default for Namespaces {
    fn default() -> Self {
        Self(vec![MAIN.into()])
    }
}

impl Namespaces {
    /// Lets clients connect to this one, too.
    ///
    /// # Errors
    /// The name can't be told on the wire, or there are too many.
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

    /// Its name as on the wire; [`MAIN`] for one of another application.
    pub fn name(&self, namespace: Namespace) -> Arc<str> {
        self.0.get(usize::from(namespace.0)).cloned().unwrap_or_else(|| MAIN.into())
    }

    /// The one of that name.
    pub(crate) fn find(&self, name: &str) -> Option<Namespace> {
        let at = self.0.iter().position(|known| **known == *name)?;
        u8::try_from(at).ok().map(Namespace)
    }
}

/// Which namespaces a client is in: it has connected, or asked to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Presence {
    /// A bit for each.
    inside: u32,
    /// While it is in none: when it must be in one.
    deadline: Instant,
}

impl Presence {
    /// In none until then.
    pub(crate) fn nowhere(deadline: Instant) -> Self {
        Self { inside: 0, deadline }
    }

    pub(crate) fn is_in(self, namespace: Namespace) -> bool {
        self.inside & bit(namespace) != 0
    }

    /// When it is late; never while it is in a namespace.
    pub(crate) fn deadline(self) -> Option<Instant> {
        (self.inside == 0).then_some(self.deadline)
    }

    pub(crate) fn enter(&mut self, namespace: Namespace) {
        self.inside |= bit(namespace);
    }

    /// If that was the last one, it must be in one by then.
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
    fn a_name_that_could_not_be_told_is_refused() {
        for name in ["", "custom", "/a,b", "/a?b"] {
            assert_eq!(Namespaces::default().with(name), Err(NamespaceError::Form), "{name}");
        }
    }

    #[test]
    fn there_are_so_many_and_each_is_its_own() {
        let mut namespaces = Namespaces::default();
        for n in 1..MAX_NAMESPACES {
            namespaces = namespaces.with(&format!("/{n}")).unwrap().with(&format!("/{n}")).unwrap();
        }
        assert_eq!(namespaces.clone().with("/more"), Err(NamespaceError::TooMany));
        let now = testnet::Clock::new().now();
        let mut presence = Presence::nowhere(now);
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
