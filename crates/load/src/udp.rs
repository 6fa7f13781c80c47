//! A participant's UDP socket, which tells of each datagram when it came: until somebody has time to
//! read it, it may wait for long.

use std::{io, net::SocketAddr, time::Instant};

use tokio::net::UdpSocket;

/// A socket bound to one address.
pub struct Udp {
    socket: UdpSocket,
    local: SocketAddr,
    clock: Clock,
}

/// What was received.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Received {
    pub(crate) length: usize,
    pub(crate) from: SocketAddr,
    /// When it came to this machine, or to whoever reads it where the system does not tell.
    pub(crate) at: Instant,
}

impl Udp {
    /// A socket on the interface that leads to the server.
    pub(crate) async fn towards(server: SocketAddr) -> io::Result<Self> {
        let any: SocketAddr =
            if server.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
        let probe = UdpSocket::bind(any).await?;
        probe.connect(server).await?;
        let socket = UdpSocket::bind((probe.local_addr()?.ip(), 0)).await?;
        let local = socket.local_addr()?;
        let clock = Clock::of(&socket)?;
        Ok(Self { socket, local, clock })
    }

    /// Has the system throw away the RTP that comes, before it costs its reader anything. STUN, DTLS
    /// and RTCP still come.
    ///
    /// # Errors
    /// The system's, or that it has no such filters.
    pub(crate) fn drop_media(&self) -> io::Result<()> {
        filter::attach(&self.socket)
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Sends a datagram, or rather loses it than waits.
    pub(crate) fn send(&self, to: SocketAddr, bytes: &[u8]) -> io::Result<()> {
        match self.socket.try_send_to(bytes, to) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(()),
        }
    }

    /// Waits for a datagram and takes it into `buffer`. Safe to be dropped while it waits.
    pub(crate) async fn receive(&mut self, buffer: &mut [u8]) -> io::Result<Received> {
        loop {
            self.socket.readable().await?;
            match self.try_receive(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return done,
            }
        }
    }

    /// Takes a datagram if one is there.
    pub(crate) fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<Received> {
        self.clock.try_receive(&self.socket, buffer)
    }
}

/// Reads the kernel's time of each datagram (`SO_TIMESTAMPNS`).
#[cfg(target_os = "linux")]
struct Clock(Vec<u8>);

#[cfg(target_os = "linux")]
impl Clock {
    fn of(socket: &UdpSocket) -> io::Result<Self> {
        use nix::sys::{
            socket::{setsockopt, sockopt},
            time::TimeSpec,
        };

        setsockopt(socket, sockopt::ReceiveTimestampns, &true)?;
        Ok(Self(nix::cmsg_space!(TimeSpec)))
    }

    fn try_receive(&mut self, socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Received> {
        use std::{io::IoSliceMut, os::fd::AsRawFd as _};

        use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg};

        let mut slices = [IoSliceMut::new(buffer)];
        let control = &mut self.0;
        let message = socket.try_io(tokio::io::Interest::READABLE, || {
            let (fd, none) = (socket.as_raw_fd(), MsgFlags::empty());
            Ok(recvmsg::<SockaddrStorage>(fd, &mut slices, Some(control), none)?)
        })?;
        let stamp = message.cmsgs()?.find_map(|it| match it {
            ControlMessageOwned::ScmTimestampns(time) => Some(time.into()),
            _ => None,
        });
        let from = message.address.as_ref().and_then(address).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Received { length: message.bytes, from, at: at(stamp) })
    }
}

/// When the kernel's clock said so, by the one that participants go by.
#[cfg(target_os = "linux")]
fn at(stamp: Option<std::time::Duration>) -> Instant {
    use std::time::SystemTime;

    let now = Instant::now();
    let then = stamp.and_then(|stamp| SystemTime::UNIX_EPOCH.checked_add(stamp));
    let ago = then.and_then(|then| SystemTime::now().duration_since(then).ok());
    ago.and_then(|ago| now.checked_sub(ago)).unwrap_or(now)
}

