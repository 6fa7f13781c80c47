//! The server's own host names.
//!
//! Another site whose name resolves to this server (DNS rebinding) shares an origin with it in the
//! browser's eyes; only the host in the request reveals it.

use std::{collections::HashSet, sync::Arc};

use crate::{
    config::HostName,
    net::{
        host::Host,
        tcp::Connection,
        tls::{self, CurrentCertificate, Names},
    },
};

/// Host names that requests may use.
#[derive(Debug)]
pub(crate) struct KnownHosts {
    /// Names of `--host`, the main one first.
    given: Vec<HostName>,
    /// The same names, and hosts of `--origin`.
    named: HashSet<String>,
    certificate: Arc<CurrentCertificate>,
}

impl KnownHosts {
    /// Accepts the `given` names, hosts of `origins`, and the names of the current `certificate`.
    pub(crate) fn new(
        given: Vec<HostName>,
        origins: impl Iterator<Item = HostName>,
        certificate: Arc<CurrentCertificate>,
    ) -> Self {
        let named = given.iter().cloned().chain(origins);
        let named = named.map(|name| name.as_str().to_owned()).collect();
        Self { given, named, certificate }
    }

    /// True if a request over `connection` may name `host`.
    ///
    /// Another site can't have an address or `localhost` as its name. It can't have a name outside
    /// the public DNS either, unless it is on this local network; requests over loopback must not
    /// use such names, which protects a server that listens on loopback only.
    pub(super) fn contain(&self, host: &Host, connection: &Connection) -> bool {
        host.is_address()
            || host.is_loopback()
            || self.named.contains(host.name())
            || self.certificate.is_for(host.name())
            || (!connection.peer.ip().is_loopback() && tls::is_private_name(host.name()))
            || Names::of_host().contains(host.name())
    }

    /// The first name of `--host`.
    pub(super) fn main(&self) -> Option<Host> {
        Host::parse(self.given.first()?.as_str())
    }

    /// True if `--host` names it.
    pub(super) fn are_given(&self, host: &Host) -> bool {
        self.given.iter().any(|given| given.as_str() == host.name())
    }
}
