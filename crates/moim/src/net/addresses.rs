//! Addresses of this host's network interfaces.

use std::net::{IpAddr, SocketAddr, UdpSocket};

/// Addresses at which other hosts on the network can reach this one, the likeliest first.
pub(crate) fn of_interfaces() -> Vec<IpAddr> {
    let mut interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    interfaces.retain(|interface| !interface.is_loopback() && !interface.is_link_local());
    let outward = [outward("192.0.2.1:9"), outward("[2001:db8::1]:9")];
    interfaces.sort_by_key(|interface| {
        (!outward.contains(&Some(interface.ip())), is_virtual(&interface.name))
    });
    interfaces.into_iter().map(|interface| interface.ip()).collect()
}

/// The source address of packets to a distant host. Connecting a UDP socket sends nothing.
fn outward(far: &str) -> Option<IpAddr> {
    let far: SocketAddr = far.parse().ok()?;
    let any: SocketAddr = if far.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }.parse().ok()?;
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(far).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

/// Interfaces of containers and virtual machines on this host.
fn is_virtual(interface: &str) -> bool {
    ["docker", "br-", "veth", "virbr", "vmnet", "vboxnet", "cni", "podman", "lxc"]
        .iter()
        .any(|prefix| interface.starts_with(prefix))
}
