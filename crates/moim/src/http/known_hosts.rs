//! The server's own host names.
//!
//! Another site whose name resolves to this server (DNS rebinding) shares an origin with it in the
//! browser's eyes; only the host in the request reveals it.

use std::{collections::HashSet, sync::Arc};

use crate::{
    config::{HostName, Live},
    net::{
        auto_announce::VisitedNames,
        host::Host,
        tcp::Connection,
        tls::{self, CurrentCertificate, Names},
    },
};

/// Host names of the configuration.
#[derive(Debug, Default)]
pub(crate) struct HostNames {
    /// Names of `--host`, the main one first.
    given: Vec<HostName>,
    /// The same names, and hosts of `--origin`.
    named: HashSet<String>,
}

/// Host names that requests may use.
#[derive(Debug)]
pub(crate) struct KnownHosts {
    configured: Live<HostNames>,
    certificate: Arc<CurrentCertificate>,
    visited: VisitedNames,
}

impl HostNames {
    /// The `given` names and the hosts of `origins`.
    pub(crate) fn new(given: Vec<HostName>, origins: impl Iterator<Item = HostName>) -> Self {
        let named = given.iter().cloned().chain(origins);
        let named = named.map(|name| name.as_str().to_owned()).collect();
        Self { given, named }
    }
}

impl KnownHosts {
    /// Accepts the `configured` names, and those of the current `certificate`. Names that others
    /// than the local CA vouch for are noted in `visited`.
    pub(crate) fn new(
        configured: Live<HostNames>,
        certificate: Arc<CurrentCertificate>,
        visited: VisitedNames,
    ) -> Self {
        Self { configured, certificate, visited }
    }

    /// Notes a host that a request named.
    pub(super) fn note(&self, host: &Host) {
        if self.visited.are_wanted() && self.certificate.is_vouched_for(host.name()) {
            self.visited.note(host.name());
        }
    }

    /// True if a request over `connection` may name `host`.
    ///
    /// Another site can't have an address or `localhost` as its name. It can't have a name outside
    /// the public DNS either, unless it is on this local network; requests over loopback must not
    /// use such names, which protects a server that listens on loopback only.
    pub(super) fn contain(&self, host: &Host, connection: &Connection) -> bool {
        host.is_address()
            || host.is_loopback()
            || self.configured.load().named.contains(host.name())
            || self.certificate.is_for(host.name())
            || (!connection.peer.ip().is_loopback() && tls::is_private_name(host.name()))
            || Names::of_host().contains(host.name())
    }

    /// The first name of `--host`.
    pub(super) fn main(&self) -> Option<Host> {
        Host::parse(self.configured.load().given.first()?.as_str())
    }

    /// True if `--host` names it.
    pub(super) fn are_given(&self, host: &Host) -> bool {
        self.configured.load().given.iter().any(|given| given.as_str() == host.name())
    }
}
