//! When media goes by the media server, what that is told, and what it tells.

mod world;

use room::{
    Connection, Departure, Event, FromSfu, Join, MAX_MID_BYTES, MAX_SFU_SDP_BYTES,
    MAX_WANTED_TRACKS, Message, Rejection, Request, Settings, ToSfu,
    protocol::{
        ErrorBody, ErrorCode, HandoverRequest, ParticipantId, PublishRequest, PublishedTrack,
        RefusedEvent, SdpType, SessionDescription, SignalRequest, Speaker, SubscribeRequest,
        SubscribedTrack, ToldSfu, Topology, TopologyChoice, TrackSource, WantedEvent, WantedTrack,
    },
};
use world::{World, join, seconds, settings};

fn world(topology: TopologyChoice) -> World {
    World::new(Settings { topology, ..settings(8) })
}

/// Somebody enters who can use the media server.
fn enter(world: &mut World, name: &str) -> (Connection, room::Admission) {
    let connection = world.connect();
    let request = Request::Join(Join { sfu: true, ..join(name) });
    let admission = world.admitted(connection, request).expect("there is room");
    (connection, admission)
}

fn description(kind: SdpType, sdp: &str) -> SessionDescription {
    SessionDescription { kind, sdp: sdp.to_owned() }
}

fn signal(kind: SdpType, sdp: &str) -> Result<Request, Rejection> {
    let description = Some(description(kind, sdp));
    SignalRequest { to: ParticipantId::sfu(), description, candidate: None }.try_into()
}

fn publish(tracks: &[(&str, TrackSource)]) -> Result<Request, Rejection> {
    let track = |(mid, source): &(&str, _)| PublishedTrack { mid: (*mid).into(), source: *source };
    PublishRequest { tracks: tracks.iter().map(track).collect() }.try_into()
}

fn want(participant: &ParticipantId, source: TrackSource) -> WantedTrack {
    WantedTrack { participant: participant.clone(), source, width: 640, height: 360 }
}

fn subscribed(mid: &str, participant: &ParticipantId) -> FromSfu {
    let (mid, participant) = (mid.to_owned(), participant.clone());
    FromSfu::Subscribed(vec![SubscribedTrack {
        mid,
        participant,
        source: TrackSource::Camera,
        unavailable: None,
    }])
}

fn offer(sdp: &str) -> FromSfu {
    FromSfu::Description(description(SdpType::Offer, sdp))
}

fn wanted(source: TrackSource, round: u32) -> FromSfu {
    FromSfu::Wanted(WantedEvent { source, shown: true, rids: vec![round.to_string()] })
}

fn refused(what: ToldSfu, round: u32) -> FromSfu {
    let error = ErrorBody::new(ErrorCode::Invalid, round.to_string());
    FromSfu::Refused(RefusedEvent { what, error })
}

fn from_sfu(said: FromSfu) -> Event {
    match said {
        FromSfu::Subscribed(tracks) => Event::Subscribed(tracks),
        FromSfu::Wanted(wanted) => Event::Wanted(wanted),
        FromSfu::Refused(refused) => Event::Refused(refused),
        FromSfu::Description(description) => {
            let message = Message::Description(description);
            Event::Message { from: ParticipantId::sfu(), message }
        }
    }
}

fn say(world: &mut World, to: &ParticipantId, said: &FromSfu) {
    world.room.handle_sfu(world.now, to, said.clone());
    world.drain();
}

