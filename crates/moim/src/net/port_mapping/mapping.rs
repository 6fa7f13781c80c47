//! One mapping of the router, by whichever protocol it speaks.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZeroU16,
    time::Duration,
};

use anyhow::bail;
use crab_nat::{
    InternetProtocol, PortMapping, PortMappingOptions, PortMappingType, TimeoutConfig, natpmp,
};

use super::igd;

/// Life that is asked for (seconds): a router that lost power knows nothing of the mapping, and
/// one of a crashed server must end.
pub(super) const LIFETIME_SECONDS: u32 = 20 * 60;
/// Requests to the router: 250, 500 and 1000 ms apart.
const TIMING: TimeoutConfig = TimeoutConfig {
    initial_timeout: Duration::from_millis(250),
    max_retries: 2,
    max_retry_timeout: Some(Duration::from_secs(1)),
};

/// A port that the router forwards.
#[derive(Clone)]
pub(super) enum Mapping {
    /// By PCP or NAT-PMP.
    Nat(PortMapping),
    /// By UPnP.
    Igd(igd::Mapping),
}

impl Mapping {
    /// Asks for a new one, by each protocol in turn. `known` is a router that speaks UPnP.
    pub(super) async fn new(
        router: Ipv4Addr,
        known: Option<&igd::Gateway>,
        protocol: InternetProtocol,
        internal: (IpAddr, NonZeroU16),
        external: NonZeroU16,
    ) -> anyhow::Result<Self> {
        let (client, port) = internal;
        let address = SocketAddr::new(client, port.get());
        if let Some(known) = known {
            let mapped = known.map(protocol, address, external, LIFETIME_SECONDS).await;
            return mapped.map(Self::Igd);
        }
        let options = PortMappingOptions {
            external_port: Some(external),
            lifetime_seconds: Some(LIFETIME_SECONDS),
            timeout_config: Some(TIMING),
        };
        let pcp = match PortMapping::new(router.into(), client, protocol, port, options).await {
            Ok(mapping) => return Ok(Self::Nat(mapping)),
            Err(error) => error,
        };
        // A router that knows NAT-PMP alone may not answer to PCP at all.
        let natpmp = match natpmp::port_mapping(router.into(), protocol, port, options).await {
            Ok(mapping) => return Ok(Self::Nat(mapping)),
            Err(error) => error,
        };
        let upnp = async {
            let gateway = igd::Gateway::find(router).await?;
            gateway.map(protocol, address, external, LIFETIME_SECONDS).await
        };
        match upnp.await {
            Ok(mapping) => Ok(Self::Igd(mapping)),
            Err(upnp) => {
                bail!("{router} says to PCP: {pcp}; to NAT-PMP: {natpmp}; to UPnP: {upnp:#}")
            }
        }
    }

    /// The same one with a new life; `None` if the router refuses that.
    pub(super) async fn renewed(mut self) -> Option<Self> {
        let renewed = match &mut self {
            Self::Nat(mapping) => mapping.renew().await.map_err(anyhow::Error::from),
            Self::Igd(mapping) => mapping.renew().await,
        };
        match renewed {
            Ok(()) => Some(self),
            // A router that has restarted may want a new one.
            Err(error) => {
                tracing::debug!(%error, "a mapping was not renewed");
                None
            }
        }
    }

    /// Has the router take it back.
    pub(super) async fn remove(self) {
        let removed = match self {
            Self::Nat(mapping) => mapping.try_drop().await.map_err(|(error, _)| error.into()),
            Self::Igd(mapping) => mapping.remove().await,
        };
        if let Err(error) = removed {
            tracing::debug!(%error, "the router keeps a mapping until it expires");
        }
    }

    /// The router's public address.
    pub(super) async fn external_address(&self) -> anyhow::Result<IpAddr> {
        Ok(match self {
            Self::Nat(mapping) => match mapping.mapping_type() {
                PortMappingType::Pcp { external_ip, .. } => external_ip.to_canonical(),
                PortMappingType::NatPmp => {
                    natpmp::external_address(mapping.gateway(), Some(TIMING)).await?.into()
                }
            },
            Self::Igd(mapping) => mapping.gateway.external_address().await?.into(),
        })
    }

    /// The router.
    pub(super) fn router(&self) -> IpAddr {
        match self {
            Self::Nat(mapping) => mapping.gateway().into(),
            Self::Igd(mapping) => mapping.gateway.address.into(),
        }
    }

    /// The router as one that speaks UPnP.
    pub(super) fn igd(&self) -> Option<&igd::Gateway> {
        match self {
            Self::Nat(_) => None,
            Self::Igd(mapping) => Some(&mapping.gateway),
        }
    }

    pub(super) fn external_port(&self) -> NonZeroU16 {
        match self {
            Self::Nat(mapping) => mapping.external_port(),
            Self::Igd(mapping) => mapping.external,
        }
    }

    /// Its life in seconds.
    pub(super) fn lifetime(&self) -> u32 {
        match self {
            Self::Nat(mapping) => mapping.lifetime(),
            Self::Igd(mapping) => mapping.lifetime,
        }
    }

    /// The protocol that the router speaks.
    pub(super) fn protocol(&self) -> &'static str {
        match self {
            Self::Nat(mapping) => match mapping.mapping_type() {
                PortMappingType::Pcp { .. } => "PCP",
                PortMappingType::NatPmp => "NAT-PMP",
            },
            Self::Igd(_) => "UPnP",
        }
    }
}
