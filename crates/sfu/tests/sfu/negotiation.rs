//! Colliding offers, ICE restarts, and links that end.

use std::{collections::HashSet, net::SocketAddr, time::Duration};

use sfu::{Event, Output, PeerId, Rejection, Source, Transport};
use str0m::media::Direction;

use crate::world::{BOTH, Client, ROOM, World, host};

const DEADLINE: Duration = Duration::from_secs(3);

#[test]
fn colliding_offer_is_rolled_back_and_repeated() {
    let (mut world, ann, bob) = World::pair(1);
    // Ann's screen share makes the server offer to Bob, who offers at the same time.
    let now = world.now();
    world.client_mut(ann).add_source(Source::ScreenShare);
    let offer = world.client_mut(ann).offer(now).unwrap();
    let tracks = world.client(ann).tracks();
    let tracks: Vec<_> = tracks.iter().map(|(mid, source)| (mid.as_str(), *source)).collect();
    world.sfu.handle_publish(now, ann, &tracks).unwrap();
    world.sfu.handle_offer(now, ann, &offer).unwrap();
    world.client_mut(bob).add_source(Source::ScreenShare);
    let crossing = world.client_mut(bob).offer(now).unwrap();
    assert_eq!(world.sfu.handle_offer(now, bob, &crossing), Err(Rejection::OfferCollision));
    world.wait(DEADLINE, "both screens are seen", |world| {
        world.client(bob).sees(ann, Source::ScreenShare)
            && world.client(ann).sees(bob, Source::ScreenShare)
    });
}

/// Events of the server that nobody gets.
fn lose_events(world: &mut World) -> Vec<Event> {
    let mut events = Vec::new();
    while let Some(output) = world.sfu.poll_output() {
        if let Output::Event(event) = output {
            events.push(event);
        }
    }
    events
}

fn offer_to(peer: PeerId, events: &[Event]) -> Option<&str> {
    events.iter().find_map(|event| match event {
        Event::Offer { peer: to, sdp } if *to == peer => Some(sdp.as_str()),
        _ => None,
    })
}

/// Ann shares another source, and the offer to Bob is lost.
fn lose_offer(world: &mut World, ann: PeerId, bob: PeerId, source: Source) -> String {
    let now = world.now();
    world.client_mut(ann).add_source(source);
    let offer = world.client_mut(ann).offer(now).unwrap();
    let tracks = world.client(ann).tracks();
    let tracks: Vec<_> = tracks.iter().map(|(mid, source)| (mid.as_str(), *source)).collect();
    world.sfu.handle_publish(now, ann, &tracks).unwrap();
    world.sfu.handle_offer(now, ann, &offer).unwrap();
    let lost = lose_events(world);
    let answer = lost.iter().find_map(|event| match event {
        Event::Answer { peer, sdp } if *peer == ann => Some(sdp),
        _ => None,
    });
    world.client_mut(ann).accept_answer(now, answer.unwrap());
    offer_to(bob, &lost).expect("an offer to bob").to_owned()
}

#[test]
fn lost_offer_is_said_again_with_subscriptions_and_encodings() {
    let (mut world, ann, bob) = World::pair(21);
    let lost = lose_offer(&mut world, ann, bob, Source::ScreenShare);
    world.sfu.repeat_events(bob);
    let again = lose_events(&mut world);
    assert_eq!(offer_to(bob, &again), Some(lost.as_str()));
    assert!(again.iter().any(|event| matches!(
        event,
        Event::Subscriptions { peer, subscriptions } if *peer == bob
            && subscriptions.iter().any(|it| it.source == Source::ScreenShare)
    )));
    assert!(again.iter().any(|event| matches!(
        event,
        Event::SubscribedEncodings { peer, source: Source::Camera, subscribed: true, .. }
            if *peer == bob
    )));
    let interrupted = Event::Interrupted { peer: bob, interrupted: false };
    assert!(again.contains(&interrupted));
    world.sfu.repeat_events(bob);
    world.wait(DEADLINE, "bob sees the screen", |world| {
        world.client(bob).sees(ann, Source::ScreenShare)
    });
    // Without an offer that waits there is none to say again.
    world.sfu.repeat_events(bob);
    assert_eq!(offer_to(bob, &lose_events(&mut world)), None);
}

