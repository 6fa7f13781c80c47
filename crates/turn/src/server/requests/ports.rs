//! The choice of an address and a port for a relayed socket.

use std::net::{IpAddr, SocketAddr};

use rand::RngExt as _;

use crate::{
    server::{
        Server,
        allocation::{PortRequest, RelayedAddress},
    },
    stun::attribute::Family,
};

/// Number of ports tried before a request is rejected.
pub(super) const MAX_PORT_ATTEMPTS: u8 = 16;

impl Server {
    /// The address that a relayed socket is bound to: the one that the client's packets arrive at,
    /// or the first usable one of the other family.
    pub(super) fn relay_ip(&self, server: IpAddr, family: Family) -> Option<IpAddr> {
        let usable = |ip: &IpAddr| {
            let local = match ip {
                // Only neighbours reach a link-local address, and they arrive at it.
                IpAddr::V4(v4) => v4.is_link_local() && *ip != server,
                IpAddr::V6(v6) => v6.is_unicast_link_local(),
            };
            Family::of(*ip) == family && !local && !ip.is_unspecified()
        };
        let same_scope = |ip: &IpAddr| ip.is_loopback() == server.is_loopback();
        let others = self.config.interfaces.iter().copied().filter(same_scope);
        std::iter::once(server).chain(others).find(usable)
    }

    /// A random free port that fits the request; the even one of a pair.
    pub(super) fn pick_port(&mut self, ip: IpAddr, request: PortRequest) -> Option<RelayedAddress> {
        let ports = self.config.ports.clone();
        let guesses: [u16; MAX_PORT_ATTEMPTS as usize] =
            std::array::from_fn(|_| self.rng.random_range(ports.clone()));
        let start = guesses.first().copied()?;
        // When most ports are taken, search all of them from the first guess on.
        let rest = (start..=*ports.end()).chain(*ports.start()..start);
        let port = guesses.into_iter().chain(rest).find(|port| {
            request.fits(*port)
                && self.is_free(ip, *port)
                && (request != PortRequest::Pair
                    || port
                        .checked_add(1)
                        .is_some_and(|next| ports.contains(&next) && self.is_free(ip, next)))
        })?;
        Some(self.relayed(ip, port))
    }

    fn is_free(&self, ip: IpAddr, port: u16) -> bool {
        self.allocations.at(&self.relayed(ip, port).advertised).is_none()
    }

    /// A port of ours as advertised and as bound.
    pub(super) fn relayed(&self, ip: IpAddr, port: u16) -> RelayedAddress {
        let mut announced = self.config.announce.iter().copied();
        let advertised = announced.find(|announced| announced.is_ipv4() == ip.is_ipv4());
        RelayedAddress {
            advertised: SocketAddr::new(advertised.unwrap_or(ip), port),
            local: SocketAddr::new(ip, port),
        }
    }
}
