//! Each request, granted and rejected.

use std::time::Duration;

use turn::{Config, Limits, OpenRelayError, rest::Credential};

use crate::world::{
    ALLOCATE, Attr, BINDING, CHANNEL_BIND, CREATE_PERMISSION, Client, REFRESH, SERVER, SERVER_V6,
    World, at, config,
};

const PEER: &str = "198.51.100.7:9000";

#[test]
fn binding_needs_no_credential() {
    let mut world = World::new();
    for (host, server) in [("192.0.2.10:5000", SERVER), ("[2a00:2::10]:5000", SERVER_V6)] {
        let mut client = Client::new(host);
        client.server = at(server);
        for fingerprint in [true, false] {
            client.fingerprint = fingerprint;
            let response = world.request(&mut client, BINDING, &[]);
            assert_eq!((response.error(), response.mapped()), (None, at(host)));
        }
    }
}

#[test]
fn other_requests_are_challenged() {
    for method in [ALLOCATE, REFRESH, CREATE_PERMISSION, CHANNEL_BIND] {
        let mut world = World::new();
        let mut client = Client::new("192.0.2.10:5000");
        client.anonymous = true;
        let response = world.request(&mut client, method, &[Attr::udp()]);
        assert_eq!(response.error(), Some(401));
        assert_eq!(response.raw(0x0014), Some(b"moim".to_vec()));
        assert!(response.nonce().is_some() && !response.signed());
    }
}

#[test]
fn responses_are_counted_by_method_and_outcome() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    client.allocate(&mut world);
    client.refresh(&mut world, 3600);
    assert_eq!(world.request(&mut client, ALLOCATE, &[Attr::udp()]).error(), Some(437));
    world.request(&mut client, BINDING, &[]);
    let answered: Vec<_> = world.server.counters().responses.iter().collect();
    let expected = [
        ("binding", "success", 1),
        ("allocate", "success", 1),
        ("allocate", "401", 1),
        ("allocate", "437", 1),
        ("refresh", "success", 1),
    ];
    assert_eq!(answered, expected);
    assert_eq!(world.server.counters().rejected, 2);
}

#[test]
fn stale_nonce_response_carries_a_fresh_nonce() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    client.allocate(&mut world);
    client.refresh(&mut world, 3600);
    world.run_for(Duration::from_secs(3000));
    client.refresh(&mut world, 3600);
    world.run_for(Duration::from_secs(600));
    let (bytes, transaction) = client.build(REFRESH, &[]);
    let response = world.exchange(&mut client, &bytes, transaction);
    assert_eq!(response.error(), Some(438));
    assert_eq!(response.raw(0x0014), Some(b"moim".to_vec()));
    let fresh = response.nonce();
    assert_ne!(fresh, client.nonce);
    client.nonce = fresh;
    assert_eq!(client.refresh(&mut world, 600).error(), None);
}

#[test]
fn nonce_is_valid_only_for_its_address() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    client.allocate(&mut world);
    let mut thief = Client::new("192.0.2.11:5000");
    thief.nonce = client.nonce.clone();
    let (bytes, transaction) = thief.build(ALLOCATE, &[Attr::udp()]);
    assert_eq!(world.exchange(&mut thief, &bytes, transaction).error(), Some(438));
}

#[test]
fn invalid_credentials_are_rejected() {
    let mut world = World::new();
    let now = world.unix();
    let mut forged = Credential::mint(crate::world::SECRET, now + 60, "alice");
    forged.username = format!("{}:alice", now + 999_999);
    let unnumbered = |name: &str| Credential {
        username: name.into(),
        password: turn::rest::password(crate::world::SECRET, name),
    };
    for bad in [
        Credential::mint(b"another secret", now + 60, "alice"),
        Credential::mint(crate::world::SECRET, now, "alice"),
        forged,
        unnumbered("alice"),
        unnumbered("+99999999999:alice"),
    ] {
        let mut client = Client::new("192.0.2.10:5000");
        client.credential = bad;
        let response = world.request(&mut client, ALLOCATE, &[Attr::udp()]);
        assert_eq!(response.error(), Some(401));
        assert!(!response.signed());
    }
    assert_eq!(world.server.allocations(), 0);
}

