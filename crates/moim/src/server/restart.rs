//! Warm restart, during which no participant is seen to leave: this process executes the program on
//! disk, or ends while the service manager keeps its sockets for the next one.

use std::{
    io,
    time::{Duration, Instant},
};

use anyhow::anyhow;
use turn::NonceKey;

#[cfg(target_os = "linux")]
use crate::handover::NextProcess;
use crate::{
    config::Problems,
    data::DataFolder,
    handover::{Handover, HandoverPlace},
    net::{inherited::PortSockets, tls::TicketKeys},
    shard,
    signaling::{Frozen, Signaling},
    store::Store,
};

/// Time for the store to show that it can be written, also just after an outage. The next process
/// waits longer.
#[cfg(target_os = "linux")]
const STORE_PATIENCE: Duration = Duration::from_secs(10);

/// What the next process gets.
pub(super) struct Restart {
    folder: DataFolder,
    place: HandoverPlace,
    /// Secret of the rooms' TURN credentials.
    credentials: [u8; 32],
    /// Key of the relay's nonces, and their clock when this process started.
    nonces: NonceKey,
    started: Instant,
    tickets: TicketKeys,
    sockets: PortSockets,
    store: Store,
    #[cfg(target_os = "linux")]
    next: io::Result<NextProcess>,
}

impl Restart {
    /// Prepares a restart, and keeps `sockets` for it.
    pub(super) fn new(
        folder: DataFolder,
        place: HandoverPlace,
        credentials: [u8; 32],
        nonces: NonceKey,
        tickets: TicketKeys,
        sockets: PortSockets,
        store: Store,
    ) -> Self {
        Self {
            folder,
            place,
            credentials,
            nonces,
            started: Instant::now(),
            tickets,
            sockets,
            store,
            #[cfg(target_os = "linux")]
            next: NextProcess::find(),
        }
    }

    /// The sockets for the next process; after [`Self::hand_over`] also those of the relay.
    pub(super) fn sockets(&self) -> &PortSockets {
        &self.sockets
    }

    /// Checks that the next process will start. Returns its version.
    ///
    /// # Errors
    /// Why it would not.
    #[cfg(target_os = "linux")]
    pub(super) async fn check(&self) -> Result<String, Problems> {
        let next = self.next.as_ref().map_err(|error| anyhow!("there is no program: {error}"))?;
        // Rooms stop before they are written: find out now whether that works.
        self.folder.check_writable()?;
        let version = next.check().await?;
        // Last, so that it is true for as long as can be.
        self.store.check(STORE_PATIENCE).await?;
        Ok(version)
    }

    /// Never succeeds on this system.
    #[cfg(not(target_os = "linux"))]
    pub(super) async fn check(&self) -> Result<String, Problems> {
        Err(anyhow!("this system has no upgrade of a running server").into())
    }

    /// Stops all rooms and writes them for the next process.
    pub(super) async fn hand_over(
        &mut self,
        signaling: Option<&Signaling>,
        shards: &shard::Handle,
    ) {
        let frozen = match signaling {
            Some(signaling) => signaling.freeze().await,
            None => Frozen::default(),
        };
        tracing::info!(rooms = frozen.rooms.len(), "restarting");
        let seconds = self.nonces.seconds.saturating_add(self.started.elapsed().as_secs());
        let nonces = NonceKey { seconds, ..self.nonces.clone() };
        let tickets = self.tickets.freeze();
        let (relay, relayed) = shards.freeze_relay().await;
        self.sockets.relayed = relayed;
        let handover = Handover::new(&self.credentials, &nonces, tickets, frozen);
        let mut handover = handover.with_relay(relay);
        if let Err(error) = handover.write(&self.place) {
            tracing::error!("participants can't resume after the restart: {error:#}");
        }
    }

    /// Executes the next program. Returns only if that fails.
    pub(super) fn execute(self) -> io::Error {
        #[cfg(target_os = "linux")]
        let error = match self.next {
            Ok(next) => next.execute(self.sockets),
            Err(error) => error,
        };
        #[cfg(not(target_os = "linux"))]
        let error = io::ErrorKind::Unsupported.into();
        self.place.clear();
        error
    }
}
