//! Mappings of the router: one port over TCP and UDP, and its public address.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    num::NonZeroU16,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use crab_nat::{GATEWAY_PORT, InternetProtocol};
use doctor::server::address::is_global;

use super::{
    super::masked::default_gateway,
    mapping::{LIFETIME_SECONDS, Mapping},
};
use crate::config::Announce;

/// The least time between two renewals, whatever the router says.
const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// Mappings of one port: over TCP, then over UDP.
#[derive(Default)]
pub(super) struct Mappings(Vec<Mapping>);

impl Mappings {
    /// Has the router take them back.
    pub(super) async fn unmap(&mut self) {
        for mapping in self.0.drain(..) {
            mapping.remove().await;
        }
    }

    /// The public address, once the router forwards it to `port`.
    pub(super) async fn map(&mut self, port: u16) -> anyhow::Result<Announce> {
        let gateway = default_gateway().context("this computer has no default gateway")?;
        let client = address_toward(gateway)?;
        let port = NonZeroU16::new(port).context("the server has no port")?;
        if !self.0.iter().all(|mapping| mapping.router() == IpAddr::from(gateway)) {
            self.0.clear();
        }
        let mut external = port;
        for (index, protocol) in
            [InternetProtocol::Tcp, InternetProtocol::Udp].into_iter().enumerate()
        {
            let mapping = match self.0.get(index).cloned() {
                Some(mapping) => mapping.renewed().await,
                None => None,
            };
            let mapping = match mapping {
                Some(mapping) => mapping,
                None => {
                    // The answer of the first mapping spares the second the other protocols.
                    let known = self.0.first().filter(|_| index > 0).and_then(Mapping::igd);
                    Mapping::new(gateway, known, protocol, (client, port), external).await?
                }
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
        let public = udp.external_address().await?;
        ensure!(
            is_global(public),
            "the router is behind a NAT itself, or without an address now: {public} is not public"
        );
        Ok(Announce::new(public, external.get()))
    }

    /// Half of the shortest life.
    pub(super) fn renewal(&self) -> Duration {
        let lives = self.0.iter().map(Mapping::lifetime);
        let shortest = lives.min().unwrap_or(LIFETIME_SECONDS);
        (Duration::from_secs(shortest.into()) / 2).max(MIN_INTERVAL)
    }

    /// The protocol that the router speaks.
    pub(super) fn protocol(&self) -> &'static str {
        self.0.first().map_or("", Mapping::protocol)
    }
}

/// This computer's address on the way to the router.
fn address_toward(gateway: Ipv4Addr) -> anyhow::Result<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.connect(SocketAddr::from((gateway, GATEWAY_PORT)))?;
    Ok(socket.local_addr()?.ip())
}
