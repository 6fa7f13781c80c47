//! The way by which a request came.

use axum::{extract::Request, http::Version};

use super::{forwarded, ingress::ViaTrustedProxy};
use crate::net::{
    host::Host,
    tcp::{Connection, is_of_this_user},
};

/// True for a request that comes from loopback and shows no sign of a proxy: another host name,
/// headers that proxies add, or HTTP/1.0, nginx's default before 1.30.
///
/// A proxy on this host that passes on nothing but the request can't be told from a program: use
/// this where a request must prove itself otherwise.
pub(super) fn seems_local(request: &Request) -> bool {
    let local = request.extensions().get::<Connection>().is_some_and(|connection| {
        connection.peer.ip().is_loopback() && connection.local.ip().is_loopback()
    });
    let is_proxied = request.version() == Version::HTTP_10
        || request.extensions().get::<ViaTrustedProxy>().is_some()
        || forwarded::is_forwarded(request.headers());
    let host = Host::of_request(request.extensions(), request.uri(), request.headers());
    local && !is_proxied && host.is_some_and(|host| host.is_loopback())
}

/// True for a request of a program on this host that runs as the server's own user.
///
/// Nothing in a request is proof: a proxy may pass on what its client sent, the host included. The
/// system knows whose socket the other end is, and proxies have users of their own.
pub(super) fn is_of_own_user(request: &Request) -> impl Future<Output = bool> + Send + use<> {
    let connection = request.extensions().get::<Connection>().copied();
    let connection = connection.filter(|_| seems_local(request));
    async move {
        let Some(connection) = connection else { return false };
        let asked = tokio::task::spawn_blocking(move || is_of_this_user(&connection)).await;
        asked.unwrap_or(false)
    }
}

/// True for a request that nobody on the network could read: over TLS, here or at a trusted proxy,
/// or from loopback. Behind a proxy there, its operator has to care for the rest of the way.
pub(crate) fn is_private_channel(request: &Request) -> bool {
    let is_secure = request.extensions().get::<Connection>().is_some_and(|c| c.secure);
    is_secure || seems_local(request)
}
