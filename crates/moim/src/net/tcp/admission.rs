//! Admission of TCP connections: limits in total and per client prefix.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::{config::Limits, net::client_prefix::ClientPrefix};

/// Admits connections within the limits. Clones share their counts.
#[derive(Debug, Clone)]
pub(crate) struct Admission(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// The last connection has ended.
    emptied: Notify,
}

#[derive(Debug)]
struct State {
    max: usize,
    max_per_prefix: usize,
    admitted: usize,
    /// Connections of each client prefix.
    by_prefix: HashMap<ClientPrefix, usize>,
}

/// The limit that refuses a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AdmitConnectionError {
    /// The server has as many connections as it takes.
    #[error("the server has its maximum number of connections")]
    Full,
    /// The client prefix has as many connections as it may.
    #[error("the address has its maximum number of connections")]
    FullForAddress,
}

/// An admitted connection, which counts until this is dropped.
#[derive(Debug)]
pub(crate) struct AdmissionPermit {
    admission: Admission,
    prefix: Option<ClientPrefix>,
}

impl Admission {
    /// Admission with no connections yet.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self::within(limits.connections, limits.connections_per_address)
    }

    fn within(max: usize, max_per_prefix: usize) -> Self {
        let state = State { max, max_per_prefix, admitted: 0, by_prefix: HashMap::new() };
        Self(Arc::new(Shared { state: Mutex::new(state), emptied: Notify::new() }))
    }

    /// Replaces the limits. Admitted connections stay, also beyond them.
    pub(crate) fn set_limits(&self, limits: &Limits) {
        let mut state = self.0.state.lock();
        state.max = limits.connections;
        state.max_per_prefix = limits.connections_per_address;
    }

    /// Admits a connection from `address`.
    pub(crate) fn admit(&self, address: IpAddr) -> Result<AdmissionPermit, AdmitConnectionError> {
        let mut permit = self.admit_proxy()?;
        permit.count_for(address)?;
        Ok(permit)
    }

    /// Admits the connection of a reverse proxy. The client behind it is counted once its address
    /// is known: [here](AdmissionPermit::count_for) after a PROXY header, otherwise by the HTTP
    /// layer.
    pub(crate) fn admit_proxy(&self) -> Result<AdmissionPermit, AdmitConnectionError> {
        let mut state = self.0.state.lock();
        if state.admitted >= state.max {
            return Err(AdmitConnectionError::Full);
        }
        state.admitted += 1;
        Ok(AdmissionPermit { admission: self.clone(), prefix: None })
    }

    /// Counts the admitted connections.
    pub(crate) fn count(&self) -> usize {
        self.0.state.lock().admitted
    }

    /// Returns once no connection is left.
    pub(crate) async fn empty(&self) {
        loop {
            let emptied = self.0.emptied.notified();
            if self.count() == 0 {
                return;
            }
            emptied.await;
        }
    }
}

impl AdmissionPermit {
    /// Counts the connection for the prefix of its client.
    pub(crate) fn count_for(&mut self, client: IpAddr) -> Result<(), AdmitConnectionError> {
        let prefix = ClientPrefix::from(client);
        if prefix.is_loopback() {
            return Ok(());
        }
        let mut state = self.admission.0.state.lock();
        let max = state.max_per_prefix;
        let count = state.by_prefix.entry(prefix).or_default();
        if *count >= max {
            return Err(AdmitConnectionError::FullForAddress);
        }
        *count += 1;
        self.prefix = Some(prefix);
        Ok(())
    }
}

impl Drop for AdmissionPermit {
    fn drop(&mut self) {
        let mut state = self.admission.0.state.lock();
        if let Some(prefix) = &self.prefix
            && let Some(count) = state.by_prefix.get_mut(prefix)
        {
            *count -= 1;
            if *count == 0 {
                state.by_prefix.remove(prefix);
            }
        }
        state.admitted -= 1;
        if state.admitted == 0 {
            self.admission.0.emptied.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn admit_limits_each_address_until_its_connections_end() {
        let admission = Admission::within(9, 2);
        let admitted = [(); 2].map(|()| admission.admit(ip("192.0.2.1")).unwrap());
        let error = admission.admit(ip("192.0.2.1")).unwrap_err();
        assert_eq!(error, AdmitConnectionError::FullForAddress);
        let other = admission.admit(ip("192.0.2.2")).unwrap();
        assert_eq!(admission.count(), 3);
        drop(admitted);
        assert!(admission.admit(ip("192.0.2.1")).is_ok());
        drop(other);
        assert_eq!(admission.count(), 0);
        assert!(admission.0.state.lock().by_prefix.is_empty());
    }

    #[test]
    fn admit_limits_loopback_only_in_total() {
        let admission = Admission::within(3, 1);
        let _admitted = [(); 3].map(|()| admission.admit(ip("127.0.0.1")).unwrap());
        let error = admission.admit(ip("127.0.0.1")).unwrap_err();
        assert_eq!(error, AdmitConnectionError::Full);
    }

    #[test]
    fn lower_limits_apply_to_new_connections() {
        let admission = Admission::within(9, 9);
        let admitted = [(); 3].map(|()| admission.admit(ip("192.0.2.1")).unwrap());
        let limits = Limits { connections: 2, connections_per_address: 1, ..Limits::default() };
        admission.set_limits(&limits);
        assert_eq!(admission.admit(ip("192.0.2.2")).unwrap_err(), AdmitConnectionError::Full);
        drop(admitted);
        let _one = admission.admit(ip("192.0.2.1")).unwrap();
        let error = admission.admit(ip("192.0.2.1")).unwrap_err();
        assert_eq!(error, AdmitConnectionError::FullForAddress);
    }
}
