//! Panics planted where str0m is called.

use std::{net::SocketAddr, time::Duration};

use sfu::{DisconnectReason, Source};

use crate::world::{BOTH, World, host};

const DEADLINE: Duration = Duration::from_secs(3);
/// Looks like RTP, which is accepted only on validated paths.
const PLANTED: &[u8] = b"\x80 a panic is planted here";

#[test]
fn panic_of_str0m_ends_one_link_which_can_reconnect() {
    let mut world = World::with(41, |config| config.panics_at = Some(PLANTED));
    let [ann, bob, eve] = [1, 2, 3].map(|id| world.join(id, &BOTH));
    world.wait(DEADLINE, "all see each other", |world| {
        [(ann, bob), (bob, ann), (ann, eve), (eve, ann)]
            .iter()
            .all(|(viewer, of)| world.client(*viewer).sees(*of, Source::Camera))
    });
    let video = world.video(bob, ann, Source::Camera).decoded;
    world.forge(SocketAddr::new(host(eve), 5000), PLANTED);
    assert_eq!(world.disconnected, [(eve, DisconnectReason::Panicked)]);
    assert_eq!(world.sfu.panics(), 1);
    world.run(DEADLINE);
    assert!(world.video(bob, ann, Source::Camera).decoded > video + 70, "ann's call continues");
    assert_eq!((world.disconnected.len(), world.sfu.panics(), world.sfu.peer_count()), (1, 1, 2));
    // She reconnects, as a page does.
    world.clients.remove(&eve);
    let eve = world.join(3, &BOTH);
    world.wait_to_see(eve, bob);
    for peer in [ann, bob, eve] {
        world.leave(peer);
    }
    world.run(DEADLINE);
    assert_eq!(world.sfu.entries(), 0);
}

#[test]
fn panics_of_many_links_leave_no_entries() {
    let mut world = World::with(42, |config| config.panics_at = Some(PLANTED));
    let all: Vec<_> = (1..=6).map(|id| world.join(id, &BOTH)).collect();
    world.wait(DEADLINE, "all are connected", |world| {
        world.clients.values().all(|client| client.connected)
    });
    for peer in &all {
        world.forge(SocketAddr::new(host(*peer), 5000), PLANTED);
    }
    world.run(DEADLINE);
    assert_eq!((world.disconnected.len(), world.sfu.panics()), (6, 6));
    assert_eq!(world.sfu.entries(), 0);
}
