//! A UDP socket that reports when each datagram arrived, since it may wait in the socket's buffer.

use std::{io, net::SocketAddr, time::Instant};

use tokio::net::UdpSocket;

/// A UDP socket bound to one address.
pub struct Udp {
    socket: UdpSocket,
    local: SocketAddr,
    clock: Clock,
}

/// A received datagram.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Received {
    pub(crate) length: usize,
    pub(crate) from: SocketAddr,
    /// The arrival at this machine, or the time of reading where the system has no timestamps.
    pub(crate) at: Instant,
}

impl Udp {
    /// A socket on the interface towards the server.
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

    /// Has the kernel drop incoming RTP. STUN, DTLS and RTCP still pass.
    ///
    /// # Errors
    /// The system has no such filters.
    pub(crate) fn drop_media(&self) -> io::Result<()> {
        filter::attach(&self.socket)
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Sends a datagram, or drops it rather than wait. One to an address that can't be reached from
    /// here is dropped like one that is lost: ICE tries all candidates of the server, such as
    /// announced addresses of another network.
    pub(crate) fn send(&self, to: SocketAddr, bytes: &[u8]) -> io::Result<()> {
        use io::ErrorKind::{
            AddrNotAvailable, HostUnreachable, InvalidInput, NetworkUnreachable, WouldBlock,
        };
        match self.socket.try_send_to(bytes, to).map_err(|error| (error.kind(), error)) {
            Err((
                WouldBlock | HostUnreachable | NetworkUnreachable | AddrNotAvailable | InvalidInput,
                _,
            ))
            | Ok(_) => Ok(()),
            Err((_, error)) => Err(error),
        }
    }

    /// Receives a datagram into `buffer`. Cancel safe.
    pub(crate) async fn receive(&mut self, buffer: &mut [u8]) -> io::Result<Received> {
        loop {
            self.socket.readable().await?;
            match self.try_receive(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return done,
            }
        }
    }

    /// Receives a datagram if one is available.
    pub(crate) fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<Received> {
        self.clock.try_receive(&self.socket, buffer)
    }
}

/// Reads the kernel's timestamp of each datagram (`SO_TIMESTAMPNS`).
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
        let stamp = message.cmsgs()?.find_map(|message| match message {
            ControlMessageOwned::ScmTimestampns(time) => Some(time.into()),
            _ => None,
        });
        let from = message.address.as_ref().and_then(address).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Received { length: message.bytes, from, at: at(stamp) })
    }
}

/// Converts a kernel timestamp to an `Instant`.
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
    let v4 = || from.as_sockaddr_in().map(|address| SocketAddr::V4((*address).into()));
    let v6 = || from.as_sockaddr_in6().map(|address| SocketAddr::V6((*address).into()));
    v4().or_else(v6)
}

/// On other systems a datagram arrives when it is read.
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

/// The BPF filter that drops RTP.
#[cfg(target_os = "linux")]
mod filter {
    use std::io;

    use nix::libc::{BPF_ABS, BPF_B, BPF_JGE, BPF_JMP, BPF_K, BPF_LD, BPF_RET};
    use socket2::{SockFilter, SockRef};
    use tokio::net::UdpSocket;

    /// Offset of the UDP payload.
    const PAYLOAD: u32 = 8;

    /// Attaches the filter of [`super::Udp::drop_media`]. RTP and RTCP have a first byte of 128 to
    /// 191 (RFC 7983 §7), and RTCP a second byte of 192 to 223 (RFC 5761 §4).
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
    async fn datagram_has_its_arrival_time() {
        let (from, mut to) = pair().await;
        let (wait, mut buffer) = (Duration::from_millis(50), [0; 100]);
        // The kernel enables timestamps some time after the first socket has requested them.
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
    async fn drop_media_drops_rtp_only() {
        let (from, mut to) = pair().await;
        to.drop_media().unwrap();
        // STUN, DTLS, a receiver report and a PLI, with RTP in between, also with the marker bit.
        let datagrams =
            [[0, 1], [128, 96], [22, 254], [144, 111], [129, 200], [144, 224], [129, 206]];
        for datagram in datagrams {
            from.send(to.local(), &datagram).unwrap();
        }
        let mut received = Vec::new();
        while received.last() != datagrams.last() {
            let mut buffer = [0; 2];
            to.receive(&mut buffer).await.unwrap();
            received.push(buffer);
        }
        assert_eq!(received, [[0, 1], [22, 254], [129, 200], [129, 206]]);
    }
}
