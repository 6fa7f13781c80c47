//! Upgrades from polling to a WebSocket, without loss or reordering.
#![allow(clippy::unwrap_used, reason = "this is a test")]

mod world;

use proptest::prelude::*;
use socketio::{Closed, Config, Rejection, TransportKind};
use world::World;

#[test]
fn probe_is_answered_and_ends_the_pending_poll() {
    let mut world = World::connected(TransportKind::Polling);
    world.poll().unwrap();
    world.upgrade().unwrap();
    assert!(world.take_polled().is_empty());
    world.text("2probe");
    assert_eq!(world.take_frames(), ["3probe"]);
    assert_eq!(world.take_polled(), ["6"]);
    world.text("5");
    assert!(world.session.is_upgraded());
    world.text("42[\"a\"]");
    assert_eq!(world.take_events(), ["a()"]);
    world.send("2[\"b\"]");
    assert_eq!(world.take_frames(), ["42[\"b\"]"]);
}

#[test]
fn packets_after_the_probe_wait_for_the_websocket() {
    let mut world = World::connected(TransportKind::Polling);
    world.upgrade().unwrap();
    world.send("2[\"a\"]");
    world.text("2probe");
    world.send("2[\"b\"]");
    assert!(!world.session.is_ready());
    world.poll().unwrap();
    assert_eq!(world.take_polled(), ["6"]);
    world.text("5");
    assert_eq!(world.take_frames(), ["3probe", "42[\"a\"]", "42[\"b\"]"]);
}

#[test]
fn failed_upgrade_continues_polling() {
    let mut world = World::connected(TransportKind::Polling);
    world.upgrade().unwrap();
    world.text("2probe");
    world.send("2[\"a\"]");
    world.websocket_gone();
    world.poll().unwrap();
    assert_eq!(world.take_polled(), ["42[\"a\"]"]);
    assert_eq!(world.closed, None);
    world.upgrade().unwrap();
}

#[test]
fn upgrade_times_out() {
    let mut world = World::connected(TransportKind::Polling);
    world.upgrade().unwrap();
    world.text("2probe");
    world.pass(Config::default().upgrade_timeout);
    assert_eq!(world.websockets_closed, 1);
    world.text("5");
    assert!(!world.session.is_upgraded());
    world.send("2[\"a\"]");
    world.poll().unwrap();
    assert_eq!(world.take_polled(), ["42[\"a\"]"]);
}

#[test]
fn unexpected_packet_aborts_only_the_upgrade() {
    for first in ["5", "2", "3probe", "40", "42[\"a\"]", "x", ""] {
        let mut world = World::connected(TransportKind::Polling);
        world.upgrade().unwrap();
        world.text(first);
        assert_eq!(world.websockets_closed, 1, "{first:?}");
        assert_eq!(world.closed, None, "{first:?}");
        assert!(world.take_events().is_empty(), "{first:?}");
        assert!(!world.session.is_upgraded(), "{first:?}");
    }
}

#[test]
fn session_upgrades_once() {
    let mut world = World::connected(TransportKind::Polling);
    world.upgrade().unwrap();
    assert_eq!(world.upgrade(), Err(Rejection::BadRequest));
    world.text("2probe");
    world.text("5");
    assert_eq!(world.upgrade(), Err(Rejection::BadRequest));
    assert_eq!(world.poll(), Err(Rejection::BadRequest));
    assert_eq!(world.post("42[\"a\"]"), Err(Rejection::BadRequest));
    assert_eq!(world.closed, None);
    let mut world = World::connected(TransportKind::WebSocket);
    assert_eq!(world.upgrade(), Err(Rejection::BadRequest));
}

#[test]
fn posts_are_accepted_until_the_upgrade() {
    let mut world = World::connected(TransportKind::Polling);
    world.upgrade().unwrap();
    world.text("2probe");
    world.post("42[\"a\"]").unwrap();
    assert_eq!(world.post("5"), Err(Rejection::Malformed));
    assert_eq!(world.take_events(), ["a()"]);
}

#[test]
fn close_during_upgrade_closes_both_transports() {
    let mut world = World::connected(TransportKind::Polling);
    world.poll().unwrap();
    world.upgrade().unwrap();
    world.post("1").unwrap();
    assert_eq!(world.take_polled(), ["6"]);
    assert_eq!(world.websockets_closed, 1);
    assert_eq!(world.closed, Some(Closed::ByClient));
}

/// Steps during an upgrade, in any order.
#[derive(Debug, Clone, Copy)]
enum Step {
    ServerSays,
    ClientPolls,
    ClientPosts,
    Opens,
    Probes,
    Completes,
    WebSocketDies,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::ServerSays),
        4 => Just(Step::ClientPolls),
        3 => Just(Step::ClientPosts),
        1 => Just(Step::Opens),
        2 => Just(Step::Probes),
        2 => Just(Step::Completes),
        1 => Just(Step::WebSocketDies),
    ]
}

/// A conforming client.
#[derive(Default)]
struct Client {
    is_poll_pending: bool,
    stage: usize,
    emitted: usize,
    sent: usize,
}

impl Client {
    fn take(&mut self, world: &mut World, step: Step) {
        match (step, self.stage) {
            (Step::ServerSays, _) => {
                world.send(&format!("2[\"n\",{}]", self.emitted));
                self.emitted += 1;
            }
            (Step::ClientPolls, 0..=2) if !self.is_poll_pending => {
                world.poll().unwrap();
                self.is_poll_pending = true;
            }
            (Step::ClientPosts, 0..=2) => {
                world.post(format!("42[\"n\",{}]", self.sent)).unwrap();
                self.sent += 1;
            }
            (Step::ClientPosts, 3) => {
                world.text(&format!("42[\"n\",{}]", self.sent));
                self.sent += 1;
            }
            (Step::Opens, 0) => {
                world.upgrade().unwrap();
                self.stage = 1;
            }
            (Step::Probes, 1) => {
                world.text("2probe");
                self.stage = 2;
            }
            // Conforming clients pause polling before the upgrade packet.
            (Step::Completes, 2) if !self.is_poll_pending => {
                world.text("5");
                self.stage = 3;
            }
            (Step::WebSocketDies, 1..=2) => {
                world.websocket_gone();
                self.stage = 0;
            }
            _ => {}
        }
    }
}

proptest! {
    #[test]
    fn upgrade_neither_loses_nor_reorders_packets(steps in prop::collection::vec(step(), 0..80)) {
        let mut world = World::connected(TransportKind::Polling);
        let mut client = Client::default();
        let mut got = Vec::new();
        let mut receive = |world: &mut World, client: &mut Client| {
            for body in world.take_polled() {
                assert!(client.is_poll_pending, "response without a poll");
                client.is_poll_pending = false;
                got.extend(body.split('\x1e').filter(|packet| *packet != "6").map(str::to_owned));
            }
            got.extend(world.take_frames().into_iter().filter(|frame| frame != "3probe"));
        };
        for step in steps {
            client.take(&mut world, step);
            receive(&mut world, &mut client);
        }
        if client.stage < 3 {
            if client.stage > 0 {
                client.take(&mut world, Step::WebSocketDies);
            }
            client.take(&mut world, Step::ClientPolls);
            receive(&mut world, &mut client);
        }
        let emitted: Vec<_> = (0..client.emitted).map(|n| format!("42[\"n\",{n}]")).collect();
        prop_assert_eq!(got, emitted);
        let sent: Vec<_> = (0..client.sent).map(|n| format!("n({n})")).collect();
        prop_assert_eq!(world.take_events(), sent);
        prop_assert_eq!(world.closed, None);
    }
}
