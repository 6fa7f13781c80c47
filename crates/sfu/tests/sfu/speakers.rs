//! Active speakers, and selection of the loudest.

use std::time::Duration;

use sfu::{PeerId, Source};

use crate::world::World;

fn speakers(world: &World) -> Vec<PeerId> {
    world.speakers.iter().map(|speaker| speaker.peer).collect()
}

#[test]
fn speakers_are_ordered_by_loudness_until_silence() {
    let mut world = World::new(1);
    let [ann, bob, cat] = [1, 2, 3].map(|id| world.join(id, &[Source::Microphone]));
    for (peer, level) in [(ann, -35), (bob, -20), (cat, -80)] {
        world.client_mut(peer).microphone().level = level;
    }
    world.wait(Duration::from_secs(3), "bob, then ann", |world| speakers(world) == [bob, ann]);
    world.client_mut(ann).microphone().level = -15;
    world.wait(Duration::from_secs(2), "ann, then bob", |world| speakers(world) == [ann, bob]);
    for peer in [ann, bob] {
        world.client_mut(peer).microphone().level = -127;
    }
    world.wait(Duration::from_secs(3), "silence", |world| speakers(world).is_empty());
}

#[test]
fn only_the_loudest_are_forwarded_and_sequence_numbers_have_no_gaps() {
    let mut world = World::with(2, |config| config.max_audible = 3);
    let all: Vec<_> = (1..9).map(|id| world.join(id, &[Source::Microphone])).collect();
    for peer in &all {
        world.client_mut(*peer).microphone().level = -90;
    }
    world.client_mut(all[7]).microphone().level = -20;
    world.run(Duration::from_secs(3));
    let audio = |world: &World, by: PeerId| {
        let last = world.now();
        let hears = |of: &&PeerId| {
            let audio = world.client(by).hears(**of).then(|| world.audio(by, **of));
            audio.and_then(|it| it.last).is_some_and(|at| last - at < Duration::from_millis(300))
        };
        all.iter().filter(hears).count()
    };
    assert_eq!(audio(&world, all[0]), 3 - usize::from(is_forwarded(&world, all[0])));
    assert!(world.audio(all[0], all[7]).lost() == 0);
    // Speakers that were not forwarded take over in turn.
    for turn in 0..6 {
        let speaker = all[2 + turn % 5];
        world.client_mut(speaker).microphone().level = -10;
        world.run(Duration::from_secs(1));
        world.client_mut(speaker).microphone().level = -90;
        let it = world.audio(all[0], speaker);
        assert_eq!(it.lost(), 0, "no gap in the sequence numbers: {it:?}");
        assert!(world.now() - it.last.unwrap() < Duration::from_millis(300));
    }
}

/// Returns whether the listener, which does not receive itself, is among the loudest three.
fn is_forwarded(world: &World, listener: PeerId) -> bool {
    let recent = |of: &PeerId| {
        let others = world.clients.keys().filter(|by| *by != of);
        let mut last = others
            .filter(|by| world.client(**by).hears(*of))
            .filter_map(|by| world.audio(*by, *of).last);
        last.any(|at| world.now() - at < Duration::from_millis(300))
    };
    recent(&listener)
}

#[test]
fn red_is_forwarded_unchanged() {
    let mut world = World::new(3);
    let (ann, bob) = (world.join(1, &[Source::Microphone]), world.join(2, &[]));
    world.client_mut(ann).microphone().red = true;
    world.run(Duration::from_secs(2));
    let params = world.client(bob).rtc.codec_config().params();
    let red = params.iter().find_map(str0m::format::PayloadParams::red).unwrap();
    assert_eq!(world.audio(bob, ann).payload_type, *red);
}

/// Sixteen speakers, of which the last sends no audio level.
fn sixteen_speakers(seed: u64) -> (World, Vec<PeerId>) {
    let mut world = World::new(seed);
    let all: Vec<_> = (1..=16).map(|id| world.join(id, &[Source::Microphone])).collect();
    for peer in &all {
        world.client_mut(*peer).microphone().level = -20;
    }
    world.client_mut(all[15]).microphone().has_level = false;
    world.run(Duration::from_secs(3));
    (world, all)
}

#[test]
fn audio_without_a_level_is_forwarded_and_counts_as_speech() {
    let (world, all) = sixteen_speakers(4);
    let audio = world.audio(all[0], all[15]);
    assert!(world.now() - audio.last.unwrap() < Duration::from_millis(100));
    assert!(audio.packets > 100, "{audio:?}");
    assert!(speakers(&world).contains(&all[15]), "{:?}", world.speakers);
}

#[test]
fn comfort_noise_without_a_level_is_silence() {
    let (mut world, all) = sixteen_speakers(5);
    world.client_mut(all[15]).microphone().length = 3;
    world.run(Duration::from_secs(4));
    assert!(!speakers(&world).contains(&all[15]), "{:?}", world.speakers);
    world.client_mut(all[15]).microphone().length = 80;
    world.run(Duration::from_secs(1));
    assert!(speakers(&world).contains(&all[15]), "{:?}", world.speakers);
}

#[test]
fn audio_without_a_level_does_not_displace_louder_speakers() {
    let mut world = World::with(6, |config| config.max_audible = 3);
    let all: Vec<_> = (1..=8).map(|id| world.join(id, &[Source::Microphone])).collect();
    for peer in &all[..2] {
        world.client_mut(*peer).microphone().has_level = false;
    }
    world.client_mut(all[2]).microphone().level = -10;
    world.run(Duration::from_secs(3));
    for speaker in &all[..3] {
        let last = world.audio(all[7], *speaker).last.unwrap();
        assert!(world.now() - last < Duration::from_millis(300), "{speaker:?}");
    }
}
