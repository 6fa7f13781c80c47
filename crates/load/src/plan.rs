//! What all participants of a run share.

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

/// What all participants of a run share.
pub struct Plan {
    pub(crate) server: ServerUrl,
    pub(crate) tls: Option<Arc<ClientConfig>>,
    /// What publishers publish.
    pub media: Media,
    /// Size at which everybody shows everybody, in device pixels.
    pub view: (u32, u32),
    /// How media reaches the server.
    pub transport: Transport,
    /// What stamps count from.
    pub epoch: Instant,
    /// What can be seen meanwhile.
    pub stats: LinkStats,
}

impl Plan {
    /// Simulcast over UDP with this server, which is known by `ca` where it is https.
    ///
    /// # Errors
    /// There is no such server, or no way to know it.
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

    /// Makes a room that is the media server's.
    ///
    /// # Errors
    /// The server's refusal.
    pub async fn make_room(&self, name: &str, capacity: u32) -> anyhow::Result<()> {
        // Each room by a socket of its own: a server limits how many one may make.
        let mut socket = Socket::connect(&self.server, self.tls.clone()).await?;
        let request = json!({"name": name, "capacity": capacity, "topology": "sfu"});
        let made = socket.call("room:create", &request).await;
        made.with_context(|| format!("No room {name}"))?;
        socket.close().await;
        Ok(())
    }
}
