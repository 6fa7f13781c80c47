//! Who speaks, and who is heard.

use crate::world::World;
use sfu::{PeerId, Source};
use std::time::Duration;

fn speakers(world: &World) -> Vec<PeerId> {
    world.speakers.iter().map(|speaker| speaker.peer).collect()
}

#[test]
fn the_loudest_are_told_first_and_silence_is_told_too() {
    let mut world = World::new(1);
    let [ann, bob, cat] = [1, 2, 3].map(|id| world.join(id, &[Source::Microphone]));
    for (peer, level) in [(ann, -35), (bob, -20), (cat, -80)] {
        world.client_mut(peer).voice().level = level;
    }
    world.wait(Duration::from_secs(3), "bob, then ann", |world| speakers(world) == [bob, ann]);
    world.client_mut(ann).voice().level = -15;
    world.wait(Duration::from_secs(2), "ann, then bob", |world| speakers(world) == [ann, bob]);
    for peer in [ann, bob] {
        world.client_mut(peer).voice().level = -127;
    }
    world.wait(Duration::from_secs(3), "silence", |world| speakers(world).is_empty());
}

#[test]
fn in_a_big_room_the_loudest_are_heard_and_numbers_go_on_without_a_gap() {
    let mut world = World::with(2, |config| config.max_audible = 3);
    let all: Vec<_> = (1..9).map(|id| world.join(id, &[Source::Microphone])).collect();
    for peer in &all {
        world.client_mut(*peer).voice().level = -90;
    }
    world.client_mut(all[7]).voice().level = -20;
    world.run(Duration::from_secs(3));
    let heard = |world: &World, by: PeerId| {
        let last = world.now();
        let hears = |of: &&PeerId| {
            let heard = world.client(by).hears(**of).then(|| world.heard(by, **of));
            heard.and_then(|it| it.last).is_some_and(|at| last - at < Duration::from_millis(300))
        };
        all.iter().filter(hears).count()
    };
    assert_eq!(heard(&world, all[0]), 3 - usize::from(world_hears_itself(&world, all[0])));
    assert!(world.heard(all[0], all[7]).lost() == 0);
    // Another takes over after having been left out, again and again.
    for turn in 0..6 {
        let speaker = all[2 + turn % 5];
        world.client_mut(speaker).voice().level = -10;
        world.run(Duration::from_secs(1));
        world.client_mut(speaker).voice().level = -90;
        let it = world.heard(all[0], speaker);
        assert_eq!(it.lost(), 0, "left out is not lost: {it:?}");
        assert!(world.now() - it.last.unwrap() < Duration::from_millis(300));
    }
}

/// Whether the listener itself is among the loudest three, whom it does not get.
fn world_hears_itself(world: &World, listener: PeerId) -> bool {
    let recent = |of: &PeerId| {
        let others = world.clients.keys().filter(|by| *by != of);
        let mut last = others
            .filter(|by| world.client(**by).hears(*of))
            .filter_map(|by| world.heard(*by, *of).last);
        last.any(|at| world.now() - at < Duration::from_millis(300))
    };
    recent(&listener)
}

#[test]
fn redundant_audio_passes_as_it_is() {
    let mut world = World::new(3);
    let (ann, bob) = (world.join(1, &[Source::Microphone]), world.join(2, &[]));
    world.client_mut(ann).voice().red = true;
    world.run(Duration::from_secs(2));
    let params = world.client(bob).rtc.codec_config().params();
    let red = params.iter().find_map(str0m::format::PayloadParams::red).unwrap();
    assert_eq!(world.heard(bob, ann).payload_type, *red);
}

/// Sixteen speak, and one of them does not say how loud.
fn sixteen_of_whom_one_is_silent_about_it(seed: u64) -> (World, Vec<PeerId>) {
    let mut world = World::new(seed);
    let all: Vec<_> = (1..=16).map(|id| world.join(id, &[Source::Microphone])).collect();
    for peer in &all {
        world.client_mut(*peer).voice().level = -20;
    }
    world.client_mut(all[15]).voice().tells = false;
    world.run(Duration::from_secs(3));
    (world, all)
}

#[test]
fn a_voice_of_unknown_loudness_is_heard_and_shown() {
    let (world, all) = sixteen_of_whom_one_is_silent_about_it(4);
    let heard = world.heard(all[0], all[15]);
    assert!(world.now() - heard.last.unwrap() < Duration::from_millis(100));
    assert!(heard.packets > 100, "{heard:?}");
    assert!(speakers(&world).contains(&all[15]), "{:?}", world.speakers);
}

#[test]
fn comfort_noise_of_unknown_loudness_is_silence() {
    let (mut world, all) = sixteen_of_whom_one_is_silent_about_it(5);
    world.client_mut(all[15]).voice().length = 3;
    world.run(Duration::from_secs(4));
    assert!(!speakers(&world).contains(&all[15]), "{:?}", world.speakers);
    world.client_mut(all[15]).voice().length = 80;
    world.run(Duration::from_secs(1));
    assert!(speakers(&world).contains(&all[15]), "{:?}", world.speakers);
}

#[test]
fn voices_of_unknown_loudness_do_not_drown_the_others_for_good() {
    let mut world = World::with(6, |config| config.max_audible = 3);
    let all: Vec<_> = (1..=8).map(|id| world.join(id, &[Source::Microphone])).collect();
    for peer in &all[..2] {
        world.client_mut(*peer).voice().tells = false;
    }
    world.client_mut(all[2]).voice().level = -10;
    world.run(Duration::from_secs(3));
    for speaker in &all[..3] {
        let last = world.heard(all[7], *speaker).last.unwrap();
        assert!(world.now() - last < Duration::from_millis(300), "{speaker:?}");
    }
}
