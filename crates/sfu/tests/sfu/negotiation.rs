//! Offers that cross, links that restart, links that begin anew.

use crate::world::{Client, World, host};
use sfu::{Refused, Source};
use std::{net::SocketAddr, time::Duration};

const BOTH: [Source; 2] = [Source::Microphone, Source::Camera];
const SOON: Duration = Duration::from_secs(3);

#[test]
fn an_offer_that_crosses_ours_is_made_again_by_the_browser() {
    let mut world = World::new(1);
    let (ann, bob) = (world.join(1, &BOTH), world.join(2, &BOTH));
    world.wait(SOON, "bob sees ann", |world| world.client(bob).sees(ann, Source::Camera));
    // Ann's screen makes the server offer to Bob; before he hears of it he offers, too.
    let now = world.now();
    world.client_mut(ann).want(Source::Screen);
    let offer = world.client_mut(ann).offer(now).unwrap();
    let tracks = world.client(ann).announced();
    let tracks: Vec<_> = tracks.iter().map(|(mid, source)| (mid.as_str(), *source)).collect();
    world.sfu.handle_publish(now, ann, &tracks).unwrap();
    world.sfu.handle_offer(now, ann, &offer).unwrap();
    world.client_mut(bob).want(Source::Screen);
    let crossing = world.client_mut(bob).offer(now).unwrap();
    assert_eq!(world.sfu.handle_offer(now, bob, &crossing), Err(Refused::Crossed));
    world.wait(SOON, "both screens are seen", |world| {
        world.client(bob).sees(ann, Source::Screen) && world.client(ann).sees(bob, Source::Screen)
    });
}

#[test]
fn an_ice_restart_from_another_network_keeps_the_link_and_what_is_on_it() {
    let mut world = World::new(2);
    let (ann, bob) = (world.join(1, &BOTH), world.join(2, &BOTH));
    world.wait(SOON, "bob sees ann", |world| world.client(bob).sees(ann, Source::Camera));
    let (before, offers) = (world.seen(bob, ann, Source::Camera).decoded, world.client(bob).offers);
    let now = world.now();
    let elsewhere = SocketAddr::from(([192, 0, 2, 77], 6000));
    world.client_mut(ann).move_to(elsewhere);
    let offer = world.client_mut(ann).restart(now);
    world.sfu.handle_offer(now, ann, &offer).unwrap();
    world.run(SOON);
    assert!(world.seen(bob, ann, Source::Camera).decoded > before + 40, "bob still sees ann");
    assert_eq!(world.client(bob).offers, offers, "and was told nothing");
    assert!(world.gone.is_empty());
}

#[test]
fn a_page_loaded_anew_takes_the_place_of_the_old_one() {
    let mut world = World::new(3);
    let (ann, bob) = (world.join(1, &BOTH), world.join(2, &BOTH));
    world.wait(SOON, "bob sees ann", |world| world.client(bob).sees(ann, Source::Camera));
    let fresh = Client::new(ann, SocketAddr::new(host(ann), 5999), world.now());
    world.clients.insert(ann, fresh);
    let before = world.seen(bob, ann, Source::Camera).decoded;
    world.publish(ann, &BOTH);
    world.wait(SOON, "they see each other again", |world| {
        world.client(ann).sees(bob, Source::Camera)
            && world.seen(bob, ann, Source::Camera).decoded > before + 20
    });
    assert!(world.gone.is_empty() && world.refused.is_empty());
}

#[test]
fn a_link_that_falls_silent_is_gone_and_leaves_nothing() {
    let mut world = World::new(4);
    let (ann, bob) = (world.join(1, &BOTH), world.join(2, &BOTH));
    world.wait(SOON, "bob sees ann", |world| world.client(bob).sees(ann, Source::Camera));
    world.clients.remove(&ann);
    world.run(Duration::from_secs(45));
    assert_eq!(world.gone, [(ann, sfu::GoneReason::Silent)]);
    assert!(world.client(bob).sections().is_empty());
    world.leave(bob);
    world.run(Duration::from_secs(1));
    assert_eq!(world.sfu.entries(), 0);
}

#[test]
fn a_browser_that_closes_its_link_is_gone_at_once() {
    let mut world = World::new(5);
    let (ann, bob) = (world.join(1, &BOTH), world.join(2, &BOTH));
    world.wait(SOON, "bob sees ann", |world| world.client(bob).sees(ann, Source::Camera));
    let now = world.now();
    world.client_mut(ann).close(now);
    world.run(Duration::from_millis(200));
    assert_eq!(world.gone, [(ann, sfu::GoneReason::Closed)]);
}
