//! UPnP IGD: port mappings of routers that speak neither PCP nor NAT-PMP.
//!
//! Any device of a network may answer a search. Only the default gateway is believed, at a private
//! address, and only URLs at it are asked.

mod message;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZeroU16,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use axum::http::{Method, Request, StatusCode, Uri, header};
use bytes::Bytes;
use crab_nat::InternetProtocol;
use tokio::{
    net::UdpSocket,
    time::{Instant, timeout_at},
};

use self::message::{RouterError, Service};
use crate::net::http_client::{Bounds, HttpClient};

/// Where routers listen for searches (UPnP Device Architecture 1.1, §1.3).
const SEARCH_PORT: u16 = 1900;
const SEARCH_GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 255, 250);
/// Time for the router to answer a search; it is asked to answer within one second.
const SEARCH_TIMEOUT: Duration = Duration::from_secs(2);
/// Bounds of each exchange with the router.
const BOUNDS: Bounds = Bounds { time: Duration::from_secs(3), bytes: 64 << 10 };
/// Errors of AddPortMapping (WANIPConnection:1, §2.4.16).
const CONFLICT: u16 = 718;
const ONLY_PERMANENT: u16 = 725;
/// External ports that are tried: the server's own, then dynamic ones.
const MAX_PORTS: usize = 4;
/// Bits that make a port a dynamic one, from 49152 on.
const DYNAMIC: u16 = 0xC000;

/// A router's service that maps ports.
#[derive(Debug, Clone)]
pub(super) struct Gateway {
    pub(super) address: Ipv4Addr,
    service: Service,
    client: HttpClient,
}

/// A port that a router forwards.
#[derive(Debug, Clone)]
pub(super) struct Mapping {
    pub(super) gateway: Gateway,
    protocol: InternetProtocol,
    internal: SocketAddr,
    pub(super) external: NonZeroU16,
    /// Its life in seconds.
    pub(super) lifetime: u32,
}

impl Gateway {
    /// Finds the service of the router at this address.
    pub(super) async fn find(address: Ipv4Addr) -> anyhow::Result<Self> {
        ensure!(address.is_private(), "{address} is no address of a home router");
        let location = search(address).await?;
        let client = HttpClient::default();
        let request = Request::get(&location).body(Bytes::new())?;
        let description = client.send(request, BOUNDS).await?;
        ensure!(description.status() == StatusCode::OK, "no description at {location}");
        let description = String::from_utf8_lossy(description.body());
        let mut services = message::services(&description, &location, address).into_iter();
        let service = services.next().context("it maps no ports")?;
        let mut gateway = Self { address, service, client };
        // A router may have several connections, of which one is up.
        while gateway.external_address().await.is_err() {
            let Some(service) = services.next() else { break };
            gateway.service = service;
        }
        Ok(gateway)
    }

    /// Its public address.
    pub(super) async fn external_address(&self) -> anyhow::Result<Ipv4Addr> {
        let response = self.request("GetExternalIPAddress", &[]).await??;
        let address = message::value(&response, "NewExternalIPAddress");
        address.and_then(|address| address.parse().ok()).context("it tells no address")
    }

    /// Has it forward a port, if possible the external one of the same number.
    pub(super) async fn map(
        &self,
        protocol: InternetProtocol,
        internal: SocketAddr,
        external: NonZeroU16,
        lifetime: u32,
    ) -> anyhow::Result<Mapping> {
        let mut mapping = Mapping { gateway: self.clone(), protocol, internal, external, lifetime };
        for _ in 0..MAX_PORTS {
            match mapping.add().await? {
                Err(error) if error.code == CONFLICT => {
                    let port = NonZeroU16::new(rand::random::<u16>() | DYNAMIC);
                    mapping.external = port.unwrap_or(external);
                }
                added => return Ok(added.map(|()| mapping)?),
            }
        }
        bail!("other computers have the ports that it was asked for")
    }

    async fn request(
        &self,
        name: &str,
        arguments: &[(&str, String)],
    ) -> anyhow::Result<Result<String, RouterError>> {
        let Service { kind, control } = &self.service;
        let body = message::action(kind, name, arguments);
        let request = Request::builder()
            .method(Method::POST)
            .uri(control)
            .header(header::CONTENT_TYPE, "text/xml; charset=\"utf-8\"")
            .header("soapaction", format!("\"{kind}#{name}\""))
            .body(Bytes::from(body))?;
        let response = self.client.send(request, BOUNDS).await?;
        let text = String::from_utf8_lossy(response.body()).into_owned();
        Ok(match response.status() {
            StatusCode::OK => Ok(text),
            _ => Err(message::error(&text)),
        })
    }
}

impl Mapping {
    /// Renews it.
    pub(super) async fn renew(&self) -> anyhow::Result<()> {
        Ok(self.add().await??)
    }

    /// Adds it to the router's table.
    async fn add(&self) -> anyhow::Result<Result<(), RouterError>> {
        match self.add_for(self.lifetime).await? {
            // It knows no lifetimes. The mapping is removed at the end, as always.
            Err(error) if error.code == ONLY_PERMANENT => self.add_for(0).await,
            added => Ok(added),
        }
    }

    async fn add_for(&self, lifetime: u32) -> anyhow::Result<Result<(), RouterError>> {
        let arguments = [
            ("NewRemoteHost", String::new()),
            ("NewExternalPort", self.external.to_string()),
            ("NewProtocol", self.protocol_name().to_owned()),
            ("NewInternalPort", self.internal.port().to_string()),
            ("NewInternalClient", self.internal.ip().to_string()),
            ("NewEnabled", "1".to_owned()),
            ("NewPortMappingDescription", "moim".to_owned()),
            ("NewLeaseDuration", lifetime.to_string()),
        ];
        Ok(self.gateway.request("AddPortMapping", &arguments).await?.map(drop))
    }

    /// Removes it from the router's table.
    pub(super) async fn remove(&self) -> anyhow::Result<()> {
        let arguments = [
            ("NewRemoteHost", String::new()),
            ("NewExternalPort", self.external.to_string()),
            ("NewProtocol", self.protocol_name().to_owned()),
        ];
        self.gateway.request("DeletePortMapping", &arguments).await??;
        Ok(())
    }

    fn protocol_name(&self) -> &'static str {
        match self.protocol {
            InternetProtocol::Tcp => "TCP",
            InternetProtocol::Udp => "UDP",
        }
    }
}

/// The URL of the description of the router at this address.
async fn search(router: Ipv4Addr) -> anyhow::Result<Uri> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
    for search in message::searches() {
        // Many answer in the group alone, and some to themselves alone.
        for to in [router, SEARCH_GROUP] {
            // A network without multicast refuses the second.
            let _ = socket.send_to(search.as_bytes(), (to, SEARCH_PORT)).await;
        }
    }
    let deadline = Instant::now() + SEARCH_TIMEOUT;
    let mut reply = [0; 2048];
    loop {
        let received = timeout_at(deadline, socket.recv_from(&mut reply)).await;
        let (length, from) = received.context("no answer to a search")??;
        let reply = reply.get(..length).unwrap_or_default();
        if from.ip() == IpAddr::from(router)
            && let Some(location) = message::location(reply, router)
        {
            return Ok(location);
        }
    }
}