#[test]
fn answer_that_comes_again_is_ignored_also_while_a_later_offer_waits() {
    let (mut world, ann, bob) = World::pair(22);
    let offer = lose_offer(&mut world, ann, bob, Source::ScreenShare);
    let now = world.now();
    let answer = world.client_mut(bob).accept_offer(now, &offer);
    assert_eq!(world.sfu.handle_answer(now, bob, &answer), Ok(()));
    assert_eq!(world.sfu.handle_answer(now, bob, &answer), Ok(()));
    let later = lose_offer(&mut world, ann, bob, Source::ScreenShareAudio);
    assert_ne!(later, offer);
    assert_eq!(world.sfu.handle_answer(now, bob, &answer), Ok(()));
    world.sfu.repeat_events(bob);
    assert_eq!(offer_to(bob, &lose_events(&mut world)), Some(later.as_str()), "it still waits");
}

#[test]
fn offer_that_was_lost_is_said_again_to_a_client_that_offers_itself() {
    let (mut world, ann, bob) = World::pair(23);
    let lost = lose_offer(&mut world, ann, bob, Source::ScreenShare);
    world.client_mut(bob).add_source(Source::ScreenShare);
    let now = world.now();
    let crossing = world.client_mut(bob).offer(now).unwrap();
    let collides = |world: &mut World| {
        let now = world.now();
        assert_eq!(world.sfu.handle_offer(now, bob, &crossing), Err(Rejection::OfferCollision));
    };
    collides(&mut world);
    assert_eq!(offer_to(bob, &lose_events(&mut world)), None, "it may be on its way");
    world.run(Duration::from_secs(2));
    collides(&mut world);
    assert_eq!(offer_to(bob, &lose_events(&mut world)), Some(lost.as_str()));
    world.run(Duration::from_secs(2));
    collides(&mut world);
    world.wait(DEADLINE, "both screens are seen", |world| {
        world.client(bob).sees(ann, Source::ScreenShare)
            && world.client(ann).sees(bob, Source::ScreenShare)
    });
}

#[test]
fn ice_restart_from_another_network_keeps_the_link() {
    let (mut world, ann, bob) = World::pair(2);
    let (before, offers) =
        (world.video(bob, ann, Source::Camera).decoded, world.client(bob).offers);
    let now = world.now();
    let other_network = SocketAddr::from(([192, 0, 2, 77], 6000));
    world.client_mut(ann).move_to(other_network);
    let offer = world.client_mut(ann).offer_ice_restart(now);
    world.sfu.handle_offer(now, ann, &offer).unwrap();
    world.run(DEADLINE);
    assert!(world.video(bob, ann, Source::Camera).decoded > before + 40, "bob still sees ann");
    assert_eq!(world.client(bob).offers, offers, "without another offer");
    assert!(world.disconnected.is_empty());
}

#[test]
fn camera_continues_after_its_section_was_inactive() {
    let (mut world, ann, bob) = World::pair(16);
    let decoded = |world: &World| world.video(bob, ann, Source::Camera).decoded;
    for _ in 0..3 {
        for direction in [Direction::Inactive, Direction::SendOnly] {
            let now = world.now();
            let offer = world.client_mut(ann).offer_direction(now, Source::Camera, direction);
            world.sfu.handle_offer(now, ann, &offer).unwrap();
            world.run(Duration::from_millis(500));
            let before = decoded(&world);
            let packets = world.audio(bob, ann).packets;
            world.run(Duration::from_secs(1));
            let is_sent = direction == Direction::SendOnly;
            assert_eq!(decoded(&world) > before + 10, is_sent, "{direction}");
            assert!(world.audio(bob, ann).packets > packets + 30, "audio continues");
        }
    }
    assert_eq!(world.client(bob).unavailable, 0);
}

#[test]
fn reloaded_page_replaces_the_link() {
    let (mut world, ann, bob) = World::pair(3);
    let fresh = Client::new(ann, SocketAddr::new(host(ann), 5999), world.now());
    world.clients.insert(ann, fresh);
    let before = world.video(bob, ann, Source::Camera).decoded;
    world.publish(ann, &BOTH);
    world.wait(DEADLINE, "both see each other again", |world| {
        world.client(ann).sees(bob, Source::Camera)
            && world.video(bob, ann, Source::Camera).decoded > before + 20
    });
    assert!(world.disconnected.is_empty() && world.rejections.is_empty());
}

#[test]
fn dead_path_interrupts_the_peer_until_it_recovers() {
    let (mut world, ann, _) = World::pair(5);
    let dead = testnet::Link { loss: 1.0, ..testnet::Link::default() };
    world.set_link(ann, dead);
    world.run(Duration::from_secs(4));
    assert_eq!(world.interruptions, [], "too early");
    world.wait(Duration::from_secs(4), "ann is interrupted", |world| {
        !world.interruptions.is_empty()
    });
    assert_eq!(world.interruptions, [(ann, true)]);
    world.set_link(ann, testnet::Link::default());
    world.wait(Duration::from_secs(5), "ann is back", |world| world.interruptions.len() > 1);
    assert_eq!(world.interruptions, [(ann, true), (ann, false)]);
    assert_eq!(world.disconnected, []);
}

