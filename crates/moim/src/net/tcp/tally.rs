//! How often what happened on the port.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

macro_rules! tally {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// Counters of connections, from the start on.
        #[derive(Debug, Default)]
        pub(crate) struct Tally {
            $($(#[$doc])* pub(crate) $name: Count,)+
        }

        impl Tally {
            /// Each counter by name.
            pub(crate) fn each(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name.0.load(Ordering::Relaxed)),)+].into_iter()
            }
        }

        impl fmt::Display for Tally {
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

tally! {
    /// Let in.
    accepted = "accepted",
    /// Turned away as there were too many.
    refused = "refused",
    /// Spoke nothing we do.
    garbage = "garbage",
    /// Said nothing, or not enough, in time.
    silent = "silent",
    /// Began TLS and didn't finish it.
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
pub(crate) struct Count(AtomicU64);

impl Count {
    /// One more.
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
