//! Addresses of this computer.

use std::net::{IpAddr, SocketAddr, UdpSocket};

/// Addresses of this computer that others on its network may reach, the likeliest first.
pub(crate) fn of_interfaces() -> Vec<IpAddr> {
    let mut interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    interfaces.retain(|interface| !interface.is_loopback() && !interface.is_link_local());
    let outward = [outward("192.0.2.1:9"), outward("[2001:db8::1]:9")];
    interfaces.sort_by_key(|interface| {
        (!outward.contains(&Some(interface.ip())), is_virtual(&interface.name))
    });
    interfaces.into_iter().map(|interface| interface.ip()).collect()
}

/// The address we would send from to somewhere far away. Connecting a UDP socket sends nothing.
fn outward(far: &str) -> Option<IpAddr> {
    let far: SocketAddr = far.parse().ok()?;
    let any: SocketAddr = if far.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }.parse().ok()?;
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(far).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

/// Networks inside this computer, of containers and virtual machines.
fn is_virtual(interface: &str) -> bool {
    ["docker", "br-", "veth", "virbr", "vmnet", "vboxnet", "cni", "podman", "lxc"]
        .iter()
        .any(|prefix| interface.starts_with(prefix))
}
