//! Detection of a NAT before the server that hides the addresses of STUN clients: the userland
//! proxy of Docker, slirp, or a load balancer that keeps no source address.
//!
//! Visitors then have different addresses over HTTP, and one and the same over STUN: that of the
//! gateway. They are told a useless address, so direct calls fail without a word.

use std::{
    collections::BTreeSet,
    fs,
    net::{IpAddr, Ipv4Addr},
};

use doctor::server::{address::is_global, container::MIN_MASKED_CLIENTS};

/// HTTP clients that are remembered, as hashes.
const MAX_CLIENTS: usize = 16;

/// What was seen of HTTP and STUN clients since the start.
#[derive(Debug, Default)]
pub(super) struct Masked {
    clients: BTreeSet<u64>,
    /// The only private address of STUN clients so far.
    shared: Option<IpAddr>,
    /// STUN clients have several addresses, or a public one.
    is_excluded: bool,
    /// The gateway was looked up for the warning. Notes come from packets of strangers, so that is
    /// done once.
    looked: bool,
}

impl Masked {
    /// Notes an HTTP client with a public address.
    pub(super) fn note_http(&mut self, client: u64) {
        if self.clients.len() < MAX_CLIENTS {
            self.clients.insert(client);
        }
    }

    /// Notes the address of a STUN client.
    pub(super) fn note_stun(&mut self, ip: IpAddr, is_public: bool) {
        if ip.is_loopback() {
            return;
        }
        self.is_excluded |= is_public || self.shared.is_some_and(|shared| shared != ip);
        self.shared = Some(ip);
    }

    /// The shared address and the number of HTTP clients. Only a `gateway` stands for others: any
    /// other private address is that of a client on this network.
    pub(super) fn shared(&self, gateway: Option<Ipv4Addr>) -> Option<(IpAddr, usize)> {
        let shared = self.shared.filter(|_| !self.is_excluded)?;
        let is_masked =
            self.clients.len() >= MIN_MASKED_CLIENTS && gateway.is_some_and(|ip| shared == ip);
        is_masked.then_some((shared, self.clients.len()))
    }

    /// Returns the shared address once, when it is first known.
    pub(super) fn take_warning(
        &mut self,
        gateway: impl FnOnce() -> Option<Ipv4Addr>,
    ) -> Option<IpAddr> {
        let is_suspect = self.clients.len() >= MIN_MASKED_CLIENTS
            && !self.is_excluded
            && self.shared.is_some_and(|shared| !is_global(shared));
        if !is_suspect || std::mem::replace(&mut self.looked, true) {
            return None;
        }
        self.shared(gateway()).map(|(shared, _)| shared)
    }
}

/// The default gateway, on Linux.
pub(super) fn default_gateway() -> Option<Ipv4Addr> {
    gateway_in(&fs::read_to_string("/proc/net/route").ok()?)
}

/// The gateway of the route to everywhere (proc(5)): hexadecimal, in this machine's byte order.
fn gateway_in(routes: &str) -> Option<Ipv4Addr> {
    let gateway = |line: &str| {
        let mut fields = line.split_whitespace().skip(1);
        let (destination, gateway) = (fields.next()?, fields.next()?);
        let bits = u32::from_str_radix(gateway, 16).ok()?;
        (destination == "00000000" && bits != 0).then(|| Ipv4Addr::from(bits.to_ne_bytes()))
    };
    routes.lines().skip(1).find_map(gateway)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATEWAY: Ipv4Addr = Ipv4Addr::new(172, 17, 0, 1);

    fn docker() -> Option<Ipv4Addr> {
        Some(GATEWAY)
    }

    fn masked(stun: &[(IpAddr, bool)], clients: u64) -> Masked {
        let mut masked = Masked::default();
        for (ip, is_public) in stun {
            masked.note_stun(*ip, *is_public);
        }
        (0..clients).for_each(|client| masked.note_http(client));
        masked
    }

    #[test]
    fn clients_that_share_the_gateways_address_are_masked_and_warned_of_once() {
        let mut masked = masked(&[(GATEWAY.into(), false); 9], 3);
        assert_eq!(masked.shared(docker()), Some((GATEWAY.into(), 3)));
        assert_eq!(masked.take_warning(docker), Some(GATEWAY.into()));
        assert_eq!(masked.take_warning(docker), None);
    }

    #[test]
    fn ordinary_clients_are_not_masked() {
        let gateway = (GATEWAY.into(), false);
        let inner = (IpAddr::from([192, 168, 1, 9]), false);
        let public = (IpAddr::from([93, 184, 216, 34]), true);
        assert_eq!(masked(&[gateway], 2).shared(docker()), None, "too few to tell");
        assert_eq!(masked(&[gateway, public], 9).shared(docker()), None, "one has its own");
        assert_eq!(masked(&[public, gateway], 9).shared(docker()), None);
        assert_eq!(masked(&[gateway, inner], 9).shared(docker()), None, "another inner client");
        assert_eq!(masked(&[inner], 9).shared(docker()), None, "a client on this network");
        assert_eq!(masked(&[gateway], 9).shared(None), None);
        assert_eq!(masked(&[], 9).take_warning(docker), None);
        let many = masked(&[gateway], 1_000);
        assert_eq!(many.clients.len(), MAX_CLIENTS);
    }

    #[test]
    fn gateway_is_looked_up_once_and_only_for_suspects() {
        let mut looks = 0;
        let public = (IpAddr::from([93, 184, 216, 34]), true);
        let inner = (IpAddr::from([192, 168, 1, 9]), false);
        for ordinary in [&[public][..], &[inner, (GATEWAY.into(), false)], &[]] {
            let mut masked = masked(ordinary, 9);
            masked.take_warning(|| {
                looks += 1;
                docker()
            });
        }
        assert_eq!(looks, 0);
        let mut masked = masked(&[inner], 9);
        for _ in 0..1_000 {
            masked.note_stun(inner.0, false);
            masked.note_http(7);
            masked.take_warning(|| {
                looks += 1;
                docker()
            });
        }
        assert_eq!(looks, 1);
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn gateway_is_that_of_the_default_route() {
        let routes = "Iface\tDestination\tGateway \tFlags\n\
                      eth0\t000011AC\t00000000\t0001\neth0\t00000000\t010011AC\t0003\n";
        assert_eq!(gateway_in(routes), Some(GATEWAY));
        assert_eq!(gateway_in(""), None);
    }
}