#[test]
fn a_room_outgrows_the_mesh_with_its_third_and_goes_back_once_two_have_stayed() {
    let mut world = world(TopologyChoice::Auto);
    let (ann, ann_is) = enter(&mut world, "Ann");
    let (ben, ben_is) = enter(&mut world, "Ben");
    assert_eq!((ann_is.topology, ben_is.topology), (Topology::Mesh, Topology::Mesh));
    world.take_told(ann);
    let (cem, cem_is) = enter(&mut world, "Cem");
    assert_eq!(cem_is.topology, Topology::Sfu, "the third is told as it enters");
    let outgrown = [Event::Topology(Topology::Sfu), Event::Joined(cem_is.me.clone())];
    assert_eq!(
        (world.take_told(ann), world.take_told(ben)),
        (outgrown.to_vec(), outgrown.to_vec())
    );
    assert_eq!(world.take_told(cem), []);

    world.ask(cem, Request::Leave).unwrap();
    assert_eq!(world.take_told(ann), [Event::Left(cem_is.me)]);
    world.pass(seconds(14));
    let (dan, dan_is) = enter(&mut world, "Dan");
    assert_eq!(dan_is.topology, Topology::Sfu, "it is still where it was");
    world.pass(seconds(100));
    world.ask(dan, Request::Leave).unwrap();
    world.take_told(ann);
    world.take_told(ben);
    world.pass(seconds(14));
    assert_eq!(world.take_told(ann), [], "somebody came in between, so the time is anew");
    world.pass(seconds(1));
    assert_eq!(world.take_told(ann), [Event::Topology(Topology::Mesh)]);
    assert_eq!(world.take_told(ben), [Event::Topology(Topology::Mesh)]);
    assert_eq!(world.room.poll_timeout().map(|at| at > world.now), Some(true), "the log alone");
}

#[test]
fn who_is_lost_counts_until_its_place_is_given_up() {
    let mut world = world(TopologyChoice::Auto);
    let (ann, _) = enter(&mut world, "Ann");
    enter(&mut world, "Ben");
    let (cem, cem_is) = enter(&mut world, "Cem");
    world.gone(cem, Departure::Lost);
    world.pass(seconds(30));
    assert_eq!(world.unlinked, [cem_is.me.id], "its link lives as long as its place");
    world.take_told(ann);
    world.pass(seconds(15));
    assert_eq!(world.take_told(ann), [Event::Topology(Topology::Mesh)]);
}

#[test]
fn a_switch_that_somebody_missed_is_told_on_resuming() {
    let mut world = world(TopologyChoice::Auto);
    let (ann, ann_is) = enter(&mut world, "Ann");
    enter(&mut world, "Ben");
    let last = world.last_number(ann);
    world.gone(ann, Departure::Lost);
    let (_, cem_is) = enter(&mut world, "Cem");
    let (again, resumed) = world.resume(&ann_is.resume, last);
    assert_eq!(resumed.unwrap().topology, Topology::Sfu);
    let missed = [Event::Topology(Topology::Sfu), Event::Joined(cem_is.me)];
    assert_eq!(world.take_told(again), missed);
}

#[test]
fn a_forced_topology_stays_however_many_there_are() {
    for (choice, topology) in
        [(TopologyChoice::Mesh, Topology::Mesh), (TopologyChoice::Sfu, Topology::Sfu)]
    {
        let mut world = world(choice);
        let (ann, ann_is) = enter(&mut world, "Ann");
        assert_eq!(ann_is.topology, topology);
        let joined: Vec<Event> =
            ["Ben", "Cem", "Dan"].map(|name| Event::Joined(enter(&mut world, name).1.me)).into();
        world.pass(seconds(60));
        assert_eq!(world.take_told(ann), joined);
    }
}

#[test]
fn who_does_not_know_of_the_media_server_is_direct_and_does_not_move_the_room() {
    let mut world = world(TopologyChoice::Auto);
    let (ann, ann_is) = world.enter("Ann");
    assert!(ann_is.me.direct);
    enter(&mut world, "Ben");
    let (_, cem_is) = world.enter("Cem");
    assert_eq!(cem_is.topology, Topology::Mesh, "one alone has nobody to meet there");
    world.take_told(ann);
    let (_, dan_is) = enter(&mut world, "Dan");
    assert_eq!(dan_is.topology, Topology::Sfu);
    assert!(!dan_is.me.direct);
    assert_eq!(world.take_told(ann), [Event::Topology(Topology::Sfu), Event::Joined(dan_is.me)]);
}

#[test]
fn who_cannot_reach_the_media_server_says_so_and_all_hear() {
    let mut world = world(TopologyChoice::Auto);
    let (ann, ann_is) = enter(&mut world, "Ann");
    let (ben, _) = enter(&mut world, "Ben");
    enter(&mut world, "Cem");
    world.take_told(ben);
    for direct in [true, true, false] {
        world.ask(ann, Request::Direct(direct)).unwrap();
    }
    let ann_as = |direct| Event::Updated(room::Participant { direct, ..ann_is.me.clone() });
    assert_eq!(world.take_told(ben), [ann_as(true), ann_as(false)], "once for each change");
    world.ask(ann, Request::Direct(true)).unwrap();
    world.ask(ben, Request::Direct(true)).unwrap();
    world.pass(seconds(15));
    let told = world.take_told(ann);
    assert_eq!(told.last(), Some(&Event::Topology(Topology::Mesh)), "one alone is left there");
    let outside = world.connect();
    assert_eq!(world.ask(outside, Request::Direct(true)).err(), Some(Rejection::NotJoined));
}

