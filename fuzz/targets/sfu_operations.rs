//! The media server under any order of joins, valid and garbled offers, answers, subscriptions,
//! datagrams, messages between shards, leaves and passing time: it never panics or loops, and in
//! the end it holds nothing.
#![no_main]

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use sfu::{Config, Event, Output, PeerId, RoomId, Sfu, ShardMessage, Source, Transport, Viewport};

const PEERS: u64 = 5;
const ROOMS: u64 = 2;
const OFFER: &str = include_str!("sfu_offer.sdp");

#[derive(Debug, Arbitrary)]
enum Step {
    Add { index: u8, room: u8 },
    Remove { index: u8 },
    Publish { index: u8, tracks: Vec<(u8, u8)> },
    Offer { index: u8, edits: Vec<(u16, u8)>, fingerprint: u8 },
    Answer { index: u8, edits: Vec<(u16, u8)>, mirror: bool },
    Subscribe { index: u8, wishes: Vec<(u8, u8, u16)> },
    Check { index: u8, from: u8, rest: Vec<u8> },
    Datagram { from: u8, bytes: Vec<u8> },
    Shards { far: bool, room: u8, spans: bool },
    Wait { milliseconds: u16 },
}

struct World {
    shards: [Sfu; 2],
    now: Instant,
    /// The last description that each peer received; it has the ufrag for connectivity checks.
    said: Vec<String>,
    crossing: Vec<ShardMessage>,
}

fuzz_target!(|steps: Vec<Step>| {
    let now = Instant::now();
    let shards = [0, 1].map(|shard| {
        let mut config = Config::new(shard, [shard as u8; 32]);
        config.candidates = vec![(Transport::Udp, server())];
        Sfu::new(config, now)
    });
    let said = vec![String::new(); PEERS as usize];
    let mut world = World { shards, now, said, crossing: Vec::new() };
    for step in steps.into_iter().take(200) {
        world.take(step);
        world.settle();
    }
    for peer in 0..PEERS {
        world.home(peer as u8).0.remove_peer(now, PeerId(peer));
    }
    for shard in 0..2 {
        for room in 0..ROOMS {
            world.shards[shard].handle_room_shards(world.now, RoomId(room), &[]);
        }
    }
    world.settle();
    for sfu in &world.shards {
        assert_eq!(sfu.entries(), 0, "all has been given back");
    }
});

impl World {
    fn home(&mut self, index: u8) -> (&mut Sfu, PeerId) {
        let peer = u64::from(index) % PEERS;
        (&mut self.shards[usize::from(peer >= 3)], PeerId(peer))
    }

