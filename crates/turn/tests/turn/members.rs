//! Room credentials: valid while their participant is a member, and limited to calls.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use testnet::UNIX_START;
use turn::{Config, MemberCredentials, Members, Transport, rest::Credential};

use crate::world::{ALLOCATE, Attr, CONNECT, Client, REFRESH, Response, SECRET, World, at, config};

const PEER: &str = "198.51.100.7:9000";
const LIFETIME: Duration = Duration::from_secs(600);

/// A room of two.
#[derive(Default)]
struct Room {
    ann: AtomicBool,
    ben: AtomicBool,
}

impl Room {
    fn of_both() -> Arc<Self> {
        Arc::new(Self { ann: true.into(), ben: true.into() })
    }

    fn leave(&self, name: &str) {
        if let Some(member) = self.member(name) {
            member.store(false, Ordering::Relaxed);
        }
    }

    fn member(&self, name: &str) -> Option<&AtomicBool> {
        match name {
            "ann" => Some(&self.ann),
            "ben" => Some(&self.ben),
            _ => None,
        }
    }
}

impl Members for Room {
    fn contains(&self, participant: &str) -> bool {
        self.member(participant).is_some_and(|member| member.load(Ordering::Relaxed))
    }
}

/// A world with a room, and the issuer of its credentials.
fn world(room: &Arc<Room>, with: impl FnOnce(Config) -> Config) -> (World, MemberCredentials) {
    let members: Arc<dyn Members> = Arc::<Room>::clone(room);
    // The world's clock starts at this instant.
    let mut world = World::new();
    let rooms = MemberCredentials::new(b"of rooms", members, world.now(), UNIX_START);
    let config = with(Config { rooms: Some(rooms.clone()), ..config() });
    world.server = turn::Server::new(config, world.now());
    (world, rooms)
}

fn member(world: &World, rooms: &MemberCredentials, host: &str, name: &str) -> Client {
    let mut client = Client::named(host, name);
    client.credential = rooms.mint(world.now(), LIFETIME, name);
    client
}

#[test]
fn member_credential_refreshes_for_the_whole_call() {
    let room = Room::of_both();
    let (mut world, rooms) = world(&room, |config| config);
    let mut ann = member(&world, &rooms, "192.0.2.10:5000", "ann");
    let relayed = ann.allocate(&mut world);
    assert_eq!(ann.bind(&mut world, 0x4000, at(PEER)), None);
    // Browsers keep the credential that an allocation was made with.
    for _ in 0..30 {
        world.run_for(Duration::from_secs(240));
        assert_eq!(ann.refresh(&mut world, 600).error(), None);
        assert_eq!(ann.bind(&mut world, 0x4000, at(PEER)), None);
    }
    world.deliver(at(PEER), relayed, *b"x");
    assert_eq!(ann.channel_data(&mut world), Some((0x4000, b"x".to_vec())));
}

#[test]
fn expired_member_credential_allocates_nothing_and_a_renewed_one_does() {
    let room = Room::of_both();
    let (mut world, rooms) = world(&room, |config| config);
    let mut old = member(&world, &rooms, "192.0.2.10:5000", "ann");
    old.allocate(&mut world);
    world.run_for(LIFETIME - Duration::from_secs(300));
    old.refresh(&mut world, 3600);
    let mut next = member(&world, &rooms, "192.0.2.10:5001", "ann");
    world.run_for(Duration::from_secs(301));
    let mut late = Client::named("192.0.2.10:5002", "ann");
    late.credential = old.credential.clone();
    assert_eq!(world.request(&mut late, ALLOCATE, &[Attr::udp()]).error(), Some(401));
    assert_eq!(world.request(&mut next, ALLOCATE, &[Attr::udp()]).error(), None);
    // Either credential refreshes it: both are the same participant's.
    old.credential = next.credential.clone();
    assert_eq!(old.refresh(&mut world, 600).error(), None);
}

#[test]
fn leaving_ends_allocations_and_invalidates_the_credential() {
    let room = Room::of_both();
    let (mut world, rooms) = world(&room, |config| config);
    let mut ann = member(&world, &rooms, "192.0.2.10:5000", "ann");
    let mut ben = member(&world, &rooms, "192.0.2.11:5000", "ben");
    let relayed = ann.allocate(&mut world);
    assert_eq!(ann.bind(&mut world, 0x4000, at(PEER)), None);
    let mut pair = member(&world, &rooms, "192.0.2.10:5001", "ann");
    assert_eq!(world.request(&mut pair, ALLOCATE, &[Attr::udp(), Attr::even(true)]).error(), None);
    let of_ben = ben.allocate(&mut world);
    assert_eq!(ben.bind(&mut world, 0x4000, at(PEER)), None);
    assert_eq!((world.server.allocations(), world.server.reservations()), (3, 1));

    room.leave("ann");
    world.server.handle_members_left();
    world.run_for(Duration::ZERO);
    assert_eq!((world.server.allocations(), world.server.reservations()), (1, 0));
    world.settle_now();
    assert_eq!(world.relays.len(), 1, "relayed sockets are closed");
    world.deliver(at(PEER), relayed, *b"x");
    assert_eq!(ann.channel_data(&mut world), None);
    let mut again = member(&world, &rooms, "192.0.2.10:5002", "ann");
    for client in [&mut ann, &mut again] {
        assert_eq!(world.request(client, ALLOCATE, &[Attr::udp()]).error(), Some(401));
    }
    world.deliver(at(PEER), of_ben, *b"y");
    assert_eq!(ben.channel_data(&mut world), Some((0x4000, b"y".to_vec())), "ben's lives on");
}