#[test]
fn a_handover_reaches_its_target_alone_and_says_whom_it_is_from() {
    let mut world = world(TopologyChoice::Auto);
    let (ann, ann_is) = enter(&mut world, "Ann");
    let (ben, ben_is) = enter(&mut world, "Ben");
    let (cem, _) = enter(&mut world, "Cem");
    for connection in [ann, ben, cem] {
        world.take_told(connection);
    }
    let to = |to: &ParticipantId| {
        Request::from(HandoverRequest { to: to.clone(), topology: Topology::Sfu })
    };
    world.ask(ann, to(&ben_is.me.id)).unwrap();
    let event = Event::Handover { from: ann_is.me.id.clone(), topology: Topology::Sfu };
    assert_eq!(world.take_told(ben), [event]);
    assert_eq!((world.take_told(ann), world.take_told(cem)), (vec![], vec![]));
    for nobody in [&ann_is.me.id, &ParticipantId::sfu()] {
        assert_eq!(world.ask(ann, to(nobody)).err(), Some(Rejection::NoSuchParticipant));
    }
}

#[test]
fn what_is_for_the_media_server_goes_there_and_to_nobody_else() {
    let mut world = world(TopologyChoice::Auto);
    let (ann, ann_is) = enter(&mut world, "Ann");
    let (ben, _) = enter(&mut world, "Ben");
    world.take_told(ann);
    let tracks = [("0", TrackSource::Microphone), ("1", TrackSource::Camera)];
    for request in [publish(&tracks), signal(SdpType::Offer, "v=0"), signal(SdpType::Answer, "v=0")]
    {
        world.ask(ann, request.unwrap()).unwrap();
    }
    let said: Vec<_> = std::mem::take(&mut world.to_sfu);
    assert!(said.iter().all(|(from, _)| *from == ann_is.me.id), "{said:?}");
    assert!(matches!(
        &*said,
        [(_, ToSfu::Publish(_)), (_, ToSfu::Description(_)), (_, ToSfu::Description(_))]
    ));
    let candidate = r#"{"to":"sfu","candidate":{"candidate":"candidate:1"}}"#;
    let candidate: SignalRequest = serde_json::from_str(candidate).unwrap();
    world.ask(ann, candidate.try_into().unwrap()).unwrap();
    assert_eq!(world.to_sfu, [], "it learns addresses from checks alone");
    assert_eq!(world.take_told(ben), []);
    let outside = world.connect();
    let refused = world.ask(outside, signal(SdpType::Offer, "v=0").unwrap());
    assert_eq!(refused.err(), Some(Rejection::NotJoined));
    assert_eq!(world.to_sfu, []);
}

#[test]
fn a_room_that_is_a_mesh_for_good_has_no_media_server() {
    let mut world = world(TopologyChoice::Mesh);
    let (ann, _) = enter(&mut world, "Ann");
    for request in [publish(&[]), signal(SdpType::Offer, "v=0")] {
        assert_eq!(world.ask(ann, request.unwrap()).err(), Some(Rejection::NoSfu));
    }
    assert_eq!(world.to_sfu, []);
}

#[test]
fn the_media_server_hears_of_wishes_for_others_who_are_here() {
    let mut world = world(TopologyChoice::Sfu);
    let (ann, ann_is) = enter(&mut world, "Ann");
    let (_, ben_is) = enter(&mut world, "Ben");
    let (cem, cem_is) = enter(&mut world, "Cem");
    world.ask(cem, Request::Leave).unwrap();
    let wish = want(&ben_is.me.id, TrackSource::Camera);
    let tracks = vec![
        wish.clone(),
        want(&cem_is.me.id, TrackSource::Camera),
        want(&ann_is.me.id, TrackSource::Camera),
    ];
    world.ask(ann, SubscribeRequest { tracks }.try_into().unwrap()).unwrap();
    assert_eq!(world.to_sfu, [(ann_is.me.id, ToSfu::Subscribe(vec![wish]))]);
}