#[test]
fn peer_without_media_is_not_interrupted() {
    let mut world = World::new(6);
    let (ann, bob) = (world.join(1, &BOTH), world.join_simulcast(2, &BOTH));
    let viewer = world.join(3, &[]);
    world.wait_to_see(bob, ann);
    // Ann is muted with her camera off. Nobody subscribes to the other camera, so it is paused.
    world.client_mut(ann).stop_media();
    world.set_viewports(ann, &[(bob, 0)]);
    world.set_viewports(viewer, &[(bob, 0)]);
    world.run(Duration::from_secs(120));
    assert_eq!(world.interruptions, []);
    assert_eq!(world.disconnected, []);
}

#[test]
fn silent_link_times_out_and_leaves_no_entries() {
    let (mut world, ann, bob) = World::pair(4);
    world.clients.remove(&ann);
    world.run(Duration::from_secs(45));
    assert_eq!(world.disconnected, [(ann, sfu::DisconnectReason::Timeout)]);
    assert!(world.client(bob).sections().is_empty());
    world.leave(bob);
    world.run(Duration::from_secs(1));
    assert_eq!(world.sfu.entries(), 0);
}

#[test]
fn dtls_timeout_is_distinguished_from_ice_timeout() {
    let mut world = World::new(14);
    world.drops_dtls = true;
    let ann = world.join(1, &BOTH);
    world.run(Duration::from_secs(16));
    assert_eq!(world.disconnected, [(ann, sfu::DisconnectReason::DtlsFailed)]);
    assert_eq!(world.sfu.entries(), 0);
}

#[test]
fn viewer_without_media_does_not_time_out() {
    let mut world = World::new(8);
    let (ann, viewer) = (world.join(1, &[Source::Microphone]), world.join(2, &[]));
    world.run(Duration::from_secs(100));
    assert!(world.disconnected.is_empty(), "{:?}", world.disconnected);
    let last = world.audio(viewer, ann).last.unwrap();
    assert!(world.now() - last < Duration::from_millis(100));
}

#[test]
fn closed_link_is_removed_at_once() {
    let (mut world, ann, _) = World::pair(5);
    let now = world.now();
    world.client_mut(ann).close(now);
    world.run(Duration::from_millis(200));
    assert_eq!(world.disconnected, [(ann, sfu::DisconnectReason::ClosedByPeer)]);
}

#[test]
fn answer_has_candidates_of_both_transports_and_the_shard_in_the_ufrag() {
    let tcp = SocketAddr::from(([203, 0, 113, 1], 443));
    let mut world = World::with(6, |config| config.candidates.push((Transport::Tcp, tcp)));
    let (now, ann) = (world.now(), sfu::PeerId(1));
    world.sfu.add_peer(now, ROOM, ann).unwrap();
    let mut client = Client::new(ann, SocketAddr::new(host(ann), 5000), now);
    client.add_source(Source::Camera);
    world.sfu.handle_offer(now, ann, &client.offer(now).unwrap()).unwrap();
    let Some(Output::Event(Event::Answer { sdp, .. })) = world.sfu.poll_output() else {
        panic!("an offer is answered");
    };
    let candidates = sdp.lines().filter(|line| line.starts_with("a=candidate:"));
    let candidates: Vec<&str> = candidates.collect();
    let has = |text: &str| candidates.iter().any(|line| line.contains(text));
    assert!(has(" udp ") && has("203.0.113.1 4000"), "{candidates:?}");
    assert!(has(" tcp ") && has("203.0.113.1 443") && has("tcptype passive"), "{candidates:?}");
    assert!(sdp.contains("a=ice-lite"));
    let ufrag = sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).unwrap();
    assert_eq!(sfu::shard_of(ufrag), Some(7));
    assert!(world.sfu.is_own_ufrag(ufrag));
}

