//! nftables' ruleset in JSON (libnftables-json(5)), followed as by a new packet from outside.
//!
//! A match that depends on more than protocol and port, such as a source address, may or may not
//! apply. Only what drops every packet counts as a drop.

use std::fmt;

use serde_json::Value;

use crate::server::port::Protocol;

/// Jumps that are followed. The kernel's own limit is 16.
const MAX_DEPTH: u32 = 16;

/// Family, table and name of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChainName {
    pub(super) family: String,
    pub(super) table: String,
    pub(super) name: String,
}

impl fmt::Display for ChainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.family, self.table, self.name)
    }
}

#[derive(Debug)]
struct Chain {
    name: ChainName,
    /// Of base chains that see packets to this machine: true if the policy is to drop.
    base_drops: Option<bool>,
    /// Expressions of each rule.
    rules: Vec<Vec<Value>>,
}

/// All chains.
#[derive(Debug)]
pub(super) struct Ruleset {
    chains: Vec<Chain>,
}

/// A new packet from another machine.
struct Packet {
    protocol: &'static str,
    port: u64,
    v6: bool,
}

/// Whether a match applies to every such packet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Applies {
    Always,
    Never,
    Perhaps,
}

/// The end of a packet in a chain.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Accepted,
    Dropped,
    /// Returned to the calling chain.
    Returned,
    /// Depends on what is not known.
    Unknown,
}

impl Ruleset {
    pub(super) fn parse(json: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(json).ok()?;
        let mut chains: Vec<Chain> = Vec::new();
        for item in value.get("nftables")?.as_array()? {
            if let Some(chain) = item.get("chain") {
                let name = name_of(chain, "name")?;
                let hook = chain.get("hook").and_then(Value::as_str);
                let is_filter = chain.get("type").and_then(Value::as_str) == Some("filter");
                let sees = is_filter && matches!(hook, Some("input" | "prerouting"));
                let drops = chain.get("policy").and_then(Value::as_str) == Some("drop");
                chains.push(Chain { name, base_drops: sees.then_some(drops), rules: Vec::new() });
            } else if let Some(rule) = item.get("rule") {
                let name = name_of(rule, "chain")?;
                let expressions = rule.get("expr").and_then(Value::as_array).cloned();
                let chain = chains.iter_mut().find(|chain| chain.name == name)?;
                chain.rules.push(expressions.unwrap_or_default());
            }
        }
        Some(Self { chains })
    }

    pub(super) fn has_chain(&self, test: impl Fn(&ChainName) -> bool) -> bool {
        self.chains.iter().any(|chain| test(&chain.name))
    }