/// The driver may report late that a participant has left.
#[test]
fn request_after_leaving_is_rejected_at_once() {
    let room = Room::of_both();
    let (mut world, rooms) = world(&room, |config| config);
    let mut ann = member(&world, &rooms, "192.0.2.10:5000", "ann");
    ann.allocate(&mut world);
    room.leave("ann");
    assert_eq!(ann.refresh(&mut world, 600).error(), Some(401));
    assert_eq!(ann.permit(&mut world, at(PEER)), Some(401));
    assert_eq!(ann.bind(&mut world, 0x4000, at(PEER)), Some(401));
}

#[test]
fn member_credentials_have_their_own_secret() {
    let room = Room::of_both();
    let (mut world, _) = world(&room, |config| config);
    let expiry = UNIX_START + 600;
    let mut forged = Client::new("192.0.2.10:5000");
    forged.credential = Credential::mint(b"another", expiry, "ann");
    assert_eq!(world.request(&mut forged, ALLOCATE, &[Attr::udp()]).error(), Some(401));
    // REST credentials of an operator's service are independent of rooms, even with a member's
    // name.
    let mut other = Client::new("192.0.2.10:5001");
    other.credential = Credential::mint(SECRET, expiry, "ann");
    other.allocate(&mut world);
    room.leave("ann");
    world.server.handle_members_left();
    assert_eq!(other.refresh(&mut world, 600).error(), None);
}

#[test]
fn member_and_rest_user_of_one_name_are_distinct() {
    let room = Room::of_both();
    let (mut world, rooms) = world(&room, |config| config);
    let mut ann = member(&world, &rooms, "192.0.2.10:5000", "ann");
    ann.allocate(&mut world);
    ann.credential = Credential::mint(SECRET, UNIX_START + 601, "ann");
    assert_eq!(ann.refresh(&mut world, 0).error(), Some(441));
    assert_eq!(world.server.allocations(), 1);
}

#[test]
fn member_tcp_allocation_needs_configuration() {
    for (allowed, expected) in [(false, Some(442)), (true, None)] {
        let room = Room::of_both();
        let (mut world, rooms) =
            world(&room, |config| Config { tcp: true, member_tcp: allowed, ..config });
        let mut ann = member(&world, &rooms, "192.0.2.10:5000", "ann");
        ann = ann.over(&mut world, Transport::Tcp);
        assert_eq!(world.request(&mut ann, ALLOCATE, &[Attr::tcp()]).error(), expected);
        let mut user = Client::new("192.0.2.10:5001").over(&mut world, Transport::Tcp);
        assert_eq!(world.request(&mut user, ALLOCATE, &[Attr::tcp()]).error(), None);
        if allowed {
            let mail = [Attr::peer("198.51.100.9:25")];
            assert_eq!(world.request(&mut ann, CONNECT, &mail).error(), Some(403));
        }
    }
}

/// NATs keep media out of these ports, so they belong to services.
#[test]
fn members_reach_no_system_port_but_https() {
    let room = Room::of_both();
    let (mut world, rooms) = world(&room, |config| config);
    let mut ann = member(&world, &rooms, "192.0.2.10:5000", "ann");
    ann.allocate(&mut world);
    assert_eq!(ann.permit(&mut world, at("198.51.100.9:1")), None);
    for (port, reached) in
        [(25, false), (53, false), (80, false), (443, true), (1023, false), (1024, true)]
    {
        let peer = at(&format!("198.51.100.9:{port}"));
        let expected = if reached { None } else { Some(403) };
        assert_eq!(ann.bind(&mut world, 0x4000 + port, peer), expected, "{port}");
        let before = world.over_network;
        let message = ann.indication(peer, b"x");
        world.deliver(ann.host, ann.server, message);
        assert_eq!(world.over_network - before, usize::from(reached), "{port}");
    }
    // Users of the operator are not restricted.
    let mut user = Client::new("192.0.2.10:5001");
    user.allocate(&mut world);
    assert_eq!(user.bind(&mut world, 0x4000, at("198.51.100.9:25")), None);
}

#[test]
fn wall_clock_jump_keeps_member_credentials_valid() {
    let room = Room::of_both();
    let (mut world, _) = world(&room, |config| config);
    let members: Arc<dyn Members> = room;
    // A computer without a battery-backed clock starts in 1970.
    let (booted, set) = (5, UNIX_START);
    let rooms = MemberCredentials::new(b"of rooms", members, world.now(), booted);
    world.server =
        turn::Server::new(Config { rooms: Some(rooms.clone()), ..config() }, world.now());
    let mut ann = member(&world, &rooms, "192.0.2.10:5000", "ann");
    let from = ann.five_tuple(Transport::Udp);
    let mut ask = |ann: &mut Client, unix, method, attrs: &[Attr]| {
        let (bytes, _) = ann.build(method, attrs);
        let now = world.now();
        let answer = world.pass_at(now, unix, &from, &bytes);
        Response::new(ann, answer)
    };
    let challenge = ask(&mut ann, booted, ALLOCATE, &[Attr::udp()]);
    assert!(ann.challenged(&challenge));
    for (unix, method, attrs) in [
        (set, ALLOCATE, [Attr::udp()]),
        (set, REFRESH, [Attr::lifetime(600)]),
        (booted, REFRESH, [Attr::lifetime(600)]),
    ] {
        let error = ask(&mut ann, unix, method, &attrs).error();
        assert_eq!(error, None, "nonce and credential are valid");
    }
}
