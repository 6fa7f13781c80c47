//! S8: limits and counters in /proc.

use std::{collections::HashSet, fs, net::SocketAddr};

use doctor::server::kernel::Facts;

use super::process::number;
use crate::admin::Vitals;

pub(super) fn gather(vitals: Option<&Vitals>, connections: usize) -> Facts {
    let process = vitals.map_or_else(|| "self".to_owned(), |vitals| vitals.pid.to_string());
    let limits = fs::read_to_string(format!("/proc/{process}/limits")).unwrap_or_default();
    let conntrack = number("/proc/sys/net/netfilter/nf_conntrack_count")
        .zip(number("/proc/sys/net/netfilter/nf_conntrack_max"));
    Facts {
        receive_buffer: vitals
            .and_then(|vitals| vitals.receive_buffer)
            .or_else(|| number("/proc/sys/net/core/rmem_max")),
        udp_dropped: vitals.map(|vitals| drops(&vitals.addresses)),
        files: open_files(&limits, vitals.is_some()),
        connections: u64::try_from(connections).unwrap_or(u64::MAX),
        conntrack,
    }
}

/// Drops of all sockets on the ports of these addresses.
fn drops(addresses: &[SocketAddr]) -> u64 {
    let tables = ["/proc/net/udp", "/proc/net/udp6"];
    let texts = tables.iter().filter_map(|table| fs::read_to_string(table).ok());
    let ports: HashSet<u16> = addresses.iter().map(SocketAddr::port).collect();
    texts.map(|text| drops_in(&text, &ports)).sum()
}

/// The last column of proc_net(5)'s table of UDP sockets.
fn drops_in(table: &str, ports: &HashSet<u16>) -> u64 {
    let of_line = |line: &str| -> Option<u64> {
        let (_, port) = line.split_whitespace().nth(1)?.rsplit_once(':')?;
        let is_ours = ports.contains(&u16::from_str_radix(port, 16).ok()?);
        line.split_whitespace().last().filter(|_| is_ours)?.parse().ok()
    };
    table.lines().skip(1).filter_map(of_line).sum()
}

/// The limit of open files. moim raises its own soft limit to the hard one, so without a server
/// the hard one counts.
fn open_files(limits: &str, is_server: bool) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let mut values = line.split_whitespace();
    let (soft, hard) = (values.next()?, values.next()?);
    (if is_server { soft } else { hard }).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid inode ref ptr drops
  71: 00000000:01BB 00000000:0000 07 00000000:00000000 00:00000000 00000000     0 0 61 2 0 70
  72: 00000000:01BB 00000000:0000 07 00000000:00000000 00:00000000 00000000     0 0 62 2 0 7
  73: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0 0 63 2 0 900
";

    #[test]
    fn drops_of_the_servers_sockets_alone_are_summed() {
        assert_eq!(drops_in(TABLE, &HashSet::from([443])), 77);
        assert_eq!(drops_in(TABLE, &HashSet::from([4000])), 0);
        assert_eq!(drops_in("", &HashSet::from([443])), 0);
    }

    #[test]
    fn limit_of_files_is_that_of_the_server_or_what_it_could_have() {
        let limits = "Max open files            1024                 524288               files\n";
        assert_eq!(open_files(limits, true), Some(1024));
        assert_eq!(open_files(limits, false), Some(524_288));
        assert_eq!(open_files("Max open files unlimited unlimited files", true), None);
    }
}
