//! Names that are this server's own.
//!
//! A page of another site whose name is made to resolve to this server (DNS rebinding) counts as of
//! one origin with it, and only the name it asks for gives it away.

use std::{collections::HashSet, sync::Arc};

use super::Host;
use crate::{
    config::HostName,
    net::{
        tcp::Connection,
        tls::{self, Current, Names},
    },
};

/// The names by which this server may be asked.
#[derive(Debug)]
pub(crate) struct KnownHosts {
    /// Those the operator gave, the main one first.
    given: Vec<HostName>,
    /// The same, and hosts of other origins that may connect.
    named: HashSet<String>,
    certificate: Arc<Current>,
}

impl KnownHosts {
    /// The operator's `given` names, hosts of `origins`, and the names of the `certificate` of the
    /// day.
    pub(crate) fn new(
        given: Vec<HostName>,
        origins: impl Iterator<Item = HostName>,
        certificate: Arc<Current>,
    ) -> Self {
        let named = given.iter().cloned().chain(origins);
        let named = named.map(|name| name.as_str().to_owned()).collect();
        Self { given, named, certificate }
    }

    /// Whether a request over `connection` may ask for `host`.
    ///
    /// Addresses and `localhost` mean what they say, so no page of another site has them as its
    /// name. Neither has it a name outside the public DNS, unless it was loaded in this very
    /// network; a server for this computer alone is safe from its neighbours, too.
    pub(super) fn contain(&self, host: &Host, connection: &Connection) -> bool {
        host.is_address()
            || host.is_loopback()
            || self.named.contains(host.name())
            || self.certificate.is_for(host.name())
            || (!connection.peer.ip().is_loopback() && tls::is_private_name(host.name()))
            || Names::of_host().contains(host.name())
    }

    /// The name the operator gave first.
    pub(super) fn main(&self) -> Option<Host> {
        Host::parse(self.given.first()?.as_str())
    }

    /// Whether the operator gave that name.
    pub(super) fn are_given(&self, host: &Host) -> bool {
        self.given.iter().any(|given| given.as_str() == host.name())
    }
}