#[test]
fn integrity_without_username_realm_and_nonce_is_a_bad_request() {
    use stun_types::message::{
        IntegrityAlgorithm, Message, MessageWrite, MessageWriteExt, MessageWriteVec, Method,
        ShortTermCredentials,
    };
    let mut world = World::new();
    let mut message = Message::builder_request(Method::new(ALLOCATE), MessageWriteVec::new());
    let key = ShortTermCredentials::new("guess".into()).into();
    message.add_message_integrity(&key, IntegrityAlgorithm::Sha1).unwrap();
    let bytes = message.finish();
    let mut client = Client::new("192.0.2.10:5000");
    client.fingerprint = false;
    let transaction = bytes[8..20].try_into().unwrap();
    assert_eq!(world.exchange(&mut client, &bytes, transaction).error(), Some(400));
}

#[test]
fn retransmitted_allocate_is_granted_and_a_new_one_is_a_mismatch() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    world.request(&mut client, REFRESH, &[]);
    let (bytes, transaction) = client.build(ALLOCATE, &[Attr::udp(), Attr::lifetime(900)]);
    let first = world.exchange(&mut client, &bytes, transaction);
    world.run_for(Duration::from_secs(2));
    let second = world.exchange(&mut client, &bytes, transaction);
    assert_eq!(first.bytes, second.bytes);
    assert_eq!((world.server.allocations(), world.relays.len()), (1, 1));
    assert_eq!(world.request(&mut client, ALLOCATE, &[Attr::udp()]).error(), Some(437));
}

#[test]
fn malformed_allocates_get_their_error_codes() {
    let transport = |number| Attr::Raw(0x0019, vec![number, 0, 0, 0]);
    for (attrs, code) in [
        (vec![], 400),
        (vec![Attr::Raw(0x0019, vec![17])], 400),
        (vec![transport(6)], 442),
        (vec![transport(0)], 442),
        (vec![Attr::udp(), Attr::family(3)], 440),
        (vec![Attr::udp(), Attr::Raw(0x0017, vec![1])], 400),
        (vec![Attr::udp(), Attr::Raw(0x000D, vec![0, 0, 1])], 400),
        // An unknown RESERVATION-TOKEN, and an unknown attribute
        (vec![Attr::udp(), Attr::Raw(0x0022, vec![0; 8])], 508),
        (vec![Attr::udp(), Attr::Raw(0x0022, vec![0; 7])], 400),
        (vec![Attr::udp(), Attr::Raw(0x7F00, vec![0; 8])], 420),
        (vec![Attr::udp(), Attr::Raw(0x0018, vec![0, 0])], 400),
    ] {
        let mut world = World::new();
        let mut client = Client::new("192.0.2.10:5000");
        let response = world.request(&mut client, ALLOCATE, &attrs);
        assert_eq!(response.error(), Some(code), "{attrs:?}");
        assert!(response.signed(), "error responses are signed");
        assert_eq!((world.server.allocations(), world.relays.len()), (0, 0));
    }
}

#[test]
fn unknown_required_attributes_are_listed() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    let attrs = [Attr::Raw(0x7F01, vec![1]), Attr::Raw(0x7F02, vec![]), Attr::Raw(0x8FFF, vec![1])];
    let response = world.request(&mut client, BINDING, &attrs);
    assert_eq!(response.error(), Some(420));
    assert_eq!(response.raw(0x000A), Some(vec![0x7F, 0x01, 0x7F, 0x02]));
    let attrs = [Attr::udp(), Attr::Raw(0x8FFF, vec![1, 2, 3]), Attr::Raw(0x8022, b"x".to_vec())];
    assert_eq!(world.request(&mut client, ALLOCATE, &attrs).error(), None);
}

#[test]
fn even_port_is_even() {
    for seed in 0..20 {
        let mut world = World::with(Config { seed: [seed; 32], ..config() });
        let mut client = Client::new("192.0.2.10:5000");
        let even = Attr::Raw(0x0018, vec![0]);
        let response = world.request(&mut client, ALLOCATE, &[Attr::udp(), even]);
        assert!(response.relayed().port().is_multiple_of(2));
    }
}

#[test]
fn family_without_a_server_address_is_not_supported() {
    let mut world = World::with(Config { interfaces: vec![], ..config() });
    let mut client = Client::new("192.0.2.10:5000");
    let attrs = [Attr::udp(), Attr::family(2)];
    assert_eq!(world.request(&mut client, ALLOCATE, &attrs).error(), Some(440));
    assert_eq!(world.request(&mut client, ALLOCATE, &[Attr::udp()]).error(), None);
}