#[test]
fn candidates_have_unique_priorities_and_foundations_in_the_given_order() {
    let announced = ["203.0.113.7:443", "203.0.113.7:4000", "[2001:db8:1::7]:4000"];
    let interfaces = ["10.0.0.2:4000", "[2001:db8::2]:4000"];
    let addresses = announced.into_iter().chain(interfaces);
    let addresses: Vec<SocketAddr> = addresses.map(|address| address.parse().unwrap()).collect();
    let mut world = World::with(6, |config| {
        let both = |address: &SocketAddr| [Transport::Udp, Transport::Tcp].map(|t| (t, *address));
        config.candidates = addresses.iter().flat_map(both).collect();
    });
    let (now, ann) = (world.now(), sfu::PeerId(1));
    world.sfu.add_peer(now, ROOM, ann).unwrap();
    let mut client = Client::new(ann, SocketAddr::new(host(ann), 5000), now);
    client.add_source(Source::Camera);
    world.sfu.handle_offer(now, ann, &client.offer(now).unwrap()).unwrap();
    let Some(Output::Event(Event::Answer { sdp, .. })) = world.sfu.poll_output() else {
        panic!("an offer is answered");
    };
    // foundation component protocol priority address port (RFC 8839 §5.1)
    let fields = sdp.lines().filter_map(|line| line.strip_prefix("a=candidate:"));
    let fields: Vec<Vec<&str>> = fields.map(|line| line.split(' ').collect()).collect();
    assert_eq!(fields.len(), 2 * addresses.len());
    let unique = |field: usize| fields.iter().map(|f| f[field]).collect::<HashSet<_>>().len();
    assert_eq!((unique(0), unique(3)), (fields.len(), fields.len()), "{fields:?}");
    let priority = |transport: &str, address: &SocketAddr| -> u32 {
        let (ip, port) = (address.ip().to_string(), address.port().to_string());
        let is_it = |f: &&Vec<&str>| f[2] == transport && f[4] == ip && f[5] == port;
        fields.iter().find(is_it).unwrap()[3].parse().unwrap()
    };
    for transport in ["udp", "tcp"] {
        for family in [SocketAddr::is_ipv4, SocketAddr::is_ipv6] {
            let of_family = addresses.iter().filter(|address| family(address));
            let priorities = of_family.map(|address| priority(transport, address));
            assert!(priorities.is_sorted_by(|a, b| a > b), "{transport}: {fields:?}");
        }
    }
}

#[test]
fn server_answers_from_the_address_that_was_reached() {
    let mut world = World::new(7);
    world.tap = Some(Vec::new());
    let ann = world.join(1, &BOTH);
    world.wait(DEADLINE, "ann is connected", |world| world.client(ann).connected);
    // The same check again, as received on another address.
    let tap = world.tap.take().unwrap();
    let check = tap.iter().rfind(|it| sfu::ufrag_of(&it.bytes).is_some()).unwrap();
    let other_address = SocketAddr::from(([10, 0, 0, 5], 4000));
    let now = world.now();
    assert!(world.sfu.handle_datagram(
        now,
        other_address,
        check.from,
        Transport::Udp,
        &check.bytes
    ));
    let mut answers = 0;
    while let Some(output) = world.sfu.poll_output() {
        if let Output::Transmit(run) = output {
            assert_eq!((run.local, run.to), (other_address, check.from));
            answers += 1;
        }
    }
    assert!(answers > 0);
}

#[test]
fn dependency_descriptor_keeps_the_extension_id_of_the_browser() {
    let uri =
        "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";
    let mut world = World::new(9);
    let (now, ann) = (world.now(), sfu::PeerId(1));
    world.sfu.add_peer(now, ROOM, ann).unwrap();
    let mut client = Client::new(ann, SocketAddr::new(host(ann), 5000), now);
    client.add_source(Source::Camera);
    let offer = client.offer(now).unwrap();
    let with = offer.replace("a=sendonly", &format!("a=extmap:9 {uri}\r\na=sendonly"));
    world.sfu.handle_offer(now, ann, &with).unwrap();
    let Some(Output::Event(Event::Answer { sdp, .. })) = world.sfu.poll_output() else {
        panic!("an offer is answered");
    };
    assert!(sdp.contains(&format!("a=extmap:9 {uri}")), "{sdp}");
}

#[test]
fn ice_restart_tells_the_client_new_addresses_of_the_server() {
    let (mut world, ann, bob) = World::pair(2);
    let new = SocketAddr::from(([198, 51, 100, 9], 4000));
    world.sfu.set_candidates(vec![(Transport::Udp, new)]);
    let address = |world: &World| world.client(ann).answer.contains("198.51.100.9 4000");
    world.publish(ann, &[Source::ScreenShare]);
    assert!(!address(&world), "this offer restarts nothing");
    let before = world.video(bob, ann, Source::Camera).decoded;
    let now = world.now();
    let offer = world.client_mut(ann).offer_ice_restart(now);
    world.sfu.handle_offer(now, ann, &offer).unwrap();
    world.run(DEADLINE);
    assert!(address(&world), "{}", world.client(ann).answer);
    assert!(world.video(bob, ann, Source::Camera).decoded > before + 40, "by the old path");
}
