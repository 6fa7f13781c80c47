use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn policy(allow: &[&str], own: &[&str]) -> Policy {
    let allow = allow.iter().map(|range| range.parse().unwrap()).collect();
    Policy::new(allow, own.iter().map(|own| ip(own)).collect())
}

/// First, last and a middle address of each denied IPv4 range.
fn denied_v4() -> impl Iterator<Item = Ipv4Addr> {
    DENIED_V4.iter().flat_map(|(range, bits)| {
        let last = range.to_bits() | u32::MAX.checked_shr(*bits).unwrap_or(0);
        let middle = range.to_bits() + (last - range.to_bits()) / 2;
        [range.to_bits(), middle, last].map(Ipv4Addr::from_bits)
    })
}

fn embeddings(inner: Ipv4Addr) -> Vec<Ipv6Addr> {
    let bits = u128::from(inner.to_bits());
    vec![
        Ipv6Addr::from_bits(bits),                           // compatible
        Ipv6Addr::from_bits(0xFFFF << 32 | bits),            // mapped
        Ipv6Addr::from_bits(0xFFFF << 48 | bits),            // translated
        Ipv6Addr::from_bits(0x0064_FF9B << 96 | bits),       // NAT64
        Ipv6Addr::from_bits(0x0064_FF9B_0001 << 80 | bits),  // local NAT64
        Ipv6Addr::from_bits(0x2002 << 112 | bits << 80 | 1), // 6to4
        Ipv6Addr::from_bits(0x2001 << 112 | bits << 64),     // Teredo, as server
        Ipv6Addr::from_bits(0x2001 << 112 | 0x0808_0808 << 64 | (!bits & 0xFFFF_FFFF)),
        Ipv6Addr::from_bits(0x2A00 << 112 | 0x5EFE << 32 | bits), // ISATAP
        Ipv6Addr::from_bits(0x2A00 << 112 | 0x0200_5EFE << 32 | bits),
    ]
}

#[test]
fn every_embedding_of_every_denied_address_is_denied() {
    let policy = policy(&[], &[]);
    for inner in denied_v4() {
        assert_eq!(policy.check(inner.into(), false), Verdict::Denied, "{inner}");
        for outer in embeddings(inner) {
            assert_eq!(policy.check(outer.into(), false), Verdict::Denied, "{outer}");
        }
    }
}

#[test]
fn non_public_ipv6_ranges_are_denied() {
    let policy = policy(&[], &[]);
    for denied in
        ["::", "::1", "fe80::1", "febf::1", "fec0::1", "fc00::1", "fdff::1", "ff02::1", "100::1"]
    {
        assert_eq!(policy.check(ip(denied), false), Verdict::Denied, "{denied}");
    }
    for open in ["2001:4860:4860::8888", "2a00::1", "64:ff9b::8.8.8.8", "2002:808:808::1"] {
        assert_eq!(policy.check(ip(open), false), Verdict::Open, "{open}");
    }
}

#[test]
fn public_addresses_next_to_denied_ranges_are_open() {
    let policy = policy(&[], &[]);
    for open in [
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "192.169.0.0",
        "223.255.255.255",
    ] {
        assert_eq!(policy.check(ip(open), false), Verdict::Open, "{open}");
    }
}

#[test]
fn allowed_range_covers_its_mapped_form() {
    let policy = policy(&["10.1.0.0/16"], &[]);
    assert_eq!(policy.check(ip("10.1.2.3"), false), Verdict::Open);
    assert_eq!(policy.check(ip("::ffff:10.1.2.3"), false), Verdict::Open);
    assert_eq!(policy.check(ip("64:ff9b::10.1.2.3"), false), Verdict::Open);
    assert_eq!(policy.check(ip("10.2.2.3"), false), Verdict::Denied);
    assert_eq!(policy.check(ip("::ffff:10.2.2.3"), false), Verdict::Denied);
}

#[test]
fn own_addresses_are_reached_only_as_relays() {
    let policy = policy(&[], &["203.0.113.1", "127.0.0.1"]);
    assert_eq!(policy.check(ip("203.0.113.1"), false), Verdict::OwnRelays);
    assert_eq!(policy.check(ip("::ffff:203.0.113.1"), false), Verdict::OwnRelays);
    assert_eq!(policy.check(ip("64:ff9b::203.0.113.1"), false), Verdict::Denied);
    assert_eq!(policy.check(ip("127.0.0.1"), false), Verdict::Denied);
    assert_eq!(policy.check(ip("127.0.0.1"), true), Verdict::OwnRelays);
}

fn standing_on(links: &[&str], allow: &[&str]) -> Policy {
    let links: Vec<Cidr> = links.iter().map(|link| link.parse().unwrap()).collect();
    let mut policy = policy(allow, &["198.51.100.200"]);
    policy.set_interfaces(&[ip("203.0.113.1"), ip("2a00:db8:1::1")], &links);
    policy
}

/// A neighbour on the server's own link may be behind the same firewall, even with a public
/// address.
#[test]
fn neighbours_on_own_links_are_denied_in_every_embedding() {
    let policy = standing_on(&["203.0.113.1/24", "2a00:db8:1::1/64"], &[]);
    for neighbour in ["203.0.113.7", "203.0.113.255", "2a00:db8:1::7"] {
        assert_eq!(policy.check(ip(neighbour), false), Verdict::Denied, "{neighbour}");
    }
    for outer in embeddings(Ipv4Addr::new(203, 0, 113, 7)) {
        assert_eq!(policy.check(outer.into(), false), Verdict::Denied, "{outer}");
    }
    for beyond in ["203.0.112.255", "203.0.114.0", "2a00:db8:1:1::7"] {
        assert_eq!(policy.check(ip(beyond), false), Verdict::Open, "{beyond}");
    }
    for own in ["203.0.113.1", "2a00:db8:1::1", "198.51.100.200"] {
        assert_eq!(policy.check(ip(own), false), Verdict::OwnRelays, "{own}");
    }
    assert_eq!(policy.check(ip("203.0.113.9"), true), Verdict::OwnRelays, "an own relay");
}

#[test]
fn allowed_range_covers_neighbours() {
    let policy = standing_on(&["203.0.113.1/24"], &["203.0.113.0/28"]);
    assert_eq!(policy.check(ip("203.0.113.7"), false), Verdict::Open);
    assert_eq!(policy.check(ip("203.0.113.16"), false), Verdict::Denied);
}

#[test]
fn links_follow_the_interfaces() {
    let mut policy = standing_on(&["203.0.113.1/24"], &[]);
    policy.set_interfaces(&[ip("192.0.2.1")], &["192.0.2.1/24".parse().unwrap()]);
    assert_eq!(policy.check(ip("203.0.113.7"), false), Verdict::Open);
    assert_eq!(policy.check(ip("203.0.113.1"), false), Verdict::Open);
    assert_eq!(policy.check(ip("192.0.2.7"), false), Verdict::Denied);
    assert_eq!(policy.check(ip("192.0.2.1"), false), Verdict::OwnRelays);
    assert_eq!(policy.check(ip("198.51.100.200"), false), Verdict::OwnRelays, "still announced");
}

/// A tunnel whose prefix covers the internet denies no peer.
#[test]
fn link_as_wide_as_the_internet_is_ignored() {
    let policy = standing_on(&["203.0.113.1/0", "128.0.0.0/1", "2000::/3"], &[]);
    for open in ["203.0.113.7", "8.8.8.8", "2a00::1"] {
        assert_eq!(policy.check(ip(open), false), Verdict::Open, "{open}");
    }
}