#[test]
fn requests_need_an_allocation_of_the_same_user() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    assert_eq!(client.refresh(&mut world, 600).error(), Some(437));
    assert_eq!(client.permit(&mut world, at(PEER)), Some(437));
    assert_eq!(client.bind(&mut world, 0x4000, at(PEER)), Some(437));
    client.allocate(&mut world);
    let alice = client.credential.clone();
    client.credential = Credential::mint(crate::world::SECRET, crate::world::EXPIRY, "mallory");
    assert_eq!(client.refresh(&mut world, 0).error(), Some(441));
    assert_eq!(client.permit(&mut world, at(PEER)), Some(441));
    assert_eq!(client.bind(&mut world, 0x4000, at(PEER)), Some(441));
    client.credential = alice;
    assert_eq!(client.refresh(&mut world, 600).error(), None);
}

#[test]
fn peer_of_the_other_family_is_a_mismatch() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    client.allocate(&mut world);
    let v6 = at("[2a00:1::7]:9000");
    assert_eq!(client.permit(&mut world, v6), Some(443));
    assert_eq!(client.bind(&mut world, 0x4000, v6), Some(443));
    let response = world.request(&mut client, REFRESH, &[Attr::family(2)]);
    assert_eq!(response.error(), Some(443));
    assert_eq!(world.request(&mut client, REFRESH, &[Attr::family(1)]).error(), None);
}

#[test]
fn create_permission_permits_all_peers_or_none() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    let relayed = client.allocate(&mut world);
    for (bad, code) in [("10.0.0.1:1", 403), ("[2a00:1::7]:1", 443)] {
        let attrs = [Attr::peer(PEER), Attr::peer(bad)];
        assert_eq!(world.request(&mut client, CREATE_PERMISSION, &attrs).error(), Some(code));
    }
    let attrs = [Attr::peer(PEER), Attr::Raw(0x0012, vec![0, 1, 2])];
    assert_eq!(world.request(&mut client, CREATE_PERMISSION, &attrs).error(), Some(400));
    assert_eq!(world.request(&mut client, CREATE_PERMISSION, &[]).error(), Some(400));
    world.deliver(at(PEER), relayed, *b"x");
    assert_eq!(client.next(&mut world), None);
    let second = at("198.51.100.8:1");
    let attrs = [Attr::peer(PEER), Attr::Peer(second)];
    assert_eq!(world.request(&mut client, CREATE_PERMISSION, &attrs).error(), None);
    for peer in [at(PEER), second] {
        world.deliver(peer, relayed, *b"x");
        assert!(client.data(&mut world).is_some());
    }
}

#[test]
fn malformed_channel_bind_is_a_bad_request() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    client.allocate(&mut world);
    for attrs in [
        vec![],
        vec![Attr::channel(0x4000)],
        vec![Attr::peer(PEER)],
        vec![Attr::channel(0x3FFF), Attr::peer(PEER)],
        vec![Attr::channel(0x8000), Attr::peer(PEER)],
        vec![Attr::Raw(0x000C, vec![0x40]), Attr::peer(PEER)],
        vec![Attr::channel(0x4000), Attr::peer("198.51.100.7:0")],
    ] {
        let response = world.request(&mut client, CHANNEL_BIND, &attrs);
        assert_eq!(response.error(), Some(400), "{attrs:?}");
    }
}

#[test]
fn taken_port_is_retried_and_missing_socket_is_508() {
    let mut world = World::new();
    world.fail_opening.extend([OpenRelayError::PortTaken; 5]);
    let mut client = Client::new("192.0.2.10:5000");
    let relayed = client.allocate(&mut world);
    assert_eq!(*world.relays.values().next().unwrap(), relayed);
    for failures in [vec![OpenRelayError::PortTaken; 20], vec![OpenRelayError::NoSocket]] {
        let mut world = World::new();
        world.fail_opening.extend(failures);
        let mut client = Client::new("192.0.2.10:5000");
        assert_eq!(world.request(&mut client, ALLOCATE, &[Attr::udp()]).error(), Some(508));
        assert_eq!((world.server.allocations(), world.relays.len()), (0, 0));
    }
}