    /// The base chain that drops all new packets to the port.
    pub(super) fn dropping_chain(
        &self,
        protocol: Protocol,
        port: u16,
        v6: bool,
    ) -> Option<ChainName> {
        let protocol = match protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        };
        let packet = Packet { protocol, port: port.into(), v6 };
        let family = if v6 { "ip6" } else { "ip" };
        let bases = self.chains.iter().filter_map(|chain| Some((chain, chain.base_drops?)));
        let of_family = |name: &ChainName| name.family == family || name.family == "inet";
        let mut bases = bases.filter(|(chain, _)| of_family(&chain.name));
        let drops = |(chain, policy_drops): &(&Chain, bool)| match self.follow(chain, &packet, 0) {
            Fate::Dropped => true,
            Fate::Returned => *policy_drops,
            Fate::Accepted | Fate::Unknown => false,
        };
        bases.find(drops).map(|(chain, _)| chain.name.clone())
    }

    fn follow(&self, chain: &Chain, packet: &Packet, depth: u32) -> Fate {
        if depth > MAX_DEPTH {
            return Fate::Unknown;
        }
        for rule in &chain.rules {
            let mut applies = Applies::Always;
            for expression in rule {
                match applies_to(expression, packet) {
                    Applies::Always => {}
                    Applies::Perhaps => applies = Applies::Perhaps,
                    Applies::Never => {
                        applies = Applies::Never;
                        break;
                    }
                }
            }
            if applies == Applies::Never || is_of_known_connections(rule) {
                continue;
            }
            let Some((fate, is_goto)) = self.verdict(chain, rule, packet, depth) else { continue };
            match (fate, applies) {
                (Fate::Returned, Applies::Always) if is_goto => return Fate::Returned,
                // A jump that came back.
                (Fate::Returned, _) if !is_goto => {}
                (Fate::Dropped, Applies::Perhaps) => {}
                (fate, Applies::Always) => return fate,
                _ => return Fate::Unknown,
            }
        }
        Fate::Returned
    }

    /// The fate of packets to which a rule applies; `None` if it decides nothing. The flag is true
    /// if the chain ends with it.
    fn verdict(
        &self,
        chain: &Chain,
        rule: &[Value],
        packet: &Packet,
        depth: u32,
    ) -> Option<(Fate, bool)> {
        let last = rule.iter().rev().find_map(|expression| expression.as_object()?.iter().next());
        let (kind, value) = last?;
        match kind.as_str() {
            "accept" => Some((Fate::Accepted, true)),
            "drop" | "reject" => Some((Fate::Dropped, true)),
            "return" => Some((Fate::Returned, true)),
            "jump" | "goto" => {
                let target = value.get("target").and_then(Value::as_str);
                let same_table = |other: &&Chain| {
                    other.name.family == chain.name.family && other.name.table == chain.name.table
                };
                let mut others = self.chains.iter().filter(same_table);
                let target = others.find(|other| Some(other.name.name.as_str()) == target);
                let fate = target.map_or(Fate::Unknown, |to| self.follow(to, packet, depth + 1));
                Some((fate, kind == "goto"))
            }
            "vmap" => vmap(value, packet),
            "queue" | "xt" | "synproxy" | "tproxy" | "fwd" => Some((Fate::Unknown, true)),
            _ => None,
        }
    }
}

/// True for iptables' usual `-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`, whose states
/// nft does not print: a rule that accepts by the connection alone. With NEW it would accept
/// everything, and nobody writes rules after that.
fn is_of_known_connections(rule: &[Value]) -> bool {
    let is_state = |expression: &Value| {
        let name = expression.get("xt").and_then(|xt| xt.get("name")).and_then(Value::as_str);
        matches!(name, Some("conntrack" | "state"))
    };
    let is = |expression: &Value, kind: &str| expression.get(kind).is_some();
    rule.iter().any(is_state)
        && rule.iter().any(|expression| is(expression, "accept"))
        && rule.iter().all(|e| is_state(e) || is(e, "counter") || is(e, "accept"))
}

fn name_of(item: &Value, key: &str) -> Option<ChainName> {
    let text = |key: &str| item.get(key).and_then(Value::as_str).map(str::to_owned);
    Some(ChainName { family: text("family")?, table: text("table")?, name: text(key)? })
}

fn applies_to(expression: &Value, packet: &Packet) -> Applies {
    let Some((kind, value)) = expression.as_object().and_then(|object| object.iter().next()) else {
        return Applies::Perhaps;
    };
    match kind.as_str() {
        "match" => matches(value, packet),
        // Statements that let the rule go on, and verdicts.
        "counter" | "log" | "mangle" | "accept" | "drop" | "reject" | "return" | "jump"
        | "goto" | "vmap" | "notrack" | "ct helper" | "queue" => Applies::Always,
        // Rate limits, extensions of iptables, and what is yet to be invented.
        _ => Applies::Perhaps,
    }
}

fn matches(value: &Value, packet: &Packet) -> Applies {
    let known = value
        .get("left")
        .zip(value.get("right"))
        .and_then(|(left, right)| is_in(left, right, packet));
    let op = value.get("op").and_then(Value::as_str).unwrap_or("==");
    match (known, op) {
        (Some(equal), "==" | "in") => {
            if equal {
                Applies::Always
            } else {
                Applies::Never
            }
        }
        (Some(equal), "!=") => {
            if equal {
                Applies::Never
            } else {
                Applies::Always
            }
        }
        _ => Applies::Perhaps,
    }
}

