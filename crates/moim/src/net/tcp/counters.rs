//! Counters of TCP connections by outcome.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// Counters of connections since the start.
        #[derive(Debug, Default)]
        pub(crate) struct ConnectionCounters {
            $($(#[$doc])* pub(crate) $name: Counter,)+
        }

        impl ConnectionCounters {
            /// Iterates over the counters with their names.
            pub(crate) fn each(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name.0.load(Ordering::Relaxed)),)+].into_iter()
            }
        }

        impl fmt::Display for ConnectionCounters {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut separator = "";
                $(
                    write!(f, "{separator}{} {}", self.$name.0.load(Ordering::Relaxed), $text)?;
                    separator = ", ";
                )+
                let _ = separator;
                Ok(())
            }
        }
    };
}

counters! {
    /// Admitted.
    accepted = "accepted",
    /// Refused by a limit on connections.
    refused = "refused",
    /// Unknown protocol.
    garbage = "garbage",
    /// Timed out before their protocol was known.
    silent = "silent",
    /// TLS handshakes begun and not finished.
    tls_failed = "failed in TLS",
    /// TURN over TCP or TLS.
    turn = "TURN",
    /// ICE over TCP or TLS.
    ice_tcp = "ICE-TCP",
    /// HTTP of any version.
    http = "HTTP",
}

/// A counter.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Adds one.
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