#[test]
fn allocation_quotas_hold_per_user_and_in_total() {
    let limits = Limits { allocations: 5, allocations_per_user: 2, ..Limits::default() };
    let mut world = World::with(Config { limits, ..config() });
    let allocate = |world: &mut World, port: u16, user: &str, expiry: u64| {
        let mut client = Client::named(&format!("192.0.2.10:{port}"), user);
        client.credential =
            Credential::mint(crate::world::SECRET, crate::world::EXPIRY + expiry, user);
        let error = world.request(&mut client, ALLOCATE, &[Attr::udp()]).error();
        (error, client)
    };
    assert_eq!(allocate(&mut world, 1, "alice", 0).0, None);
    let (error, mut second) = allocate(&mut world, 2, "alice", 1);
    assert_eq!(error, None);
    assert_eq!(
        allocate(&mut world, 3, "alice", 2).0,
        Some(486),
        "renewed credentials share the quota"
    );
    assert_eq!(allocate(&mut world, 4, "bob", 0).0, None);
    assert_eq!(allocate(&mut world, 5, "bob", 0).0, None);
    assert_eq!(allocate(&mut world, 6, "carol", 0).0, None);
    assert_eq!(allocate(&mut world, 7, "dave", 0).0, Some(508));
    second.refresh(&mut world, 0);
    assert_eq!(allocate(&mut world, 8, "alice", 0).0, None);
}

/// A client can't tell a lost request from a lost response.
#[test]
fn retransmitted_channel_bind_is_granted() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    let relayed = client.allocate(&mut world);
    let attrs = [Attr::channel(0x4000), Attr::peer(PEER)];
    let (bytes, transaction) = client.build(CHANNEL_BIND, &attrs);
    for _ in 0..2 {
        let answer = world.exchange(&mut client, &bytes, transaction);
        assert_eq!(answer.error(), None, "a retransmission");
    }
    assert_eq!(
        client.bind(&mut world, 0x4000, at(PEER)),
        None,
        "a new request for the same binding"
    );
    assert_eq!(client.bind(&mut world, 0x4001, at(PEER)), Some(400), "the peer has a number");
    assert_eq!(client.bind(&mut world, 0x4000, at("198.51.100.8:9000")), Some(400));
    world.deliver(at(PEER), relayed, *b"x");
    assert_eq!(client.channel_data(&mut world), Some((0x4000, b"x".to_vec())));
    assert_eq!(client.channel_data(&mut world), None, "the data comes once");
}

/// A page that is reloaded may get the same local port with a new credential.
#[test]
fn five_tuple_of_an_ended_allocation_is_free_for_another_user() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    client.allocate(&mut world);
    let former = client.credential.clone();
    client.credential = Credential::mint(crate::world::SECRET, crate::world::EXPIRY, "bob");
    assert_eq!(world.request(&mut client, ALLOCATE, &[Attr::udp()]).error(), Some(437));
    assert_eq!(world.server.allocations(), 1, "the first user's allocation stays");
    client.credential = former;
    client.refresh(&mut world, 0);
    client.credential = Credential::mint(crate::world::SECRET, crate::world::EXPIRY, "bob");
    assert_eq!(world.request(&mut client, ALLOCATE, &[Attr::udp()]).error(), None);
}

/// Credentials are renewed while allocations live; an app may use either.
#[test]
fn renewed_credential_refreshes_the_allocation() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    client.allocate(&mut world);
    let former = client.credential.clone();
    let renewed = Credential::mint(crate::world::SECRET, crate::world::EXPIRY + 60, "alice");
    for credential in [renewed, former] {
        client.credential = credential;
        assert_eq!(client.refresh(&mut world, 600).error(), None);
        assert_eq!(client.bind(&mut world, 0x4000, at(PEER)), None);
    }
    assert_eq!(world.request(&mut client, ALLOCATE, &[Attr::udp()]).error(), Some(437));
    // An expiry alone names no user, so two of them do not match.
    let mut client = Client::new("192.0.2.11:5000");
    client.credential = bare(crate::world::EXPIRY);
    client.allocate(&mut world);
    client.credential = bare(crate::world::EXPIRY + 1);
    assert_eq!(client.refresh(&mut world, 600).error(), Some(441));
}

/// A credential whose username is only an expiry.
fn bare(expiry: u64) -> Credential {
    let username = expiry.to_string();
    let password = turn::rest::password(crate::world::SECRET, &username);
    Credential { username, password }
}
