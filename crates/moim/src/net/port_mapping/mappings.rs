//! Mappings of the router: one port over TCP and UDP, and its public address.

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

use super::super::masked::default_gateway;
use crate::config::Announce;

/// Life that is asked for (seconds): a router that lost power knows nothing of the mapping, and
/// one of a crashed server must end.
const LIFETIME_SECONDS: u32 = 20 * 60;
/// The least time between two renewals, whatever the router says.
const MIN_INTERVAL: Duration = Duration::from_secs(1);
/// Requests to the router: 250, 500 and 1000 ms apart.
const TIMING: TimeoutConfig = TimeoutConfig {
    initial_timeout: Duration::from_millis(250),
    max_retries: 2,
    max_retry_timeout: Some(Duration::from_secs(1)),
};

/// Mappings of one port: over TCP, then over UDP.
#[derive(Default)]
pub(super) struct Mappings(Vec<PortMapping>);

impl Mappings {
    /// Has the router take them back.
    pub(super) async fn unmap(&mut self) {
        for mapping in self.0.drain(..) {
            if let Err((error, _)) = mapping.try_drop().await {
                tracing::debug!(%error, "the router keeps a mapping until it expires");
            }
        }
    }

    /// The public address, once the router forwards it to `port`.
    pub(super) async fn map(&mut self, port: u16) -> anyhow::Result<Announce> {
        let gateway = default_gateway().context("this computer has no default gateway")?;
        let client = address_toward(gateway)?;
        let port = NonZeroU16::new(port).context("the server has no port")?;
        let is_same =
            |mapping: &PortMapping| IpAddr::from(mapping.gateway()) == IpAddr::from(gateway);
        if !self.0.iter().all(is_same) {
            self.0.clear();
        }
        let mut external = port;
        for (index, protocol) in
            [InternetProtocol::Tcp, InternetProtocol::Udp].into_iter().enumerate()
        {
            let mapping = match self.0.get(index).cloned() {
                Some(mapping) => renewed(mapping).await,
                None => None,
            };
            let mapping = match mapping {
                Some(mapping) => mapping,
                None => new(gateway, client, protocol, port, external).await?,
            };
            external = mapping.external_port();
            // At once, so that it is removed at the end even if the other one fails.
            match self.0.get_mut(index) {
                Some(place) => *place = mapping,
                None => self.0.push(mapping),
            }
        }
        let [tcp, udp] = &self.0[..] else { bail!("the router forwards nothing") };
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
    pub(super) fn renewal(&self) -> Duration {
        let lives = self.0.iter().map(PortMapping::lifetime);
        let shortest = lives.min().unwrap_or(LIFETIME_SECONDS);
        (Duration::from_secs(shortest.into()) / 2).max(MIN_INTERVAL)
    }

    /// The protocol that the router speaks.
    pub(super) fn protocol(&self) -> &'static str {
        match self.0.first().map(PortMapping::mapping_type) {
            Some(PortMappingType::Pcp { .. }) => "PCP",
            Some(PortMappingType::NatPmp) | None => "NAT-PMP",
        }
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