#[test]
fn what_is_said_to_the_media_server_is_bounded_and_has_nothing_twice() {
    let (camera, screen) = (TrackSource::Camera, TrackSource::Screen);
    let longest = "m".repeat(MAX_MID_BYTES);
    assert!(publish(&[(&longest, camera), ("1", screen)]).is_ok());
    let long = "m".repeat(MAX_MID_BYTES + 1);
    for tracks in [
        &[("", camera)][..],
        &[(&long, camera)],
        &[("0", camera), ("0", screen)],
        &[("0", camera), ("1", camera)],
    ] {
        assert!(matches!(publish(tracks), Err(Rejection::Invalid(_))), "{tracks:?}");
    }
    let ids = (0..=MAX_WANTED_TRACKS).map(|n| serde_json::from_value(n.to_string().into()));
    let mut tracks: Vec<_> = ids.map(|id| want(&id.unwrap(), camera)).collect();
    let ask =
        |tracks: &[WantedTrack]| Request::try_from(SubscribeRequest { tracks: tracks.into() });
    assert!(matches!(ask(&tracks), Err(Rejection::TooLarge("tracks"))));
    tracks.pop();
    assert!(ask(&tracks).is_ok());
    let twice = [tracks[0].clone(), WantedTrack { width: 1, ..tracks[0].clone() }];
    assert!(matches!(ask(&twice), Err(Rejection::Invalid(_))));
    assert!(signal(SdpType::Offer, &"s".repeat(MAX_SFU_SDP_BYTES)).is_ok());
    let too_large = signal(SdpType::Offer, &"s".repeat(MAX_SFU_SDP_BYTES + 1));
    assert!(matches!(too_large, Err(Rejection::TooLarge("description"))));
    assert!(matches!(signal(SdpType::Pranswer, "v=0"), Err(Rejection::Invalid(_))));
}

#[test]
fn nobody_passes_for_the_media_server() {
    let mut world = world(TopologyChoice::Sfu);
    let (ann, ann_is) = enter(&mut world, "Ann");
    let (ben, ben_is) = enter(&mut world, "Ben");
    let named = Join { id: Some(ParticipantId::sfu()), sfu: true, ..join("Eve") };
    let eve = world.connect();
    let refused = world.ask(eve, Request::Join(named));
    assert!(matches!(refused, Err(Rejection::Invalid(_))));
    let written = r#"{"to":"x","from":"sfu","description":{"type":"offer","sdp":""}}"#;
    assert!(serde_json::from_str::<SignalRequest>(written).is_err());
    world.take_told(ben);
    let message = Message::Description(description(SdpType::Offer, "v=0"));
    world.send(ann, &ben_is.me.id, message.clone()).unwrap();
    assert_eq!(world.take_told(ben), [Event::Message { from: ann_is.me.id, message }]);
}

#[test]
fn what_the_media_server_says_is_numbered_and_comes_again_on_resuming() {
    let mut world = world(TopologyChoice::Sfu);
    let (ann, ann_is) = enter(&mut world, "Ann");
    let (ben, ben_is) = enter(&mut world, "Ben");
    world.take_told(ann);
    let said = [subscribed("3", &ben_is.me.id), offer("v=0")];
    for word in &said {
        say(&mut world, &ann_is.me.id, word);
    }
    let last = world.last_number(ann);
    assert_eq!(world.take_told(ann), said.clone().map(from_sfu));
    assert_eq!(world.take_told(ben), []);
    world.gone(ann, Departure::Lost);
    let (_, resumed) = world.resume(&ann_is.resume, last);
    resumed.unwrap();
    let (again, resumed) = world.resume(&ann_is.resume, Some(ann_is.last));
    resumed.unwrap();
    let mut missed = vec![Event::Joined(ben_is.me)];
    missed.extend(said.map(from_sfu));
    assert_eq!(world.take_told(again), missed);
}

