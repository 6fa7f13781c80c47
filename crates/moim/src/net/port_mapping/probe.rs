//! A look at the router for `moim doctor`.

use std::{
    net::{IpAddr, Ipv4Addr, TcpListener},
    time::Duration,
};

use anyhow::Context;
use tokio::time::timeout;

use super::mappings::Mappings;

/// Time for all answers of the router.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Has the router forward a free port for a moment; returns its public address and protocol. The
/// server's own mapping stays, since it is of another port.
///
/// # Errors
/// The router's answer, or that there is none.
pub(crate) async fn probe() -> anyhow::Result<(IpAddr, &'static str)> {
    let held = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    let port = held.local_addr()?.port();
    let mut mappings = Mappings::default();
    let mapped = timeout(TIMEOUT, mappings.map(port)).await;
    let protocol = mappings.protocol();
    mappings.unmap().await;
    let public = mapped.context("the router does not answer")??;
    Ok((public.ip, protocol))
}
