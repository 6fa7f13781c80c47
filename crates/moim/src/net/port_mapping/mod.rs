//! `--ask-router`: the router forwards the port, over TCP and UDP, and says its public address (PCP,
//! RFC 6887; NAT-PMP, RFC 6886; UPnP IGD). Nothing is asked without the flag.
//!
//! Mappings are renewed at half of their lives, and removed when the server ends.

mod igd;
mod mapping;
mod mappings;
mod probe;

use std::time::Duration;

use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::reachability::Reachability;
use crate::config::Announce;
use mappings::Mappings;
pub(crate) use probe::probe;

/// Time until the router is asked again after it refused.
const RETRY: Duration = Duration::from_secs(5 * 60);
/// Time for the router to take back what it gave, when the server ends.
const REMOVE_TIMEOUT: Duration = Duration::from_secs(1);

/// Has the router forward a port.
pub(crate) struct PortMapper {
    port: u16,
    reachability: Reachability,
    mappings: Mappings,
    /// The outcome that was logged last.
    told: Option<String>,
}

/// A mapper that runs.
pub(crate) struct RunningMapper {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl PortMapper {
    /// Maps `port`, which this server listens on.
    pub(crate) fn new(port: u16, reachability: Reachability) -> Self {
        Self { port, reachability, mappings: Mappings::default(), told: None }
    }

    /// Begins, on the runtime of the caller.
    pub(crate) fn begin(self) -> RunningMapper {
        let (stop, stopped) = oneshot::channel();
        RunningMapper { stop, task: tokio::spawn(self.run(stopped)) }
    }

    async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        loop {
            let outcome = self.mappings.map(self.port).await;
            let wait = match &outcome {
                Ok(public) => {
                    self.reachability.map(Some(*public));
                    self.mappings.renewal()
                }
                Err(_) => {
                    self.reachability.map(None);
                    RETRY
                }
            };
            self.tell(&outcome);
            tokio::select! {
                _ = &mut stopped => break,
                () = sleep(wait) => {}
            }
        }
        self.mappings.unmap().await;
    }

    /// Logs an outcome that is another one than before.
    fn tell(&mut self, outcome: &anyhow::Result<Announce>) {
        let words = match outcome {
            Ok(public) => format!("the router forwards {public} to port {}", self.port),
            Err(error) => format!("the router forwards no port: {error:#}"),
        };
        if self.told.as_ref() != Some(&words) {
            match outcome {
                Ok(_) => tracing::info!("{words}"),
                Err(_) => tracing::warn!(
                    "{words}. Forward port {} by hand over TCP and UDP, or leave out --ask-router",
                    self.port
                ),
            }
            self.told = Some(words);
        }
    }
}

impl RunningMapper {
    /// Takes the mappings back.
    pub(crate) async fn remove(self) {
        let _ = self.stop.send(());
        let _ = timeout(REMOVE_TIMEOUT, self.task).await;
    }
}
