//! NAT behavior discovery from four addresses (RFC 5780).

use std::net::SocketAddr;

use testnet::NatKind;
use turn::{Config, Discovery, Transport};

use crate::world::{Attr, BINDING, Client, Response, SERVER, Sent, World, at, config};

const ALTERNATE: &str = "203.0.113.2:3479";
const CHANGE_IP: u8 = 4;
const CHANGE_PORT: u8 = 2;

fn world() -> World {
    let discovery = Discovery::new(at(SERVER), at(ALTERNATE));
    let mut world = World::with(Config { discovery, ..config() });
    world.also = discovery.unwrap().addresses().collect();
    world
}

fn change(flags: u8) -> Attr {
    Attr::Raw(0x0003, vec![0, 0, 0, flags])
}

/// The source and destination of a response, and its bytes.
fn ask(
    world: &mut World,
    client: &mut Client,
    attrs: &[Attr],
) -> (SocketAddr, SocketAddr, Vec<u8>) {
    let (bytes, _) = client.build(BINDING, attrs);
    let sent = world.pass(&client.five_tuple(Transport::Udp), &bytes);
    let [Sent::Client(to, bytes)] = &sent[..] else { panic!("{sent:?}") };
    (to.server, to.client, bytes.clone())
}

/// A plain address attribute.
fn plain(response: &Response, kind: u16) -> Option<SocketAddr> {
    let value = response.raw(kind)?;
    assert_eq!((value.len(), value[1]), (8, 1));
    let ip = [value[4], value[5], value[6], value[7]];
    Some(SocketAddr::from((ip, u16::from_be_bytes([value[2], value[3]]))))
}

#[test]
fn binding_response_carries_origin_and_other_address() {
    let mut world = world();
    for (server, other) in [
        ("203.0.113.1:3478", "203.0.113.2:3479"),
        ("203.0.113.2:3478", "203.0.113.1:3479"),
        ("203.0.113.1:3479", "203.0.113.2:3478"),
        ("203.0.113.2:3479", "203.0.113.1:3478"),
    ] {
        let mut client = Client::new("192.0.2.10:5000");
        client.server = at(server);
        let response = world.request(&mut client, BINDING, &[]);
        assert_eq!(response.mapped(), client.host);
        assert_eq!(plain(&response, 0x0001), Some(client.host));
        assert_eq!(plain(&response, 0x802B), Some(at(server)));
        assert_eq!(plain(&response, 0x802C), Some(at(other)));
    }
}

#[test]
fn change_request_selects_the_source_address() {
    let mut world = world();
    let mut client = Client::new("192.0.2.10:5000");
    for (flags, from) in [
        (0, "203.0.113.1:3478"),
        (CHANGE_IP, "203.0.113.2:3478"),
        (CHANGE_PORT, "203.0.113.1:3479"),
        (CHANGE_IP | CHANGE_PORT, "203.0.113.2:3479"),
    ] {
        let (left, to, bytes) = ask(&mut world, &mut client, &[change(flags)]);
        assert_eq!((left, to), (at(from), client.host));
        assert_eq!(plain(&Response::new(&client, bytes), 0x802B), Some(at(from)));
    }
}

#[test]
fn response_port_selects_the_destination_port() {
    let mut world = world();
    let mut client = Client::new("192.0.2.10:5000");
    let (_, to, bytes) = ask(&mut world, &mut client, &[Attr::Raw(0x0027, vec![0x1F, 0x90, 0, 0])]);
    assert_eq!(to, at("192.0.2.10:8080"));
    assert_eq!(Response::new(&client, bytes).mapped(), client.host);
}