    fn take(&mut self, step: Step) {
        let now = self.now;
        match step {
            Step::Add { index, room } => {
                let (sfu, peer) = self.home(index);
                let _ = sfu.add_peer(now, RoomId(u64::from(room) % ROOMS), peer);
            }
            Step::Remove { index } => {
                let (sfu, peer) = self.home(index);
                sfu.remove_peer(now, peer);
            }
            Step::Publish { index, tracks } => {
                let tracks: Vec<_> = tracks
                    .iter()
                    .map(|(mid, what)| (["0", "1", "2"][usize::from(mid % 3)], source(*what)))
                    .collect();
                let (sfu, peer) = self.home(index);
                let _ = sfu.handle_publish(now, peer, &tracks);
            }
            Step::Offer { index, edits, fingerprint } => {
                let offer = OFFER.replace(
                    "a=fingerprint:sha-256 00",
                    &format!("a=fingerprint:sha-256 {fingerprint:02X}"),
                );
                let offer = edited(&offer, &edits);
                let (sfu, peer) = self.home(index);
                let _ = sfu.handle_offer(now, peer, &offer);
            }
            Step::Answer { index, edits, mirror } => {
                // An offer with swapped roles is almost an answer.
                let said = self.said[(u64::from(index) % PEERS) as usize].clone();
                let text = if mirror {
                    said.replace("sendonly", "recvonly").replace("actpass", "active")
                } else {
                    OFFER.to_owned()
                };
                let text = text.replace("a=ice-lite", "a=x");
                let answer = edited(&text, &edits);
                let (sfu, peer) = self.home(index);
                let _ = sfu.handle_answer(now, peer, &answer);
            }
            Step::Subscribe { index, wishes } => {
                let wish = |(peer, what, size): &(u8, u8, u16)| Viewport {
                    peer: PeerId(u64::from(*peer) % PEERS),
                    source: source(*what),
                    width: u32::from(*size),
                    height: u32::from(*size),
                };
                let wishes: Vec<_> = wishes.iter().map(wish).collect();
                let (sfu, peer) = self.home(index);
                let _ = sfu.handle_subscribe(now, peer, &wishes);
            }
            Step::Check { index, from, rest } => {
                let said = &self.said[(u64::from(index) % PEERS) as usize];
                let ufrag = said.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:"));
                let name = format!("{}:abcd", ufrag.unwrap_or("none"));
                let mut bytes =
                    vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
                bytes.extend([0, 6, 0, name.len() as u8]);
                bytes.extend(name.as_bytes());
                bytes.resize(bytes.len().next_multiple_of(4), 0);
                bytes.extend(rest);
                let length = (bytes.len() - 20) as u16;
                bytes[2..4].copy_from_slice(&length.to_be_bytes());
                let (sfu, _) = self.home(index);
                sfu.handle_datagram(now, server(), client(from), Transport::Udp, &bytes);
            }
            Step::Datagram { from, bytes } => {
                for sfu in &mut self.shards {
                    sfu.handle_datagram(now, server(), client(from), Transport::Udp, &bytes);
                }
            }
            Step::Shards { far, room, spans } => {
                let shards: &[u16] = if spans { &[0, 1] } else { &[] };
                self.shards[usize::from(far)].handle_room_shards(
                    now,
                    RoomId(u64::from(room) % ROOMS),
                    shards,
                );
            }
            Step::Wait { milliseconds } => {
                self.now += Duration::from_millis(u64::from(milliseconds));
                for sfu in &mut self.shards {
                    sfu.handle_timeout(self.now);
                }
            }
        }
    }

    fn settle(&mut self) {
        for round in 0.. {
            assert!(round < 100, "shards don't talk for ever");
            for sfu in &mut self.shards {
                for count in 0.. {
                    assert!(count < 100_000, "nothing is said for ever");
                    match sfu.poll_output() {
                        None => break,
                        Some(Output::Transmit(run)) => {
                            assert!(!run.bytes.is_empty() && run.segment > 0)
                        }
                        Some(Output::ShardMessage(relay)) => self.crossing.push(relay),
                        Some(Output::Event(
                            Event::Answer { peer, sdp } | Event::Offer { peer, sdp },
                        )) => {
                            self.said[peer.0 as usize] = sdp;
                        }
                        Some(Output::Event(_)) => {}
                    }
                }
            }
            if self.crossing.is_empty() {
                return;
            }
            for relay in std::mem::take(&mut self.crossing) {
                self.shards[usize::from(relay.to)].handle_shard_message(self.now, relay);
            }
        }
    }
}

fn source(what: u8) -> Source {
    [Source::Microphone, Source::Camera, Source::ScreenShare, Source::ScreenShareAudio]
        [usize::from(what % 4)]
}

/// An SDP with lines removed, repeated, truncated or changed.
fn edited(sdp: &str, edits: &[(u16, u8)]) -> String {
    let mut lines: Vec<String> = sdp.lines().map(str::to_owned).collect();
    for (at, what) in edits.iter().take(16) {
        if lines.is_empty() {
            break;
        }
        let at = usize::from(*at) % lines.len();
        match what % 4 {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[at].clone()),
            2 => lines[at] = lines[at].chars().take(usize::from(what / 4)).collect(),
            _ => lines[at].push(char::from(*what)),
        }
    }
    lines.join("\r\n") + "\r\n"
}

fn server() -> SocketAddr {
    SocketAddr::from(([203, 0, 113, 1], 4000))
}

fn client(from: u8) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 1], 5000 + u16::from(from % 8)))
}
