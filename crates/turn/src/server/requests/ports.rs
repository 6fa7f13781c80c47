//! Which address and port a relayed socket gets.

use super::super::Server;
use super::super::allocations::{RelayedAddress, Wants};
use crate::stun::attribute::Family;
use rand::RngExt as _;
use std::net::{IpAddr, SocketAddr};

/// How many ports are tried before giving up.
pub(super) const TRIES: u8 = 16;

impl Server {
    /// Which of our addresses a relayed socket is bound to: the one the client's packets arrived
    /// at, or one as near to it in the other family.
    pub(super) fn relay_ip(&self, server: IpAddr, family: Family) -> Option<IpAddr> {
        let usable = |ip: &IpAddr| {
            let local = match ip {
                // Its neighbours reach it there, others nowhere.
                IpAddr::V4(v4) => v4.is_link_local() && *ip != server,
                IpAddr::V6(v6) => v6.is_unicast_link_local(),
            };
            Family::of(*ip) == family && !local && !ip.is_unspecified()
        };
        let near = |ip: &IpAddr| ip.is_loopback() == server.is_loopback();
        let others = self.config.interfaces.iter().copied().filter(near);
        std::iter::once(server).chain(others).find(usable)
    }

    /// A free port at random that will do; of a pair the even one.
    pub(super) fn pick_port(&mut self, ip: IpAddr, wants: Wants) -> Option<RelayedAddress> {
        let ports = self.config.ports.clone();
        let guesses: [u16; TRIES as usize] =
            std::array::from_fn(|_| self.rng.random_range(ports.clone()));
        let start = guesses.first().copied()?;
        // When most are taken, whatever comes after the first guess.
        let rest = (start..=*ports.end()).chain(*ports.start()..start);
        let port = guesses.into_iter().chain(rest).find(|port| {
            wants.fits(*port)
                && self.is_free(ip, *port)
                && (wants != Wants::Pair
                    || port
                        .checked_add(1)
                        .is_some_and(|next| ports.contains(&next) && self.is_free(ip, next)))
        })?;
        Some(self.relayed(ip, port))
    }

    fn is_free(&self, ip: IpAddr, port: u16) -> bool {
        self.allocations.at(&self.relayed(ip, port).told).is_none()
    }

    /// A port of ours, as told and as bound.
    pub(super) fn relayed(&self, ip: IpAddr, port: u16) -> RelayedAddress {
        let told = self.config.announce.iter().copied().find(|told| told.is_ipv4() == ip.is_ipv4());
        RelayedAddress {
            told: SocketAddr::new(told.unwrap_or(ip), port),
            local: SocketAddr::new(ip, port),
        }
    }
}