#[test]
fn padding_is_echoed_and_excludes_response_port() {
    let mut world = world();
    let mut client = Client::new("192.0.2.10:5000");
    for (asked, answered) in [(0, 0), (1, 1), (1000, 1000), (1500, 1500), (9000, 1500)] {
        let padding = Attr::Raw(0x0026, vec![0xFF; asked]);
        let response = world.request(&mut client, BINDING, &[padding]);
        assert_eq!(response.raw(0x0026), Some(vec![0; answered]));
    }
    let attrs = [Attr::Raw(0x0026, vec![0; 8]), Attr::Raw(0x0027, vec![0x1F, 0x90, 0, 0])];
    assert_eq!(world.request(&mut client, BINDING, &attrs).error(), Some(400));
}

#[test]
fn malformed_discovery_attributes_are_a_bad_request() {
    let mut world = world();
    let mut client = Client::new("192.0.2.10:5000");
    for attr in [
        Attr::Raw(0x0003, vec![]),
        Attr::Raw(0x0003, vec![0; 5]),
        Attr::Raw(0x0027, vec![]),
        Attr::Raw(0x0027, vec![0, 0]),
        Attr::Raw(0x0027, vec![0, 0, 0, 0]),
        Attr::Raw(0x0027, vec![1, 2, 3]),
    ] {
        let response = world.request(&mut client, BINDING, std::slice::from_ref(&attr));
        assert_eq!(response.error(), Some(400), "{attr:?}");
    }
}

#[test]
fn discovery_attributes_are_unknown_without_an_alternate_address() {
    let wishes = [change(CHANGE_IP), Attr::Raw(0x0027, vec![1, 2]), Attr::Raw(0x0026, vec![0; 4])];
    for wish in wishes {
        let mut world = World::new();
        let mut client = Client::new("192.0.2.10:5000");
        assert_eq!(
            world.request(&mut client, BINDING, std::slice::from_ref(&wish)).error(),
            Some(420)
        );
        let response = world.request(&mut client, BINDING, &[]);
        assert_eq!((response.raw(0x802C), response.raw(0x0001)), (None, None));
        // A stream has only one return path, whatever the server supports.
        let mut world = self::world();
        let mut client = Client::new("192.0.2.10:5000").over(&mut world, Transport::Tcp);
        assert_eq!(world.request(&mut client, BINDING, &[wish]).error(), Some(420));
        // The address is none of the four.
        let mut client = Client::new("[2a00:2::10]:5000");
        client.server = at(crate::world::SERVER_V6);
        assert_eq!(world.request(&mut client, BINDING, &[change(CHANGE_IP)]).error(), Some(420));
    }
}

/// RFC 5780 §4.3 and §4.4, behind a NAT of each kind.
#[test]
fn nat_mapping_and_filtering_are_detected() {
    #[derive(Debug, PartialEq, Eq)]
    enum Filters {
        Nothing,
        Port,
    }
    for (kind, same_mapping, filters) in [
        (NatKind::FullCone, true, Filters::Nothing),
        (NatKind::PortRestricted, true, Filters::Port),
        (NatKind::Symmetric, false, Filters::Port),
    ] {
        let mut world = world();
        let mut client = Client::new("10.0.0.2:5000");
        let outside = "198.51.100.2".parse().unwrap();
        world.network.behind(client.host.ip(), outside, kind);
        let first = world.request(&mut client, BINDING, &[]);
        let other = plain(&first, 0x802C).unwrap();
        // Tests filtering first, before anything is sent to the other addresses.
        let mut receives = |flags| {
            let (bytes, _) = client.build(BINDING, &[change(flags)]);
            world.deliver(client.host, client.server, bytes);
            client.next(&mut world).is_some()
        };
        let found = match (receives(CHANGE_IP | CHANGE_PORT), receives(CHANGE_PORT)) {
            (true, true) => Filters::Nothing,
            (false, false) => Filters::Port,
            other => panic!("{kind:?} lets {other:?} through"),
        };
        assert_eq!(found, filters, "{kind:?}");
        client.server = SocketAddr::new(other.ip(), at(SERVER).port());
        let second = world.request(&mut client, BINDING, &[]);
        assert_eq!(second.mapped() == first.mapped(), same_mapping, "{kind:?}");
    }
}
