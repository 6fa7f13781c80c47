//! S3: the ruleset of nftables, which root may read. It has the rules of iptables too.

use doctor::server::{Looked, Skip, firewall::Facts};

use super::process;

pub(super) fn gather(port: u16, has_v6: bool) -> Looked<Facts> {
    if !process::is_root() {
        return Err(Skip::NeedsRoot);
    }
    let json = process::output("nft", &["-j", "list", "ruleset"]).ok_or(Skip::Unavailable)?;
    let v4 = Facts::of_ruleset(&json, port, false).map_err(|_| Skip::Unavailable)?;
    if !v4.drops.is_empty() || !has_v6 {
        return Ok(v4);
    }
    Facts::of_ruleset(&json, port, true).map_err(|_| Skip::Unavailable)
}
