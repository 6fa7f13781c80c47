//! Messages of other servers, first parsed, then handled by a shard whose room spans servers: any
//! bytes are decoded or refused, what is decoded survives the wire, and all resources are released.
#![no_main]

use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use sfu::{Config, PeerId, RemoteShard, RoomId, Sfu, ShardMessage};
use testnet::Clock;

#[derive(Debug, Arbitrary)]
enum Step {
    /// A message of one of two other servers.
    Message { first: bool, bytes: Vec<u8> },
    Congestion { first: bool },
    Connection { first: bool, up: bool },
    Wait(u8),
}

fn drain(sfu: &mut Sfu) {
    while sfu.poll_output().is_some() {}
}

fuzz_target!(|steps: Vec<Step>| {
    let mut clock = Clock::new();
    let mut sfu = Sfu::new(Config::new(1, [1; 32]), clock.now());
    // Room and peers that inputs name easily.
    let room = RoomId(0);
    sfu.add_peer(clock.now(), room, PeerId(1)).unwrap();
    sfu.handle_room_shards(clock.now(), room, &[1, 2]);
    let remotes = [64, 128].map(|shard| RemoteShard { shard, is_ingress: true });
    sfu.handle_remote_shards(clock.now(), room, &remotes);
    for step in steps.into_iter().take(200) {
        let now = clock.now();
        let of = |first: bool| if first { 64 } else { 128 };
        match step {
            Step::Message { first, bytes } => {
                let Ok(message) = ShardMessage::decode(&bytes, of(first), 1, now) else { continue };
                let mut encoded = Vec::new();
                message.encode(&mut encoded);
                let again = ShardMessage::decode(&encoded, of(first), 1, now).unwrap();
                assert_eq!(format!("{again:?}"), format!("{message:?}"));
                sfu.handle_shard_message(now, message);
            }
            Step::Congestion { first } => sfu.handle_shard_congestion(now, of(first)),
            Step::Connection { first, up: true } => sfu.handle_shard_connected(now, of(first)),
            Step::Connection { first, up: false } => sfu.handle_shard_disconnected(now, of(first)),
            Step::Wait(time) => {
                clock.advance(Duration::from_millis(time.into()));
                sfu.handle_timeout(clock.now());
            }
        }
        drain(&mut sfu);
    }
    sfu.remove_peer(clock.now(), PeerId(1));
    sfu.handle_room_shards(clock.now(), room, &[]);
    sfu.handle_remote_shards(clock.now(), room, &[]);
    drain(&mut sfu);
    assert_eq!(sfu.entries(), 0, "all has been given back");
});
