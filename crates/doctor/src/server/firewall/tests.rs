//! Rulesets as `nft -j list ruleset` prints them.

use super::*;

fn ruleset(chains: &str) -> String {
    format!(r#"{{"nftables": [{{"metainfo": {{"json_schema_version": 1}}}}, {chains}]}}"#)
}

fn base(policy: &str) -> String {
    format!(
        r#"{{"chain": {{"family": "inet", "table": "filter", "name": "input", "type": "filter",
        "hook": "input", "prio": 0, "policy": "{policy}"}}}}"#
    )
}

fn rule(chain: &str, expr: &str) -> String {
    format!(
        r#"{{"rule": {{"family": "inet", "table": "filter", "chain": "{chain}",
        "expr": [{expr}]}}}}"#
    )
}

fn dport(protocol: &str, right: &str) -> String {
    format!(
        r#"{{"match": {{"op": "==", "left": {{"payload": {{"protocol": "{protocol}",
        "field": "dport"}}}}, "right": {right}}}}}"#
    )
}

fn meta(key: &str, op: &str, right: &str) -> String {
    format!(
        r#"{{"match": {{"op": "{op}", "left": {{"meta": {{"key": "{key}"}}}}, "right": {right}}}}}"#
    )
}

const ESTABLISHED: &str = r#"{"match": {"op": "in", "left": {"ct": {"key": "state"}},
    "right": ["established", "related"]}}, {"accept": null}"#;
const ACCEPT: &str = r#"{"accept": null}"#;
const DROP: &str = r#"{"drop": null}"#;

/// Protocols whose packets to port 443 are dropped.
fn dropped(parts: &[String]) -> Vec<String> {
    let facts = Facts::of_ruleset(&ruleset(&parts.join(",")), 443, false).unwrap();
    facts.drops.iter().map(|drop| drop.protocol.to_string()).collect()
}

fn rules(policy: &str, rules: &[String]) -> Vec<String> {
    let mut parts = vec![base(policy)];
    parts.extend(rules.iter().map(|expr| rule("input", expr)));
    dropped(&parts)
}

