use super::*;
use crate::Bottleneck;

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn arrivals(network: &mut Network) -> Vec<Datagram> {
    std::iter::from_fn(|| match network.step(None) {
        Step::Arrived(datagram) => Some(datagram),
        _ => None,
    })
    .collect()
}

/// Numbers of packets that reach an inside host from `known`, which it has sent to, and from
/// `other`.
fn admitted(kind: NatKind) -> (SocketAddr, [usize; 2]) {
    let mut network = Network::new(1);
    let (inside, known, other) = (at("10.0.0.2:5000"), at("192.0.2.1:1"), at("192.0.2.2:1"));
    network.behind(inside.ip(), "198.51.100.1".parse().unwrap(), kind);
    network.send(inside, known, *b"out");
    let seen = arrivals(&mut network).remove(0).from;
    let counts = [known, other].map(|from| {
        network.send(from, seen, *b"in");
        arrivals(&mut network).iter().filter(|datagram| datagram.to == inside).count()
    });
    (seen, counts)
}

#[test]
fn full_cone_nat_admits_any_source() {
    assert_eq!(admitted(NatKind::FullCone).1, [1, 1]);
}

#[test]
fn other_nats_admit_known_destinations_only() {
    assert_eq!(admitted(NatKind::PortRestricted).1, [1, 0]);
    assert_eq!(admitted(NatKind::Symmetric).1, [1, 0]);
}

#[test]
fn symmetric_nat_maps_by_destination() {
    for (kind, expected) in
        [(NatKind::FullCone, 1), (NatKind::PortRestricted, 1), (NatKind::Symmetric, 2)]
    {
        let mut network = Network::new(1);
        let inside = at("10.0.0.2:5000");
        network.behind(inside.ip(), "198.51.100.1".parse().unwrap(), kind);
        network.send(inside, at("192.0.2.1:1"), *b"a");
        network.send(inside, at("192.0.2.2:1"), *b"b");
        let mut ports: Vec<_> =
            arrivals(&mut network).iter().map(|datagram| datagram.from.port()).collect();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), expected, "{kind:?}");
    }
}

#[test]
fn inside_address_is_unreachable_from_outside() {
    let mut network = Network::new(1);
    let inside = at("10.0.0.2:5000");
    network.behind(inside.ip(), "198.51.100.1".parse().unwrap(), NatKind::FullCone);
    network.send(at("192.0.2.1:1"), inside, *b"x");
    assert_eq!(network.step(None), Step::Idle);
}

#[test]
fn seed_determines_every_impairment() {
    let run = |seed| {
        let mut network = Network::new(seed);
        let (a, b) = (at("192.0.2.1:1"), at("192.0.2.2:1"));
        let path = Link {
            delay: Duration::from_millis(10),
            jitter: Duration::from_millis(5),
            loss: 0.1,
            duplicate: 0.1,
            reorder: 0.1,
            ..Link::default()
        };
        network.link(b.ip(), path);
        (0..1000u32).for_each(|n| network.send(b, a, n.to_be_bytes()));
        arrivals(&mut network)
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
    let mut distinct = run(7);
    assert!(!distinct.is_sorted_by(|a, b| a.bytes <= b.bytes), "some received late");
    distinct.sort();
    let all = distinct.len();
    distinct.dedup();
    assert!(distinct.len() < all, "some received twice");
    assert!((850..950).contains(&distinct.len()), "a tenth was lost: {}", distinct.len());
}

#[test]
fn step_stops_at_a_timeout_before_a_later_packet() {
    let mut network = Network::new(1);
    let (a, b) = (at("192.0.2.1:1"), at("192.0.2.2:1"));
    network.link(a.ip(), Link { delay: Duration::from_millis(50), ..Link::default() });
    network.send(a, b, *b"x");
    let start = network.clock.now();
    assert_eq!(network.step(Some(start + Duration::from_millis(20))), Step::Timeout);
    assert_eq!(network.clock.elapsed(), Duration::from_millis(20));
    assert!(matches!(network.step(None), Step::Arrived(_)));
    assert_eq!(network.clock.elapsed(), Duration::from_millis(50));
}

#[test]
fn bottleneck_affects_its_own_host_only() {
    let mut network = Network::new(1);
    let (a, narrow, wide) = (at("192.0.2.1:1"), at("192.0.2.2:1"), at("192.0.2.3:1"));
    let bottleneck = Some(Bottleneck { bits_per_second: 1_000_000, queue: 12_500 });
    network.link(narrow.ip(), Link { bottleneck, ..Link::default() });
    for to in [narrow, wide] {
        (0..100).for_each(|_| network.send(a, to, [0; 1250]));
    }
    let (mut received, mut last) = (HashMap::new(), HashMap::new());
    while let Step::Arrived(datagram) = network.step(None) {
        *received.entry(datagram.to).or_insert(0) += 1;
        last.insert(datagram.to, network.clock.elapsed());
    }
    assert_eq!(received, HashMap::from([(narrow, 11), (wide, 100)]));
    assert_eq!(last[&narrow], Duration::from_millis(110));
    assert_eq!(last[&wide], Duration::ZERO);
}
