//! TCP listeners of the one port.

use std::{
    io,
    net::{SocketAddr, TcpListener},
};

use socket2::{Domain, Protocol, Socket, Type};

use crate::{
    config::Listen,
    net::inherited::{InheritedSockets, PortSockets},
};

/// Connections that the kernel queues between two accepts.
const BACKLOG: i32 = 1024;

/// TCP listeners and their addresses.
#[derive(Debug)]
pub(crate) struct BoundListeners {
    /// One listener per address.
    pub(crate) listeners: Vec<TcpListener>,
    /// Their addresses. Port 0 is replaced by the port that the system chose.
    pub(crate) addresses: Vec<SocketAddr>,
}

/// Listens on every configured address, with inherited sockets where there are any.
///
/// # Errors
/// A sentence for the operator, with the remedy.
pub(crate) fn bind(
    listen: &Listen,
    inherited: &mut InheritedSockets,
) -> anyhow::Result<BoundListeners> {
    let mut bound = BoundListeners { listeners: Vec::new(), addresses: Vec::new() };
    for &address in &listen.required {
        let listener = take_or_bind(inherited, address);
        bound.add(listener.map_err(|error| describe_bind_error(address, &error))?)?;
    }
    for &address in &listen.where_possible {
        match take_or_bind(inherited, address) {
            Ok(listener) => bound.add(listener)?,
            Err(error) if is_unsupported(&error) => {
                tracing::info!(%address, "not listening: this system has no IPv6");
            }
            Err(error) => return Err(describe_bind_error(address, &error)),
        }
    }
    Ok(bound)
}

impl BoundListeners {
    /// Duplicates of these listeners and of the shards' sockets, for the next process.
    pub(crate) fn duplicates(&self, udp: Vec<Socket>) -> io::Result<PortSockets> {
        let tcp = self.listeners.iter().map(TcpListener::try_clone).collect::<io::Result<_>>()?;
        Ok(PortSockets { tcp, udp, relayed: Vec::new() })
    }

    fn add(&mut self, listener: TcpListener) -> io::Result<()> {
        self.addresses.push(listener.local_addr()?);
        self.listeners.push(listener);
        Ok(())
    }
}

fn take_or_bind(inherited: &mut InheritedSockets, address: SocketAddr) -> io::Result<TcpListener> {
    match inherited.take_tcp(address) {
        Some(listener) => Ok(listener),
        None => inherited.bind(|| tcp(address)),
    }
}

fn tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        // IPv4 has its own socket, so that no address appears as ::ffff:a.b.c.d.
        socket.set_only_v6(true)?;
    }
    // After a restart, connections in TIME-WAIT must not block the port. (On Windows the option
    // has another meaning.)
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn is_unsupported(error: &io::Error) -> bool {
    // EAFNOSUPPORT has no `ErrorKind`. EADDRNOTAVAIL means that a sysctl has disabled IPv6.
    error.kind() == io::ErrorKind::AddrNotAvailable
        || error.kind() == io::ErrorKind::Unsupported
        || error.raw_os_error() == Some(if cfg!(target_os = "linux") { 97 } else { 47 })
}

/// Explains to the operator why an address can't be bound, with the remedy.
pub(crate) fn describe_bind_error(address: SocketAddr, error: &io::Error) -> anyhow::Error {
    let port = address.port();
    match error.kind() {
        io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "Port {port} of {} is taken: stop the program that has it, or choose another port \
             with --listen",
            address.ip()
        ),
        io::ErrorKind::PermissionDenied => anyhow::anyhow!(
            "Port {port} takes a permission this user doesn't have: choose one from 1024 up with \
             --listen, or grant it with `setcap cap_net_bind_service=+ep` on the program"
        ),
        io::ErrorKind::AddrNotAvailable => anyhow::anyhow!(
            "{} is no address of this computer: choose another with --listen, or 0.0.0.0 for all",
            address.ip()
        ),
        _ => anyhow::anyhow!(
            "Can't listen on {address} ({error}): choose another address with --listen"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bind_new(required: &[&str]) -> anyhow::Result<BoundListeners> {
        let required = required.iter().map(|text| text.parse().unwrap()).collect();
        let listen = Listen { required, where_possible: Vec::new() };
        bind(&listen, &mut InheritedSockets::default())
    }

    #[test]
    fn bind_reports_the_ports_that_the_system_chose() {
        let bound = bind_new(&["127.0.0.1:0", "127.0.0.1:0"]).unwrap();
        assert_ne!(bound.addresses[0].port(), 0);
        assert_ne!(bound.addresses[0], bound.addresses[1]);
    }

    #[test]
    fn bind_errors_include_the_remedy() {
        let first = bind_new(&["127.0.0.1:0"]).unwrap();
        let taken = first.addresses[0].to_string();
        let error = bind_new(&[&taken]).unwrap_err().to_string();
        assert!(error.contains("is taken") && error.contains("--listen"), "{error}");
        let error = bind_new(&["192.0.2.1:0"]).unwrap_err().to_string();
        assert!(error.contains("no address of this computer"), "{error}");
    }
}
