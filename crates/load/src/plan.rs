//! The settings that all participants of a run share.

use std::{path::Path, sync::Arc, time::Instant};

use anyhow::Context;
use rustls::ClientConfig;
use serde_json::json;

use crate::{
    link::LinkStats,
    options::{Media, Transport},
    server::ServerUrl,
    socket::Socket,
};

/// The settings that all participants of a run share.
pub struct Plan {
    pub(crate) server: ServerUrl,
    pub(crate) tls: Option<Arc<ClientConfig>>,
    /// The media of publishers.
    pub media: Media,
    /// The size at which participants request cameras, in device pixels.
    pub view: (u32, u32),
    /// The transport of media.
    pub transport: Transport,
    /// The instant that stamps count from.
    pub epoch: Instant,
    /// Live counters.
    pub stats: LinkStats,
}

impl Plan {
    /// Simulcast over UDP with this server. `ca` is the certificate authority of an https server.
    ///
    /// # Errors
    /// The URL is invalid, or its host or certificate is unknown.
    pub fn new(url: &str, ca: Option<&Path>) -> anyhow::Result<Self> {
        let server = ServerUrl::resolve(url)?;
        Ok(Self {
            tls: server.tls(ca)?,
            server,
            media: Media::Simulcast,
            view: (640, 360),
            transport: Transport::Udp,
            epoch: Instant::now(),
            stats: LinkStats::default(),
        })
    }

    /// Creates an SFU room.
    ///
    /// # Errors
    /// The server rejects it.
    pub async fn make_room(&self, name: &str, capacity: u32) -> anyhow::Result<()> {
        // A socket per room, since servers limit the rooms that one socket may create.
        let mut socket = Socket::connect(&self.server, self.tls.clone()).await?;
        let request = json!({"name": name, "capacity": capacity, "topology": "sfu"});
        let made = socket.call("room:create", &request).await;
        made.with_context(|| format!("No room {name}"))?;
        socket.close().await;
        Ok(())
    }
}
