//! Admission of TCP connections: limits in total and per client prefix.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{config::Limits, net::client_prefix::ClientPrefix};

/// Connections of each client prefix.
type ByPrefix = Arc<Mutex<HashMap<ClientPrefix, usize>>>;

/// Admits connections within the limits. Clones share their counts.
#[derive(Debug, Clone)]
pub(crate) struct Admission {
    total: usize,
    free: Arc<Semaphore>,
    per_prefix: usize,
    by_prefix: ByPrefix,
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
    _permit: OwnedSemaphorePermit,
    by_prefix: Option<(ClientPrefix, ByPrefix)>,
}

impl Admission {
    /// Admission with no connections yet.
    pub(crate) fn new(limits: &Limits) -> Self {
        let total = limits.connections.min(Semaphore::MAX_PERMITS);
        Self {
            total,
            free: Arc::new(Semaphore::new(total)),
            per_prefix: limits.connections_per_address,
            by_prefix: Arc::default(),
        }
    }

    /// Admits a connection from `address`.
    pub(crate) fn admit(&self, address: IpAddr) -> Result<AdmissionPermit, AdmitConnectionError> {
        let mut admitted = self.admit_proxy()?;
        self.count_for(&mut admitted, address)?;
        Ok(admitted)
    }

    /// Admits the connection of a reverse proxy. The client behind it is counted once its address
    /// is known: here after a PROXY header, otherwise by the HTTP layer.
    pub(crate) fn admit_proxy(&self) -> Result<AdmissionPermit, AdmitConnectionError> {
        let permit = Arc::clone(&self.free).try_acquire_owned();
        let permit = permit.map_err(|_| AdmitConnectionError::Full)?;
        Ok(AdmissionPermit { _permit: permit, by_prefix: None })
    }

    /// Counts an admitted proxy's connection for the client behind it.
    pub(crate) fn count_for(
        &self,
        permit: &mut AdmissionPermit,
        client: IpAddr,
    ) -> Result<(), AdmitConnectionError> {
        let prefix = ClientPrefix::from(client);
        if prefix.is_loopback() {
            return Ok(());
        }
        let mut by_prefix = lock(&self.by_prefix);
        let count = by_prefix.entry(prefix).or_default();
        if *count >= self.per_prefix {
            return Err(AdmitConnectionError::FullForAddress);
        }
        *count += 1;
        permit.by_prefix = Some((prefix, Arc::clone(&self.by_prefix)));
        Ok(())
    }

    /// Counts the admitted connections.
    pub(crate) fn count(&self) -> usize {
        self.total.saturating_sub(self.free.available_permits())
    }

    /// Returns once no connection is left.
    pub(crate) async fn empty(&self) {
        let all = u32::try_from(self.total).unwrap_or(u32::MAX);
        // The semaphore is never closed.
        let _ = self.free.acquire_many(all).await;
    }
}

impl Drop for AdmissionPermit {
    fn drop(&mut self) {
        let Some((prefix, by_prefix)) = &self.by_prefix else { return };
        let mut by_prefix = lock(by_prefix);
        if let Some(count) = by_prefix.get_mut(prefix) {
            *count -= 1;
            if *count == 0 {
                by_prefix.remove(prefix);
            }
        }
    }
}

/// No statement leaves the map half-changed, so a panic elsewhere does not corrupt it.
fn lock(map: &Mutex<HashMap<ClientPrefix, usize>>) -> MutexGuard<'_, HashMap<ClientPrefix, usize>> {
    map.lock()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(total: usize, per_prefix: usize) -> Admission {
        Admission {
            total,
            free: Arc::new(Semaphore::new(total)),
            per_prefix,
            by_prefix: Arc::default(),
        }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn admit_limits_each_address_until_its_connections_end() {
        let admission = admission(9, 2);
        let admitted = [(); 2].map(|()| admission.admit(ip("192.0.2.1")).unwrap());
        let error = admission.admit(ip("192.0.2.1")).unwrap_err();
        assert_eq!(error, AdmitConnectionError::FullForAddress);
        let other = admission.admit(ip("192.0.2.2")).unwrap();
        assert_eq!(admission.count(), 3);
        drop(admitted);
        assert!(admission.admit(ip("192.0.2.1")).is_ok());
        drop(other);
        assert_eq!(admission.count(), 0);
        assert!(lock(&admission.by_prefix).is_empty());
    }

    #[test]
    fn admit_limits_loopback_only_in_total() {
        let admission = admission(3, 1);
        let _admitted = [(); 3].map(|()| admission.admit(ip("127.0.0.1")).unwrap());
        let error = admission.admit(ip("127.0.0.1")).unwrap_err();
        assert_eq!(error, AdmitConnectionError::Full);
    }
}