/// True if the packet's field `left` is among `right`; `None` if that is not known.
fn is_in(left: &Value, right: &Value, packet: &Packet) -> Option<bool> {
    let key = |kind: &str| left.get(kind).and_then(|of| of.get("key")).and_then(Value::as_str);
    if let Some(key) = key("meta") {
        return match key {
            "iif" | "iifname" => {
                // From another machine: not by the loopback interface.
                let all_lo = options(right)?.iter().all(|name| name.as_str() == Some("lo"));
                all_lo.then_some(false)
            }
            "l4proto" => has_text(right, packet.protocol),
            "nfproto" => has_text(right, if packet.v6 { "ipv6" } else { "ipv4" }),
            "protocol" => has_text(right, if packet.v6 { "ip6" } else { "ip" }),
            _ => None,
        };
    }
    if key("ct") == Some("state") {
        return has_text(right, "new");
    }
    let payload = left.get("payload")?;
    let text = |key: &str| payload.get(key).and_then(Value::as_str);
    match (text("protocol")?, text("field")?) {
        ("th", "dport") => has_port(right, packet.port),
        ("tcp" | "udp", "dport") if text("protocol") == Some(packet.protocol) => {
            has_port(right, packet.port)
        }
        ("tcp" | "udp" | "icmp" | "icmpv6" | "sctp" | "dccp" | "esp" | "ah", _)
            if text("protocol") != Some(packet.protocol) =>
        {
            Some(false)
        }
        ("ip", "protocol") => {
            if packet.v6 {
                Some(false)
            } else {
                has_text(right, packet.protocol)
            }
        }
        ("ip6", "nexthdr") => {
            if packet.v6 {
                has_text(right, packet.protocol)
            } else {
                Some(false)
            }
        }
        ("ip", _) if packet.v6 => Some(false),
        ("ip6", _) if !packet.v6 => Some(false),
        _ => None,
    }
}

/// Alternatives of a right side; `None` for a named set.
fn options(right: &Value) -> Option<Vec<&Value>> {
    if right.as_str().is_some_and(|name| name.starts_with('@')) {
        return None;
    }
    let list = right.get("set").unwrap_or(right);
    match list {
        Value::Array(items) => Some(items.iter().collect()),
        Value::String(name) if name.starts_with('@') => None,
        other => Some(vec![other]),
    }
}

fn has_text(right: &Value, text: &str) -> Option<bool> {
    let numbers = [("tcp", 6), ("udp", 17)];
    let number = numbers.iter().find(|(name, _)| *name == text).map(|(_, number)| *number);
    let options = options(right)?;
    Some(options.iter().any(|option| {
        option.as_str() == Some(text) || (number.is_some() && option.as_u64() == number)
    }))
}

fn has_port(right: &Value, port: u64) -> Option<bool> {
    let mut known = true;
    let found = options(right)?.into_iter().any(|option| {
        let option = option.get("elem").and_then(|elem| elem.get("val")).unwrap_or(option);
        if let Some(exact) = option.as_u64() {
            return exact == port;
        }
        let range = option.get("range").and_then(Value::as_array);
        let bound = |index: usize| range.and_then(|range| range.get(index)?.as_u64());
        match (bound(0), bound(1)) {
            (Some(first), Some(last)) => (first..=last).contains(&port),
            _ => {
                known = false;
                false
            }
        }
    });
    if found || known { Some(found) } else { None }
}

/// The verdict of a map such as `ct state vmap { established : accept, invalid : drop }`.
fn vmap(value: &Value, packet: &Packet) -> Option<(Fate, bool)> {
    let unknown = Some((Fate::Unknown, true));
    let (Some(key), Some(entries)) = (
        value.get("key"),
        value.get("data").and_then(|data| data.get("set")).and_then(Value::as_array),
    ) else {
        return unknown;
    };
    for entry in entries {
        let Some((option, verdict)) = entry.get(0).zip(entry.get(1)) else { return unknown };
        match is_in(key, option, packet) {
            Some(false) => {}
            Some(true) => {
                let kind = verdict.as_object().and_then(|object| object.keys().next());
                return match kind.map(String::as_str) {
                    Some("accept") => Some((Fate::Accepted, true)),
                    Some("drop") => Some((Fate::Dropped, true)),
                    _ => unknown,
                };
            }
            None => return unknown,
        }
    }
    None
}