#[test]
fn empty_ruleset_drops_nothing() {
    let facts = Facts::of_ruleset(r#"{"nftables": []}"#, 443, false).unwrap();
    assert!(facts.drops.is_empty());
    assert!(Facts::of_ruleset("", 443, false).is_err());
}

#[test]
fn policy_of_drop_with_the_tcp_port_open_drops_udp() {
    let open = [
        ESTABLISHED.to_owned(),
        meta("iif", "==", r#""lo""#) + "," + ACCEPT,
        dport("tcp", r#"{"set": [22, 443]}"#) + "," + ACCEPT,
    ];
    assert_eq!(rules("drop", &open), ["UDP"]);
    assert!(rules("accept", &open).is_empty());
}

#[test]
fn open_ports_are_recognised_in_every_notation() {
    for right in [
        "443",
        r#"{"set": [80, 443]}"#,
        r#"{"range": [400, 500]}"#,
        r#"{"set": [22, {"range": [1, 1000]}]}"#,
    ] {
        let both = [
            dport("udp", right) + "," + ACCEPT,
            dport("tcp", right) + r#", {"counter": {"packets": 0, "bytes": 0}},"# + ACCEPT,
        ];
        assert!(rules("drop", &both).is_empty(), "{right}");
        let both = [meta("l4proto", "==", r#"{"set": ["tcp", "udp"]}"#)
            + ","
            + &dport("th", right)
            + ","
            + ACCEPT];
        assert!(rules("drop", &both).is_empty(), "{right}");
    }
}

#[test]
fn rules_that_may_accept_are_no_drop() {
    let source = r#"{"match": {"op": "==", "left": {"payload": {"protocol": "ip",
        "field": "saddr"}}, "right": {"prefix": {"addr": "10.0.0.0", "len": 8}}}}"#;
    for condition in [
        source.to_owned(),
        meta("iifname", "==", r#""eth0""#),
        meta("iifname", "!=", r#""lo""#),
        dport("udp", r#""@ports""#) + "," + &dport("udp", "443"),
        r#"{"limit": {"rate": 5, "per": "second"}}"#.to_owned(),
        r#"{"xt": {"type": "match", "name": "multiport"}}"#.to_owned(),
        r#"{"something new": 1}"#.to_owned(),
    ] {
        let udp = rules("drop", &[condition.clone() + "," + ACCEPT]);
        assert!(udp.is_empty() || condition.contains("dport") && udp == ["TCP"], "{condition}");
        assert!(rules("accept", &[condition.clone() + "," + ACCEPT]).is_empty(), "{condition}");
    }
}

/// As `nft` prints the rules of iptables.
#[test]
fn connection_state_of_iptables_opens_no_port() {
    let state = r#"{"xt": {"type": "match", "name": "conntrack"}}, {"counter": {"packets": 0}},"#;
    let known = state.to_owned() + ACCEPT;
    let tcp = dport("tcp", "443") + "," + ACCEPT;
    assert_eq!(rules("drop", &[known.clone(), tcp.clone()]), ["UDP"]);
    let new = dport("udp", "443") + "," + state + ACCEPT;
    assert!(rules("drop", &[known.clone(), tcp.clone(), new]).is_empty(), "--ctstate NEW");
    let inner = meta("iifname", "==", r#""eth0""#) + "," + state + ACCEPT;
    assert!(rules("drop", &[known, tcp, inner]).is_empty(), "perhaps on every interface");
}

#[test]
fn rules_that_may_drop_are_no_drop() {
    let limited = r#"{"limit": {"rate": 5, "per": "second", "inv": true}},"#.to_owned() + DROP;
    assert!(rules("accept", &[limited]).is_empty());
    let other = meta("iifname", "==", r#""eth1""#) + "," + &dport("udp", "443") + "," + DROP;
    assert!(rules("accept", &[other]).is_empty());
    assert_eq!(rules("accept", &[dport("udp", "443") + "," + DROP]), ["UDP"]);
    let reject = r#"{"reject": {"type": "icmpx", "expr": "port-unreachable"}}"#;
    assert_eq!(rules("accept", &[dport("tcp", "443") + "," + reject]), ["TCP"]);
}

#[test]
fn chains_are_followed() {
    let chain = r#"{"chain": {"family": "inet", "table": "filter", "name": "own"}}"#.to_owned();
    let jump = |kind: &str| rule("input", &format!(r#"{{"{kind}": {{"target": "own"}}}}"#));
    for kind in ["jump", "goto"] {
        let open = rule("own", &(dport("udp", "443") + "," + ACCEPT));
        let all = [base("drop"), chain.clone(), jump(kind), open];
        assert_eq!(dropped(&all), ["TCP"], "{kind}");
    }
    let circle = rule("own", r#"{"jump": {"target": "own"}}"#);
    assert!(dropped(&[base("drop"), chain, jump("jump"), circle]).is_empty());
}

#[test]
fn verdict_maps_are_followed() {
    let map = |set: &str| {
        format!(
            r#"{{"vmap": {{"key": {{"ct": {{"key": "state"}}}}, "data": {{"set": [{set}]}}}}}}"#
        )
    };
    let usual = map(r#"["established", {"accept": null}], ["invalid", {"drop": null}]"#);
    assert_eq!(rules("drop", std::slice::from_ref(&usual)), ["TCP", "UDP"]);
    assert!(rules("accept", &[usual]).is_empty());
    assert!(rules("drop", &[map(r#"["new", {"accept": null}]"#)]).is_empty());
    assert!(rules("drop", &[map(r#"["new", {"jump": {"target": "x"}}]"#)]).is_empty());
}

#[test]
fn command_is_that_of_the_tool_in_use() {
    let drop = rule("input", &(dport("udp", "443") + "," + DROP));
    let command = |parts: &[String]| {
        let facts = Facts::of_ruleset(&ruleset(&parts.join(",")), 443, false).unwrap();
        facts.drops[0].command.clone()
    };
    let nft = [base("accept"), drop];
    assert_eq!(command(&nft), "sudo nft insert rule inet filter input udp dport 443 accept");
    let renamed = |from: &str, to: &str| nft.clone().map(|part| part.replace(from, to));
    let iptables = renamed("\"inet\"", "\"ip\"").map(|p| p.replace("\"input\"", "\"INPUT\""));
    let iptables = iptables.map(|part| part.replace(r#""hook": "INPUT""#, r#""hook": "input""#));
    assert_eq!(command(&iptables), "sudo iptables -I INPUT -p udp --dport 443 -j ACCEPT");
    let firewalld = renamed("\"table\": \"filter\"", "\"table\": \"firewalld\"");
    assert!(command(&firewalld).starts_with("sudo firewall-cmd --permanent --add-port=443/udp"));
    let mut ufw = iptables.to_vec();
    ufw.push(
        r#"{"chain": {"family": "ip", "table": "filter", "name": "ufw-user-input"}}"#.to_owned(),
    );
    assert_eq!(command(&ufw), "sudo ufw allow 443/udp");
}

#[test]
fn families_are_apart() {
    let drop = rule("input", &(dport("udp", "443") + "," + DROP)).replace("inet", "ip6");
    let json = ruleset(&[base("accept").replace("inet", "ip6"), drop].join(","));
    assert!(Facts::of_ruleset(&json, 443, false).unwrap().drops.is_empty());
    assert_eq!(Facts::of_ruleset(&json, 443, true).unwrap().drops.len(), 1);
}
