//! S3: the machine's own firewall lets visitors pass.

mod ruleset;

use serde::Serialize;

use self::ruleset::Ruleset;
use super::{port::Protocol, public_address::PublicAddress};
use crate::{
    code::ServerCode,
    finding::{Certainty, Finding},
};

/// A rule or policy that certainly drops new packets from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drop {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// Its place, such as `inet filter input`.
    pub chain: String,
    /// The command that lets the port pass.
    pub command: String,
}

/// What drops packets to the port.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// One for each protocol at most.
    pub drops: Vec<Drop>,
}

/// A ruleset that can't be read.
#[derive(Debug, PartialEq, Eq)]
pub struct ParseRulesetError;

impl Facts {
    /// Judges the output of `nft -j list ruleset`, which has the rules of iptables, ufw and
    /// firewalld too, for new IPv4 or IPv6 packets to `port`.
    ///
    /// # Errors
    /// The text is no ruleset.
    pub fn of_ruleset(json: &str, port: u16, v6: bool) -> Result<Self, ParseRulesetError> {
        let ruleset = Ruleset::parse(json).ok_or(ParseRulesetError)?;
        let drops = [Protocol::Tcp, Protocol::Udp].into_iter().filter_map(|protocol| {
            let chain = ruleset.dropping_chain(protocol, port, v6)?;
            let command = command(&ruleset, &chain, protocol, port);
            Some(Drop { protocol, chain: chain.to_string(), command })
        });
        Ok(Self { drops: drops.collect() })
    }

    pub(super) fn judge(&self, place: &PublicAddress) -> Vec<Finding> {
        let of = |drop: &Drop| {
            Finding::new(ServerCode::FirewallDrops, Certainty::Likely)
                .with("protocol", drop.protocol)
                .with("port", place.port)
                .with("rule", &drop.chain)
                .with("command", &drop.command)
        };
        self.drops.iter().map(of).collect()
    }

    pub(super) fn detail(&self) -> String {
        "nft".to_owned()
    }
}

/// The command of the tool that wrote the rules, so that they survive its next reload.
fn command(ruleset: &Ruleset, chain: &ruleset::ChainName, protocol: Protocol, port: u16) -> String {
    let name = protocol.to_string().to_lowercase();
    if ruleset.has_chain(|chain| chain.name.starts_with("ufw")) {
        return format!("sudo ufw allow {port}/{name}");
    }
    if ruleset.has_chain(|chain| chain.table == "firewalld") {
        return format!(
            "sudo firewall-cmd --permanent --add-port={port}/{name} && sudo firewall-cmd --reload"
        );
    }
    if chain.name == "INPUT" {
        let tool = if chain.family == "ip6" { "ip6tables" } else { "iptables" };
        return format!("sudo {tool} -I INPUT -p {name} --dport {port} -j ACCEPT");
    }
    format!("sudo nft insert rule {chain} {name} dport {port} accept")
}

#[cfg(test)]
mod tests;
