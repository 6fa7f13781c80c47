//! S1: the server's port answers on this machine; without a server, the port can be bound.

use std::{
    env, fs,
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket},
    time::Duration,
};

use doctor::server::port::{Facts, Protocol, Socket, State};
use socket2::{Domain, Type};
use turn::stun::{Class, Message, Method, TransactionId, Writer};

use super::super::server::Server;

/// Time for a response on this machine.
const TIMEOUT: Duration = Duration::from_millis(700);
/// Requests over UDP before the port counts as silent.
const ATTEMPTS: usize = 3;

pub(super) fn gather(listen: &[SocketAddr], server: &Server) -> Facts {
    let mut sockets = Vec::new();
    for address in listen.iter().filter(|address| address.port() != 0) {
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            let state = match server {
                Server::Running { .. } if answers(protocol, *address) => State::Answers,
                Server::Running { .. } => State::Silent,
                // It may be another server's configuration, so silence is no fault.
                Server::Forbidden { .. } => State::Answers,
                Server::Absent => bind(protocol, *address),
            };
            sockets.push(Socket { protocol, address: *address, state });
        }
    }
    let binary = env::current_exe().map(|path| path.display().to_string());
    Facts { sockets, binary: binary.unwrap_or_else(|_| "moim".to_owned()) }
}

/// An address at which this machine reaches what listens on `address`.
pub(super) fn local(address: SocketAddr) -> SocketAddr {
    let loopback = match address.ip() {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    let ip = if address.ip().is_unspecified() { loopback } else { address.ip() };
    SocketAddr::new(ip, address.port())
}

fn answers(protocol: Protocol, address: SocketAddr) -> bool {
    let address = local(address);
    match protocol {
        Protocol::Tcp => (0..ATTEMPTS).any(|_| answers_http(address).unwrap_or(false)),
        Protocol::Udp => answers_stun(address).unwrap_or(false),
    }
}

fn answers_http(address: SocketAddr) -> io::Result<bool> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(b"GET /livez HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
    let mut head = [0; 5];
    stream.read_exact(&mut head)?;
    Ok(&head == b"HTTP/")
}

fn answers_stun(address: SocketAddr) -> io::Result<bool> {
    let any: IpAddr =
        if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(address)?;
    socket.set_read_timeout(Some(TIMEOUT))?;
    let mut id = [0; 12];
    getrandom::fill(&mut id).map_err(io::Error::from)?;
    let (mut request, id) = (Vec::new(), TransactionId(id));
    Writer::new(&mut request, Class::Request, Method::BINDING, id);
    for _ in 0..ATTEMPTS {
        // A refused port is reported by one of the calls.
        socket.send(&request)?;
        let mut response = [0; 1500];
        let Ok(length) = socket.recv(&mut response) else { continue };
        let message = response.get(..length).and_then(|bytes| Message::parse(bytes).ok());
        if message.is_some_and(|message| message.transaction() == id) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Binds and closes a socket.
fn bind(protocol: Protocol, address: SocketAddr) -> State {
    match try_bind(protocol, address).map_err(|error| error.kind()) {
        Err(io::ErrorKind::AddrInUse) => State::Taken { holder: holder(protocol, address.port()) },
        Err(io::ErrorKind::PermissionDenied) => State::Forbidden,
        Err(io::ErrorKind::AddrNotAvailable) => State::AddressAbsent,
        // No IPv6 on this system, or nothing that can be said.
        Ok(()) | Err(_) => State::Free,
    }
}

fn try_bind(protocol: Protocol, address: SocketAddr) -> io::Result<()> {
    let kind = match protocol {
        Protocol::Tcp => Type::STREAM,
        Protocol::Udp => Type::DGRAM,
    };
    let socket = socket2::Socket::new(Domain::for_address(address), kind, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    if protocol == Protocol::Tcp {
        // Connections that linger after a server don't hold its port.
        socket.set_reuse_address(true)?;
    }
    socket.bind(&address.into())?;
    if protocol == Protocol::Tcp {
        socket.listen(1)?;
    }
    Ok(())
}

/// Name and id of the process that has the port, if this user may see it.
fn holder(protocol: Protocol, port: u16) -> Option<String> {
    let tables = match protocol {
        Protocol::Tcp => ["/proc/net/tcp", "/proc/net/tcp6"],
        Protocol::Udp => ["/proc/net/udp", "/proc/net/udp6"],
    };
    let texts = tables.iter().filter_map(|table| fs::read_to_string(table).ok());
    let inodes: Vec<_> = texts.flat_map(|text| inodes_of(&text, protocol, port)).collect();
    let links: Vec<_> = inodes.iter().map(|inode| format!("socket:[{inode}]")).collect();
    let processes = fs::read_dir("/proc").ok()?.flatten();
    processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).find_map(|pid| {
        let open = fs::read_dir(format!("/proc/{pid}/fd")).ok()?.flatten();
        let mut targets = open.filter_map(|fd| fs::read_link(fd.path()).ok());
        targets.find(|target| links.iter().any(|link| target.as_os_str() == link.as_str()))?;
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        Some(format!("{} (pid {pid})", name.trim()))
    })
}

/// Inodes of sockets bound to a port (proc_net(5)); of TCP those that listen.
fn inodes_of(table: &str, protocol: Protocol, port: u16) -> Vec<u64> {
    const LISTEN: &str = "0A";
    let of_line = |line: &str| {
        let mut fields = line.split_whitespace();
        let local = fields.nth(1)?;
        let state = fields.nth(1)?;
        let (_, own) = local.rsplit_once(':')?;
        let is_bound = u16::from_str_radix(own, 16).ok()? == port
            && (protocol == Protocol::Udp || state == LISTEN);
        fields.nth(5).filter(|_| is_bound)?.parse().ok()
    };
    table.lines().skip(1).filter_map(of_line).collect()
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread, time::Instant};

    use super::*;

    const TABLE: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:01BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1
   1: 0100007F:01BB 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4712 1
   2: 0100007F:0FA0 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1
";

    #[test]
    fn sockets_that_listen_are_found_in_the_table() {
        assert_eq!(inodes_of(TABLE, Protocol::Tcp, 443), [4711]);
        assert_eq!(inodes_of(TABLE, Protocol::Udp, 443), [4711, 4712]);
        assert!(inodes_of("", Protocol::Tcp, 443).is_empty());
    }

    /// Waits until a port is free: a program that another test starts just then may have its socket
    /// for a moment longer.
    fn until_free(address: SocketAddr) {
        let end = Instant::now() + Duration::from_secs(10);
        while bind(Protocol::Tcp, address) != State::Free {
            assert!(Instant::now() < end, "{address} is not free");
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn taken_port_names_its_holder_and_a_free_one_stays_free() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let State::Taken { holder: Some(holder) } = bind(Protocol::Tcp, address) else {
            panic!("not taken")
        };
        assert!(holder.ends_with(&format!("(pid {})", std::process::id())), "{holder}");
        drop(listener);
        until_free(address);
        // The first look left nothing behind.
        until_free(address);
        let absent = "192.0.2.1:0".parse().unwrap();
        assert_eq!(bind(Protocol::Udp, absent), State::AddressAbsent);
    }
}
