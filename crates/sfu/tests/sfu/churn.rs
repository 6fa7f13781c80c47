//! Many joins and leaves.

use std::time::Duration;

use sfu::PeerId;

use crate::world::{BOTH, World};

#[test]
fn day_of_joins_and_leaves_leaves_no_entries() {
    let mut world = World::new(1);
    let mut highest = 0;
    for visit in 0..96_u64 {
        // Every quarter of an hour two peers meet briefly. Some close their links, some vanish.
        let ids = [1 + visit * 2, 2 + visit * 2];
        let peers = ids.map(|id| world.join(id, &BOTH));
        world.run(Duration::from_millis(400));
        highest = highest.max(world.sfu.entries());
        if visit % 3 == 0 {
            let now = world.now();
            world.client_mut(peers[0]).close(now);
            world.run(Duration::from_millis(100));
            world.clients.remove(&peers[0]);
        } else if visit % 3 == 1 {
            world.clients.remove(&peers[0]);
        } else {
            world.leave(peers[0]);
        }
        world.leave(peers[1]);
        world.run(Duration::from_secs(if visit % 3 == 1 { 41 } else { 1 }));
        assert_eq!(world.sfu.entries(), 0, "after visit {visit}");
        world.net.clock.advance(Duration::from_secs(15 * 60));
    }
    assert!(world.net.clock.elapsed() > Duration::from_secs(23 * 3600));
    assert!(highest < 60, "{highest} entries for two peers");
}

#[test]
fn sections_are_pooled_at_the_peak_of_a_room() {
    let mut world = World::new(2);
    let host = world.join(1, &BOTH);
    let mut sections = 0;
    for visit in 0..12_u64 {
        let guests: Vec<PeerId> = (0..3).map(|it| world.join(10 + visit * 3 + it, &BOTH)).collect();
        world.run(Duration::from_millis(600));
        sections = sections.max(world.client(host).sections().len());
        for guest in guests {
            world.leave(guest);
        }
        world.run(Duration::from_millis(200));
        assert!(world.client(host).sections().is_empty());
    }
    assert_eq!(sections, 6);
    assert!(world.client(host).offers <= 4, "{} offers", world.client(host).offers);
    assert!(world.disconnected.is_empty(), "{:?}", world.disconnected);
}