#[cfg(target_os = "linux")]
fn address(from: &nix::sys::socket::SockaddrStorage) -> Option<SocketAddr> {
    let v4 = || from.as_sockaddr_in().map(|it| SocketAddr::V4((*it).into()));
    let v6 = || from.as_sockaddr_in6().map(|it| SocketAddr::V6((*it).into()));
    v4().or_else(v6)
}

/// Elsewhere a datagram came when it is read.
#[cfg(not(target_os = "linux"))]
struct Clock;

#[cfg(not(target_os = "linux"))]
impl Clock {
    fn of(_socket: &UdpSocket) -> io::Result<Self> {
        Ok(Self)
    }

    fn try_receive(&mut self, socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Received> {
        let (length, from) = socket.try_recv_from(buffer)?;
        Ok(Received { length, from, at: Instant::now() })
    }
}

/// What the kernel is to drop, in its own language.
#[cfg(target_os = "linux")]
mod filter {
    use std::io;

    use nix::libc::{BPF_ABS, BPF_B, BPF_JGE, BPF_JMP, BPF_K, BPF_LD, BPF_RET};
    use socket2::{SockFilter, SockRef};
    use tokio::net::UdpSocket;

    /// The first byte behind the UDP header.
    const PAYLOAD: u32 = 8;

    /// What [`super::Udp::drop_media`] says. RFC 7983 §7 tells RTP and RTCP by the first byte, 128 to
    /// 191, and RFC 5761 §4 RTCP by the second, 192 to 223.
    pub(super) fn attach(socket: &UdpSocket) -> io::Result<()> {
        let op = |code: u32, yes, no, value| {
            SockFilter::new(u16::try_from(code).unwrap_or_default(), yes, no, value)
        };
        let load = |at| op(BPF_LD | BPF_B | BPF_ABS, 0, 0, at);
        let at_least = |byte, yes, no| op(BPF_JMP | BPF_JGE | BPF_K, yes, no, byte);
        let end = |bytes| op(BPF_RET | BPF_K, 0, 0, bytes);
        SockRef::from(socket).attach_filter(&[
            load(PAYLOAD),
            at_least(128, 0, 5),
            at_least(192, 4, 0),
            load(PAYLOAD + 1),
            at_least(192, 0, 1),
            at_least(224, 0, 1),
            end(0),
            end(u32::MAX),
        ])
    }
}

#[cfg(not(target_os = "linux"))]
mod filter {
    pub(super) fn attach(_socket: &tokio::net::UdpSocket) -> std::io::Result<()> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn pair() -> (Udp, Udp) {
        let server = SocketAddr::from(([127, 0, 0, 1], 9));
        let (from, to) = (Udp::towards(server).await.unwrap(), Udp::towards(server).await.unwrap());
        from.socket.writable().await.unwrap();
        (from, to)
    }

    #[tokio::test]
    async fn a_datagram_came_when_it_came_and_not_when_it_is_read() {
        let (from, mut to) = pair().await;
        let (wait, mut buffer) = (Duration::from_millis(50), [0; 100]);
        // The kernel begins to look at its clock some time after the first socket has asked for it.
        for _ in 0..100 {
            from.send(to.local(), b"now").unwrap();
            let sent = Instant::now();
            tokio::time::sleep(wait).await;
            let received = to.receive(&mut buffer).await.unwrap();
            assert_eq!((&buffer[..received.length], received.from), (&b"now"[..], from.local()));
            if received.at < sent + wait / 2 {
                return;
            }
        }
        panic!("its time is that of reading");
    }

    #[tokio::test]
    async fn media_is_dropped_and_nothing_else() {
        let (from, mut to) = pair().await;
        to.drop_media().unwrap();
        // STUN, DTLS, a report and a request for a keyframe; between them RTP, also with the marker.
        let datagrams =
            [[0, 1], [128, 96], [22, 254], [144, 111], [129, 200], [144, 224], [129, 206]];
        for datagram in datagrams {
            from.send(to.local(), &datagram).unwrap();
        }
        let mut came = Vec::new();
        while came.last() != datagrams.last() {
            let mut buffer = [0; 2];
            to.receive(&mut buffer).await.unwrap();
            came.push(buffer);
        }
        assert_eq!(came, [[0, 1], [22, 254], [129, 200], [129, 206]]);
    }
}
