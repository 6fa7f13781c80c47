//! Codes that are exchanged at once: each is a request to the provider that may take seconds, so one
//! client must not have all of them.

use parking_lot::Mutex;

use crate::net::{client_prefix::ClientPrefix, quota::Quota};

/// Exchanges of all clients.
const MAX_EXCHANGES: usize = 16;
/// Exchanges of one address; two, while more than half of all are in use.
const MAX_EXCHANGES_PER_ADDRESS: usize = 8;

/// The exchanges in progress.
#[derive(Debug)]
pub(super) struct Exchanges(Mutex<Quota>);

/// An exchange, until it is dropped.
#[derive(Debug)]
pub(super) struct Exchange<'a> {
    exchanges: &'a Exchanges,
    client: ClientPrefix,
}

impl Default for Exchanges {
    fn default() -> Self {
        Self(Mutex::new(Quota::new(MAX_EXCHANGES, MAX_EXCHANGES_PER_ADDRESS)))
    }
}

impl Exchanges {
    /// Begins an exchange of a client, if it may have another one.
    pub(super) fn begin(&self, client: ClientPrefix) -> Option<Exchange<'_>> {
        self.0.lock().take(client).ok()?;
        Some(Exchange { exchanges: self, client })
    }
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        self.exchanges.0.lock().release(self.client);
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn one_address_has_half_of_the_exchanges_and_leaves_some_to_others() {
        let exchanges = Exchanges::default();
        let from = |last: u8| ClientPrefix::from(IpAddr::from([192, 0, 2, last]));
        let mut held: Vec<_> = std::iter::from_fn(|| exchanges.begin(from(1))).collect();
        assert_eq!(held.len(), MAX_EXCHANGES_PER_ADDRESS);
        let of_others: Vec<_> = (2..6)
            .flat_map(|last| [(); 2].map(|()| exchanges.begin(from(last)).unwrap()))
            .collect();
        assert_eq!(held.len() + of_others.len(), MAX_EXCHANGES);
        assert!(exchanges.begin(from(9)).is_none(), "all are in use");
        held.pop();
        assert!(exchanges.begin(from(1)).is_none(), "it has more than its share");
        assert!(exchanges.begin(from(9)).is_some());
    }
}
