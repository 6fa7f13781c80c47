//! The way by which a request came.

use axum::{extract::Request, http::Version};

use super::{forwarded, ingress::ViaTrustedProxy};
use crate::net::{host::Host, tcp::Connection};

/// True for a request of a program on this host. A reverse proxy on this host also connects from
/// loopback; it is recognised by another host name, by headers that proxies add, or by HTTP/1.0,
/// nginx's default.
pub(super) fn is_local(request: &Request) -> bool {
    let local = request.extensions().get::<Connection>().is_some_and(|connection| {
        connection.peer.ip().is_loopback() && connection.local.ip().is_loopback()
    });
    let is_proxied = request.version() == Version::HTTP_10
        || request.extensions().get::<ViaTrustedProxy>().is_some()
        || forwarded::is_forwarded(request.headers());
    let host = Host::of_request(request.extensions(), request.uri(), request.headers());
    local && !is_proxied && host.is_some_and(|host| host.is_loopback())
}

/// True for a request that nobody on the network could read: over TLS, here or at a trusted proxy,
/// or from a program on this host.
pub(crate) fn is_private_channel(request: &Request) -> bool {
    let is_secure = request.extensions().get::<Connection>().is_some_and(|c| c.secure);
    is_secure || is_local(request)
}
