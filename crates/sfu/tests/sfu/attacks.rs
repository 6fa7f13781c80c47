//! What has broken other media servers.

use crate::world::{Client, World, host};
use proptest::prelude::*;
use sfu::{GoneReason, PeerId, Refused, Source};
use std::{net::SocketAddr, time::Duration};

const BOTH: [Source; 2] = [Source::Microphone, Source::Camera];
const SOON: Duration = Duration::from_secs(3);

#[test]
fn a_certificate_that_was_not_promised_ends_the_link_before_it_is_up() {
    let mut world = World::new(5);
    let (now, ann) = (world.now(), PeerId(1));
    world.sfu.add_peer(now, crate::world::ROOM, ann).unwrap();
    let mut client = Client::new(ann, SocketAddr::new(host(ann), 5000), now);
    client.want(Source::Camera);
    let offer = client.offer(now).unwrap();
    let at = offer.find("a=fingerprint:sha-256 ").unwrap() + 22;
    let other = if &offer[at..=at] == "A" { "B" } else { "A" };
    let forged = [&offer[..at], other, &offer[at + 1..]].concat();
    world.clients.insert(ann, client);
    world.sfu.handle_offer(now, ann, &forged).unwrap();
    world.run(SOON);
    assert_eq!(world.gone, [(ann, GoneReason::Failed)]);
    assert!(world.connected.is_empty());
    assert_eq!(world.sfu.entries(), 0);
}

fn offer_of(world: &World) -> String {
    let mut client = Client::new(PeerId(9), SocketAddr::new(host(PeerId(9)), 5000), world.now());
    for source in BOTH {
        client.want(source);
    }
    client.offer(world.now()).unwrap()
}

#[test]
fn sdp_that_is_absurd_is_refused_and_leaves_no_link() {
    let mut world = World::new(7);
    let (now, ann) = (world.now(), PeerId(1));
    world.sfu.add_peer(now, crate::world::ROOM, ann).unwrap();
    let good = offer_of(&world);
    let sections = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:x\r\n".repeat(10_000);
    let absurd = [
        String::new(),
        "v=0".to_owned(),
        "\0".repeat(1000),
        format!("{good}a={}\r\n", "x".repeat(1_000_000)),
        format!("{good}{sections}"),
        good.replace("a=ice-ufrag", "a=x"),
        good.replace("a=fingerprint", "a=x"),
    ];
    for sdp in absurd {
        let refused = world.sfu.handle_offer(now, ann, &sdp);
        assert!(matches!(refused, Err(Refused::BadSdp(_))), "{:.60} {refused:?}", sdp);
        assert!(world.sfu.handle_answer(now, ann, &sdp).is_err());
    }
    world.settle();
    assert_eq!(world.sfu.poll_timeout().map(|at| at > now), Some(true), "nothing is left to do");
    world.sfu.handle_offer(now, ann, &good).unwrap();
}

#[test]
fn an_offer_without_any_codec_of_ours_is_answered_and_harmless() {
    let mut world = World::new(8);
    let (now, ann) = (world.now(), PeerId(1));
    world.sfu.add_peer(now, crate::world::ROOM, ann).unwrap();
    let good = offer_of(&world);
    let strange =
        good.lines().filter(|line| !line.starts_with("a=fmtp") && !line.starts_with("a=rtcp-fb"));
    let strange: Vec<String> = strange
        .map(|line| match line.split_once(' ') {
            Some((head, _)) if line.starts_with("a=rtpmap:") => format!("{head} strange/90000"),
            _ => line.to_owned(),
        })
        .collect();
    let strange = strange.join("\r\n") + "\r\n";
    let mids: Vec<&str> = strange.lines().filter_map(|line| line.strip_prefix("a=mid:")).collect();
    world.sfu.handle_publish(now, ann, &[(mids[0], BOTH[0]), (mids[1], BOTH[1])]).unwrap();
    let _ = world.sfu.handle_offer(now, ann, &strange);
    world.sfu.remove_peer(now, ann);
    world.settle();
    assert_eq!(world.sfu.entries(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn an_offer_with_lines_lost_doubled_and_garbled_harms_nobody(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..4_u8, any::<u8>()), 1..12),
    ) {
        let mut world = World::new(9);
        let (now, ann) = (world.now(), PeerId(1));
        world.sfu.add_peer(now, crate::world::ROOM, ann).unwrap();
        let good = offer_of(&world);
        let mut lines: Vec<String> = good.lines().map(str::to_owned).collect();
        for (index, what, byte) in edits {
            let at = index.index(lines.len());
            match what {
                0 => drop(lines.remove(at)),
                1 => lines.insert(at, lines[at].clone()),
                2 => lines[at].push(char::from(byte)),
                _ => {
                    let cut = usize::from(byte) % (lines[at].len() + 1);
                    lines[at] = lines[at].chars().take(cut).collect();
                }
            }
            if lines.is_empty() {
                break;
            }
        }
        let _ = world.sfu.handle_publish(now, ann, &[("x", Source::Camera)]);
        let _ = world.sfu.handle_offer(now, ann, &(lines.join("\r\n") + "\r\n"));
        world.run(Duration::from_millis(200));
        let now = world.now();
        world.sfu.remove_peer(now, ann);
        world.settle();
        prop_assert_eq!(world.sfu.entries(), 0);
    }
}
