//! Certificates of the CA that the configuration names just now.

use std::{net::IpAddr, time::Duration};

use tokio::{sync::watch, time::sleep};

use super::task::{AcmeParts, AcmeTask};
use crate::{config::Acme, data::DataFolder, net::reachability::AddressChanges};

/// Runs the task of the current configuration. All that a task must remember is in the data folder,
/// so that it may be replaced between two steps: failed attempts still count.
pub(crate) struct AcmeFollower {
    data: DataFolder,
    parts: AcmeParts,
    wanted: watch::Receiver<Option<Acme>>,
    addresses: AddressChanges,
    task: Option<AcmeTask>,
}

impl AcmeFollower {
    /// Loads the certificates of the data folder, to be served at once.
    ///
    /// # Errors
    /// The data folder can't be read. A sentence for the operator.
    pub(crate) fn prepare(
        data: &DataFolder,
        wanted: watch::Receiver<Option<Acme>>,
        addresses: AddressChanges,
        parts: AcmeParts,
    ) -> anyhow::Result<Self> {
        let mut follower = Self { data: data.clone(), parts, wanted, addresses, task: None };
        follower.task = follower.load()?;
        Ok(follower)
    }

    /// Gets and renews certificates for a server that listens on `ports`. Never returns.
    pub(crate) async fn run(mut self, ports: Vec<u16>) {
        loop {
            let wait = match &mut self.task {
                Some(task) => task.step(&ports).await,
                None => Duration::MAX,
            };
            tokio::select! {
                biased;
                Ok(()) = self.wanted.changed() => self.replace(),
                Ok(()) = self.addresses.changed() => {
                    let announced = self.announced();
                    if self.task.as_ref().is_some_and(|task| !task.is_for(&announced)) {
                        self.replace();
                    }
                }
                () = sleep(wait) => {}
            }
        }
    }

    fn replace(&mut self) {
        match self.load() {
            Ok(task) => self.task = task,
            // The former task goes on with what it had.
            Err(error) => tracing::error!("certificates of the CA: nothing changes: {error:#}"),
        }
    }

    fn load(&mut self) -> anyhow::Result<Option<AcmeTask>> {
        let announced = self.announced();
        let wanted = self.wanted.borrow_and_update().clone();
        let Some(config) = wanted else {
            self.parts.status.retain(&[]);
            self.parts.looker.current.replace_public(Vec::new());
            return Ok(None);
        };
        AcmeTask::prepare(&config, &self.data, &announced, self.parts.clone()).map(Some)
    }

    fn announced(&mut self) -> Vec<IpAddr> {
        let addresses = self.addresses.borrow_and_update();
        addresses.announced().iter().map(|announced| announced.ip).collect()
    }
}
