//! `--ask-router`: the router forwards the port, over TCP and UDP, and says its public address (PCP,
//! RFC 6887; NAT-PMP, RFC 6886). Nothing is asked without the flag.
//!
//! Mappings are renewed at half of their lives, and removed when the server ends.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    num::NonZeroU16,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use crab_nat::{
    GATEWAY_PORT, InternetProtocol, PortMapping, PortMappingOptions, PortMappingType,
    TimeoutConfig, natpmp,
};
use doctor::server::address::is_global;
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{masked::default_gateway, reachability::Reachability};
use crate::config::Announce;

/// Life that is asked for (seconds): a router that lost power knows nothing of the mapping, and
/// one of a crashed server must end.
const LIFETIME_SECONDS: u32 = 20 * 60;
/// Time until the router is asked again after it refused.
const RETRY: Duration = Duration::from_secs(5 * 60);
/// The least time between two renewals, whatever the router says.
const MIN_INTERVAL: Duration = Duration::from_secs(1);
/// Time for the router to take back what it gave, when the server ends.
const REMOVE_TIMEOUT: Duration = Duration::from_secs(1);
/// Requests to the router: 250, 500 and 1000 ms apart.
const TIMING: TimeoutConfig = TimeoutConfig {
    initial_timeout: Duration::from_millis(250),
    max_retries: 2,
    max_retry_timeout: Some(Duration::from_secs(1)),
};

/// Has the router forward a port.
pub(crate) struct PortMapper {
    port: u16,
    reachability: Reachability,
    /// Over TCP, then over UDP.
    mappings: Vec<PortMapping>,
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
        Self { port, reachability, mappings: Vec::new(), told: None }
    }

    /// Begins, on the runtime of the caller.
    pub(crate) fn begin(self) -> RunningMapper {
        let (stop, stopped) = oneshot::channel();
        RunningMapper { stop, task: tokio::spawn(self.run(stopped)) }
    }

    async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        loop {
            let outcome = self.map().await;
            let wait = match &outcome {
                Ok(public) => {
                    self.reachability.map(Some(*public));
                    self.renewal()
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
        self.unmap().await;
    }

    async fn unmap(&mut self) {
        for mapping in self.mappings.drain(..) {
            if let Err((error, _)) = mapping.try_drop().await {
                tracing::debug!(%error, "the router keeps a mapping until it expires");
            }
        }
    }

    /// The public address, once the router forwards it.
    async fn map(&mut self) -> anyhow::Result<Announce> {
        let gateway = default_gateway().context("this computer has no default gateway")?;
        let client = address_toward(gateway)?;
        let port = NonZeroU16::new(self.port).context("the server has no port")?;
        let is_same =
            |mapping: &PortMapping| IpAddr::from(mapping.gateway()) == IpAddr::from(gateway);
        if !self.mappings.iter().all(is_same) {
            self.mappings.clear();
        }
        let mut external = port;
        for (index, protocol) in
            [InternetProtocol::Tcp, InternetProtocol::Udp].into_iter().enumerate()
        {
            let mapping = match self.mappings.get(index).cloned() {
                Some(mapping) => renewed(mapping).await,
                None => None,
            };
            let mapping = match mapping {
                Some(mapping) => mapping,
                None => new(gateway, client, protocol, port, external).await?,
            };
            external = mapping.external_port();
            // At once, so that it is removed at the end even if the other one fails.
            match self.mappings.get_mut(index) {
                Some(place) => *place = mapping,
                None => self.mappings.push(mapping),
            }
        }
        let [tcp, udp] = &self.mappings[..] else { bail!("the router forwards nothing") };
        let (over_tcp, over_udp) = (tcp.external_port(), udp.external_port());
        if over_tcp != over_udp {
            self.unmap().await;
            bail!("the router forwards port {over_tcp} over TCP, but {over_udp} over UDP");
        }
        let public = match udp.mapping_type() {
            PortMappingType::Pcp { external_ip, .. } => external_ip.to_canonical(),
            PortMappingType::NatPmp => {
                natpmp::external_address(gateway.into(), Some(TIMING)).await?.into()
            }
        };
        ensure!(
            is_global(public),
            "the router is behind a NAT itself, or without an address now: {public} is not public"
        );
        Ok(Announce::new(public, external.get()))
    }

    /// Half of the shortest life.
    fn renewal(&self) -> Duration {
        let lives = self.mappings.iter().map(PortMapping::lifetime);
        let shortest = lives.min().unwrap_or(LIFETIME_SECONDS);
        (Duration::from_secs(shortest.into()) / 2).max(MIN_INTERVAL)
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

async fn renewed(mut mapping: PortMapping) -> Option<PortMapping> {
    match mapping.renew().await {
        Ok(()) => Some(mapping),
        // A router that has restarted may want a new one.
        Err(error) => {
            tracing::debug!(%error, "a mapping was not renewed");
            None
        }
    }
}

async fn new(
    gateway: Ipv4Addr,
    client: IpAddr,
    protocol: InternetProtocol,
    port: NonZeroU16,
    external: NonZeroU16,
) -> anyhow::Result<PortMapping> {
    let options = PortMappingOptions {
        external_port: Some(external),
        lifetime_seconds: Some(LIFETIME_SECONDS),
        timeout_config: Some(TIMING),
    };
    let error = match PortMapping::new(gateway.into(), client, protocol, port, options).await {
        Ok(mapping) => return Ok(mapping),
        Err(error) => error,
    };
    // A router that knows NAT-PMP alone may not answer to PCP at all.
    match natpmp::port_mapping(gateway.into(), protocol, port, options).await {
        Ok(mapping) => Ok(mapping),
        Err(other) => bail!("{gateway} says to PCP: {error}; to NAT-PMP: {other}"),
    }
}

/// This computer's address on the way to the router.
fn address_toward(gateway: Ipv4Addr) -> anyhow::Result<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.connect(SocketAddr::from((gateway, GATEWAY_PORT)))?;
    Ok(socket.local_addr()?.ip())
}
