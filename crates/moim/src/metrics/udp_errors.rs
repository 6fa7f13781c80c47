//! Datagrams that the kernel has dropped, by its own counts.

use std::fs;

/// Drops for full buffers since the machine's start, in this network namespace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct UdpErrors {
    pub(super) receive_buffer: u64,
    pub(super) send_buffer: u64,
}

impl UdpErrors {
    /// Reads the counts, on Linux.
    pub(super) fn read() -> Option<Self> {
        let ipv4 = fs::read_to_string("/proc/net/snmp").ok()?;
        let ipv6 = fs::read_to_string("/proc/net/snmp6").unwrap_or_default();
        Some(Self {
            receive_buffer: column(&ipv4, "RcvbufErrors")? + row(&ipv6, "Udp6RcvbufErrors"),
            send_buffer: column(&ipv4, "SndbufErrors")? + row(&ipv6, "Udp6SndbufErrors"),
        })
    }
}

/// A value of the line `Udp:`, which follows a line of names.
fn column(text: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("Udp: "));
    let at = lines.next()?.split(' ').position(|column| column == name)?;
    lines.next()?.split(' ').nth(at)?.parse().ok()
}

/// A value of a line with its name; 0 where IPv6 is off.
fn row(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.trim().parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_names() {
        let ipv4 = "Tcp: A B\nTcp: 1 2\nUdp: InDatagrams RcvbufErrors SndbufErrors\n\
                    Udp: 10 3 4\nUdpLite: InDatagrams\nUdpLite: 9\n";
        assert_eq!(
            (column(ipv4, "RcvbufErrors"), column(ipv4, "SndbufErrors")),
            (Some(3), Some(4))
        );
        assert_eq!(column(ipv4, "Missing"), None);
        let ipv6 = "Udp6InDatagrams   \t5\nUdp6RcvbufErrors  \t7\n";
        assert_eq!((row(ipv6, "Udp6RcvbufErrors"), row("", "Udp6RcvbufErrors")), (7, 0));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn counts_of_this_machine_are_known() {
        assert!(UdpErrors::read().is_some());
    }
}
