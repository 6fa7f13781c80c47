//! Notifications that addresses of this machine's interfaces have changed (rtnetlink(7)).
//!
//! A notification only says that it is time to read the interfaces again. Where there are none
//! (other systems, a sandbox without `AF_NETLINK`), the interfaces are read at an interval alone.

use std::time::Duration;

/// Interval at which interfaces are read without a notification.
const INTERVAL: Duration = Duration::from_secs(30);
/// Changes within this time are read together: a new address often replaces an old one.
const SETTLE_TIME: Duration = Duration::from_millis(100);

/// The notifications.
pub(super) struct InterfaceEvents(Option<netlink::Socket>);

impl InterfaceEvents {
    /// Requests notifications. Must be called within a tokio runtime.
    pub(super) fn open() -> Self {
        let socket = netlink::Socket::open();
        if let Err(error) = &socket {
            tracing::debug!(%error, "no notifications of changed addresses; reading them each 30 s");
        }
        Self(socket.ok())
    }

    /// Returns when it is time to read the interfaces.
    pub(super) async fn due(&mut self) {
        let Some(socket) = &self.0 else { return tokio::time::sleep(INTERVAL).await };
        match tokio::time::timeout(INTERVAL, socket.readable()).await {
            Ok(Ok(())) => {
                tokio::time::sleep(SETTLE_TIME).await;
                socket.drain();
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "no more notifications of changed addresses");
                self.0 = None;
            }
            Err(_) => {}
        }
    }
}

#[cfg(target_os = "linux")]
mod netlink {
    use std::{io, net, os::fd::AsRawFd};

    use nix::sys::socket::{
        AddressFamily, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, socket,
    };
    use tokio::net::UdpSocket;

    /// `RTMGRP_IPV4_IFADDR` and `RTMGRP_IPV6_IFADDR`.
    const ADDRESSES: u32 = 0x10 | 0x100;
    /// Notifications dropped in one call.
    const MAX_DRAINED: usize = 4096;

    /// A netlink socket, in tokio's wrapper of any datagram socket.
    pub(super) struct Socket(UdpSocket);

    impl Socket {
        pub(super) fn open() -> io::Result<Self> {
            let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
            let protocol = SockProtocol::NetlinkRoute;
            let socket = socket(AddressFamily::Netlink, SockType::Raw, flags, protocol)?;
            bind(socket.as_raw_fd(), &NetlinkAddr::new(0, ADDRESSES))?;
            Ok(Self(UdpSocket::from_std(net::UdpSocket::from(socket))?))
        }

        /// Returns once there is a notification.
        pub(super) async fn readable(&self) -> io::Result<()> {
            self.0.readable().await
        }

        /// Drops all notifications. An error is that some were lost (`ENOBUFS`).
        pub(super) fn drain(&self) {
            let mut buffer = [0; 4096];
            for _ in 0..MAX_DRAINED {
                match self.0.try_recv(&mut buffer) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                    Ok(_) | Err(_) => {}
                }
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod netlink {
    use std::io;

    pub(super) struct Socket;

    impl Socket {
        pub(super) fn open() -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(super) async fn readable(&self) -> io::Result<()> {
            std::future::pending().await
        }

        pub(super) fn drain(&self) {}
    }
}