#[test]
fn of_what_the_media_server_says_over_and_over_only_the_last_is_kept() {
    let mut world = world(TopologyChoice::Sfu);
    let (ann, ann_is) = enter(&mut world, "Ann");
    let (_, ben_is) = enter(&mut world, "Ben");
    let last = world.last_number(ann);
    let sdp = "s".repeat(MAX_SFU_SDP_BYTES);
    // Far more than the log of a room holds.
    for round in 0..100 {
        say(&mut world, &ann_is.me.id, &subscribed(&round.to_string(), &ben_is.me.id));
        say(&mut world, &ann_is.me.id, &offer(&sdp));
        let answer = description(SdpType::Answer, &round.to_string());
        say(&mut world, &ann_is.me.id, &FromSfu::Description(answer));
        for source in [TrackSource::Camera, TrackSource::Screen] {
            say(&mut world, &ann_is.me.id, &wanted(source, round));
        }
        for what in [ToldSfu::Publish, ToldSfu::Subscribe, ToldSfu::Answer, ToldSfu::Offer] {
            say(&mut world, &ann_is.me.id, &refused(what, round));
        }
    }
    world.gone(ann, Departure::Lost);
    let (again, resumed) = world.resume(&ann_is.resume, last);
    resumed.unwrap();
    let answer = FromSfu::Description(description(SdpType::Answer, "99"));
    let (camera, screen) = (wanted(TrackSource::Camera, 99), wanted(TrackSource::Screen, 99));
    let (wish, link) = (refused(ToldSfu::Subscribe, 99), refused(ToldSfu::Offer, 99));
    let kept = [subscribed("99", &ben_is.me.id), offer(&sdp), answer, camera, screen, wish, link];
    let kept = kept.map(from_sfu);
    assert_eq!(world.take_told(again), kept);
}

#[test]
fn speakers_are_told_to_all_who_are_here_and_not_later() {
    let mut world = world(TopologyChoice::Sfu);
    let (ann, ann_is) = enter(&mut world, "Ann");
    let (ben, ben_is) = enter(&mut world, "Ben");
    let last = world.last_number(ann);
    world.gone(ann, Departure::Lost);
    let speakers = vec![Speaker { participant: ben_is.me.id, level: 90 }];
    world.room.handle_speakers(speakers.clone());
    world.drain();
    assert_eq!(std::mem::take(&mut world.heard), [(ben, Event::Speakers(speakers))]);
    let (again, resumed) = world.resume(&ann_is.resume, last);
    resumed.unwrap();
    assert_eq!(world.take_told(again), []);
}

#[test]
fn the_media_server_speaks_to_nobody_who_has_left() {
    let mut world = world(TopologyChoice::Sfu);
    let (ann, ann_is) = enter(&mut world, "Ann");
    let (ben, _) = enter(&mut world, "Ben");
    world.ask(ann, Request::Leave).unwrap();
    assert_eq!(world.unlinked, std::slice::from_ref(&ann_is.me.id));
    world.take_told(ann);
    world.take_told(ben);
    say(&mut world, &ann_is.me.id, &offer("v=0"));
    assert_eq!((world.take_told(ann), world.take_told(ben)), (vec![], vec![]));
}

#[test]
fn the_others_are_told_of_one_whose_media_is_interrupted() {
    let mut world = World::new(Settings { topology: TopologyChoice::Sfu, ..settings(8) });
    let (ann, ann_is) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    world.ask(ann, Request::Direct(false)).unwrap();
    world.take_told(ben);
    let told = |interrupted| {
        Event::Updated(room::Participant { direct: false, interrupted, ..ann_is.me.clone() })
    };
    let id = &ann_is.me.id;
    for (interrupted, heard) in
        [(false, vec![]), (true, vec![told(true)]), (true, vec![]), (false, vec![told(false)])]
    {
        world.room.handle_interrupted(world.now, id, interrupted);
        world.drain();
        assert_eq!(world.take_told(ben), heard);
    }
    // One who takes another way is no longer missed there.
    world.room.handle_interrupted(world.now, id, true);
    world.drain();
    world.take_told(ben);
    world.ask(ann, Request::Direct(true)).unwrap();
    assert_eq!(world.take_told(ben), [Event::Updated(ann_is.me.clone())]);
    world.room.handle_interrupted(world.now, id, true);
    world.drain();
    assert_eq!(world.take_told(ben), []);
}
