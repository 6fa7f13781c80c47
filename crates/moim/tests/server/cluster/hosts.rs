//! Computers of a cluster: network namespaces behind a router, which is the namespace of the test.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use testnet::Link;
use tokio::runtime::Runtime;

use crate::{
    namespace::ip,
    support::{DEADLINE, Server, moim, within},
};

/// Port of all servers.
const PORT: u16 = 4000;

/// A computer.
pub(super) struct Host {
    /// Keeps the namespace until its standard input ends.
    holder: Child,
    number: u8,
}

impl Host {
    /// Computers that reach each other by the test's namespace, in which the caller must run.
    pub(super) fn start(count: u8) -> Vec<Self> {
        let forwards = Command::new("sysctl").args(["-qw", "net.ipv4.ip_forward=1"]).status();
        assert!(forwards.expect("needs procps").success());
        (1..=count).map(Self::add).collect()
    }

    fn add(number: u8) -> Self {
        let mut command = Command::new("unshare");
        command.args(["--net", "cat"]).stdin(Stdio::piped()).stdout(Stdio::null());
        let holder = command.spawn().expect("needs util-linux");
        let own = fs::read_link("/proc/thread-self/ns/net").unwrap();
        let path = format!("/proc/{}/ns/net", holder.id());
        within(DEADLINE, "it has a namespace", || {
            fs::read_link(&path).is_ok_and(|its| its != own).then_some(())
        });
        let host = Self { holder, number };
        let link = format!("h{number}");
        ip(&format!("link add {link} type veth peer name eth0 netns {}", host.holder.id()));
        ip(&format!("address add {}/24 dev {link}", host.router()));
        ip(&format!("link set {link} up"));
        host.run("ip link set lo up");
        host.run(&format!("ip address add {}/24 dev eth0", host.ip()));
        host.run("ip link set eth0 up");
        host.run(&format!("ip route add default via {}", host.router()));
        host
    }

    /// Its address.
    pub(super) fn ip(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 77, self.number, 2)
    }

    /// The address by which it reaches the test.
    pub(super) fn router(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 77, self.number, 1)
    }

    fn enter(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.holder.id()));
        command
    }

    /// Runs a command there.
    fn run(&self, command: &str) {
        let output = self.enter().args(command.split(' ')).output().expect("needs util-linux");
        assert!(output.status.success(), "{command}: {output:?}");
    }

    /// Starts a server there.
    pub(super) fn serve(&self, flags: &[&str]) -> Server {
        let data = Arc::new(tempfile::tempdir().unwrap());
        let (listen, address) = (format!("0.0.0.0:{PORT}"), format!("{}:{PORT}", self.ip()));
        let mut flags = flags.to_vec();
        flags.extend(["--cluster-address", &address]);
        let inner = moim(&["--listen", &listen], data.path(), &flags);
        let mut command = self.enter();
        command.arg(inner.get_program()).args(inner.get_args());
        for (name, value) in inner.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Server::spawn(command, IpAddr::from(self.ip()), data)
    }

    /// From now on it sends and receives nothing: its cable is cut.
    pub(super) fn cut(&self) {
        self.run("iptables -A INPUT -i eth0 -j DROP");
        self.run("iptables -A OUTPUT -o eth0 -j DROP");
    }

    /// From now on nothing comes through between it and this port of the test.
    pub(super) fn cut_from_port(&self, port: u16) {
        self.run(&format!("iptables -A INPUT -i eth0 -p tcp --sport {port} -j DROP"));
        self.run(&format!("iptables -A OUTPUT -o eth0 -p tcp --dport {port} -j DROP"));
    }

    /// From now on it receives nothing from this one.
    pub(super) fn ignore(&self, other: &Self) {
        self.run(&format!("iptables -A INPUT -i eth0 -s {} -j DROP", other.ip()));
    }

    /// From now on it receives no UDP from this one, as by a firewall.
    pub(super) fn block_udp(&self, other: &Self) {
        self.run(&format!("iptables -A INPUT -i eth0 -p udp -s {} -j DROP", other.ip()));
    }

    /// Counts UDP that it sends to an address of another host, or of the test.
    pub(super) fn count(&self, to: Ipv4Addr) {
        let chain = if to.octets()[3] == 1 { "INPUT" } else { "FORWARD" };
        iptables(&format!("-A {chain} -p udp -s {} -d {to}", self.ip()));
    }

    /// Bytes that were counted so far, with heads of IP.
    pub(super) fn counted(&self, to: Ipv4Addr) -> u64 {
        let rules = iptables("-L -n -v -x");
        let (from, to) = (self.ip().to_string(), to.to_string());
        let line = rules.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let line = line.into_iter().find(|line| line.ends_with(&[&from, &to]));
        line.expect("it is counted")[1].parse().unwrap()
    }

    /// Lays a wire of their own between this one and another host: UDP between them takes it.
    pub(super) fn wire(&self, other: &Self) -> Wire {
        let names = [self, other].map(|host| format!("wire{}", host.number));
        let wire = Wire::start(names.clone());
        for (host, peer, name) in [(self, other, &names[0]), (other, self, &names[1])] {
            ip(&format!("link set {name} netns {}", host.holder.id()));
            host.run(&format!("ip link set {name} up"));
            let route = format!("{} dev {name} src {} table 77", peer.ip(), host.ip());
            host.run(&format!("ip route add {route}"));
            host.run(&format!("ip rule add ipproto udp to {} lookup 77", peer.ip()));
        }
        wire
    }

    /// Everything comes through again.
    pub(super) fn mend(&self) {
        self.run("iptables -F INPUT");
        self.run("iptables -F OUTPUT");
    }
}

/// A wire between two hosts.
pub(super) struct Wire {
    ends: moim_wire::Ends,
    /// Carries packets until this is dropped.
    _runtime: Runtime,
}

impl Wire {
    fn start([a, b]: [String; 2]) -> Self {
        // Its thread is in the namespace of this one.
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
        let entered = runtime.enter();
        let (wire, ends) = moim_wire::Wire::create(&a, &b).unwrap();
        drop(entered);
        runtime.spawn(wire.run());
        Self { ends, _runtime: runtime }
    }

    /// From now on it loses this share of packets, and delivers the others after this time, in both
    /// directions.
    pub(super) fn degrade(&self, loss: f64, delay: Duration) {
        let link = Link { loss, delay, ..Link::default() };
        for end in [&self.ends.a, &self.ends.b] {
            end.send_replace(link);
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // The namespace may live for a moment longer, and its link with it.
        let link = format!("h{}", self.number);
        let _ = Command::new("ip").args(["link", "delete", &link]).status();
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

fn iptables(arguments: &str) -> String {
    run_here("iptables", arguments)
}

/// Runs a command in the test's namespace.
fn run_here(program: &str, arguments: &str) -> String {
    let output = Command::new(program).args(arguments.split(' ')).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {arguments}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}
