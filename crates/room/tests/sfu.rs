//! Topology switching and messages to and from the media server.

mod world;

use room::{
    Connection, Departure, Event, FromSfu, Join, MAX_MID_BYTES, MAX_SFU_SDP_BYTES,
    MAX_WANTED_TRACKS, Message, Rejection, Request, Settings, ToSfu,
    protocol::{
        ErrorBody, ErrorCode, HandoverRequest, ParticipantId, PublishRequest, PublishedTrack,
        RefusedEvent, SdpType, SessionDescription, SfuRequestKind, SignalRequest, Speaker,
        SubscribeRequest, SubscribedTrack, Topology, TopologyChoice, TrackSource, WantedEvent,
        WantedTrack,
    },
};
use world::{World, join, seconds, settings};

fn world(topology: TopologyChoice) -> World {
    World::new(Settings { topology, ..settings(8) })
}

/// Joins a participant that can use the media server.
fn enter(world: &mut World, name: &str) -> (Connection, room::Admission) {
    let connection = world.connect();
    let request = Request::from(Join { sfu: true, ..join(name) });
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

fn refused(what: SfuRequestKind, round: u32) -> FromSfu {
    let error = ErrorBody::new(ErrorCode::Invalid, round.to_string());
    FromSfu::Refused(RefusedEvent { what, error })
}

fn from_sfu(message: FromSfu) -> Event {
    match message {
        FromSfu::Subscribed(tracks) => Event::Subscribed(tracks),
        FromSfu::Wanted(wanted) => Event::Wanted(wanted),
        FromSfu::Refused(refused) => Event::Refused(refused),
        FromSfu::Description(description) => {
            let message = Message::Description(description);
            Event::Message { from: ParticipantId::sfu(), message }
        }
    }
}

fn say(world: &mut World, to: &ParticipantId, messages: &FromSfu) {
    world.room.handle_sfu(world.now, to, messages.clone());
    world.drain();
}

#[test]
fn third_participant_switches_to_sfu_and_back_after_linger() {
    let mut world = world(TopologyChoice::Auto);
    let (ann, ann_joined) = enter(&mut world, "Ann");
    let (ben, ben_joined) = enter(&mut world, "Ben");
    assert_eq!((ann_joined.topology, ben_joined.topology), (Topology::Mesh, Topology::Mesh));
    world.take_events(ann);
    let (cem, cem_joined) = enter(&mut world, "Cem");
    assert_eq!(cem_joined.topology, Topology::Sfu, "part of the join reply");
    let outgrown = [Event::Topology(Topology::Sfu), Event::Joined(cem_joined.me.clone())];
    assert_eq!(
        (world.take_events(ann), world.take_events(ben)),
        (outgrown.to_vec(), outgrown.to_vec())
    );
    assert_eq!(world.take_events(cem), []);

    world.ask(cem, Request::Leave).unwrap();
    assert_eq!(world.take_events(ann), [Event::Left(cem_joined.me)]);
    world.pass(seconds(14));
    let (dan, dan_joined) = enter(&mut world, "Dan");
    assert_eq!(dan_joined.topology, Topology::Sfu, "not switched back yet");
    world.pass(seconds(100));
    world.ask(dan, Request::Leave).unwrap();
    world.take_events(ann);
    world.take_events(ben);
    world.pass(seconds(14));
    assert_eq!(world.take_events(ann), [], "the join restarted the linger time");
    world.pass(seconds(1));
    assert_eq!(world.take_events(ann), [Event::Topology(Topology::Mesh)]);
    assert_eq!(world.take_events(ben), [Event::Topology(Topology::Mesh)]);
    assert_eq!(
        world.room.poll_timeout().map(|at| at > world.now),
        Some(true),
        "only the log's timeout"
    );
}

#[test]
fn lost_participant_counts_until_removed() {
    let mut world = world(TopologyChoice::Auto);
    let (ann, _) = enter(&mut world, "Ann");
    enter(&mut world, "Ben");
    let (cem, cem_joined) = enter(&mut world, "Cem");
    world.gone(cem, Departure::Lost);
    world.pass(seconds(30));
    assert_eq!(world.unlinked, [cem_joined.me.id], "unlinked with its removal");
    world.take_events(ann);
    world.pass(seconds(15));
    assert_eq!(world.take_events(ann), [Event::Topology(Topology::Mesh)]);
}

#[test]
fn missed_topology_switch_is_replayed() {
    let mut world = world(TopologyChoice::Auto);
    let (ann, ann_joined) = enter(&mut world, "Ann");
    enter(&mut world, "Ben");
    let last = world.last_number(ann);
    world.gone(ann, Departure::Lost);
    let (_, cem_joined) = enter(&mut world, "Cem");
    let (again, resumed) = world.resume(&ann_joined.resume, last);
    assert_eq!(resumed.unwrap().topology, Topology::Sfu);
    let missed = [Event::Topology(Topology::Sfu), Event::Joined(cem_joined.me)];
    assert_eq!(world.take_events(again), missed);
}

#[test]
fn fixed_topology_never_switches() {
    for (choice, topology) in
        [(TopologyChoice::Mesh, Topology::Mesh), (TopologyChoice::Sfu, Topology::Sfu)]
    {
        let mut world = world(choice);
        let (ann, ann_joined) = enter(&mut world, "Ann");
        assert_eq!(ann_joined.topology, topology);
        let joined: Vec<Event> =
            ["Ben", "Cem", "Dan"].map(|name| Event::Joined(enter(&mut world, name).1.me)).into();
        world.pass(seconds(60));
        assert_eq!(world.take_events(ann), joined);
    }
}

#[test]
fn client_without_sfu_is_direct_and_does_not_switch() {
    let mut world = world(TopologyChoice::Auto);
    let (ann, ann_joined) = world.enter("Ann");
    assert!(ann_joined.me.direct);
    enter(&mut world, "Ben");
    let (_, cem_joined) = world.enter("Cem");
    assert_eq!(
        cem_joined.topology,
        Topology::Mesh,
        "a single capable participant has no peer there"
    );
    world.take_events(ann);
    let (_, dan_joined) = enter(&mut world, "Dan");
    assert_eq!(dan_joined.topology, Topology::Sfu);
    assert!(!dan_joined.me.direct);
    assert_eq!(
        world.take_events(ann),
        [Event::Topology(Topology::Sfu), Event::Joined(dan_joined.me)]
    );
}

#[test]
fn direct_participant_is_announced() {
    let mut world = world(TopologyChoice::Auto);
    let (ann, ann_joined) = enter(&mut world, "Ann");
    let (ben, _) = enter(&mut world, "Ben");
    enter(&mut world, "Cem");
    world.take_events(ben);
    for direct in [true, true, false] {
        world.ask(ann, Request::Direct(direct)).unwrap();
    }
    let ann_as = |direct| Event::Updated(room::Participant { direct, ..ann_joined.me.clone() });
    assert_eq!(world.take_events(ben), [ann_as(true), ann_as(false)], "once per change");
    world.ask(ann, Request::Direct(true)).unwrap();
    world.ask(ben, Request::Direct(true)).unwrap();
    world.pass(seconds(15));
    let events = world.take_events(ann);
    assert_eq!(
        events.last(),
        Some(&Event::Topology(Topology::Mesh)),
        "a single capable participant is left"
    );
    let outside = world.connect();
    assert_eq!(world.ask(outside, Request::Direct(true)).err(), Some(Rejection::NotJoined));
}

#[test]
fn handover_reaches_its_target_only() {
    let mut world = world(TopologyChoice::Auto);
    let (ann, ann_joined) = enter(&mut world, "Ann");
    let (ben, ben_joined) = enter(&mut world, "Ben");
    let (cem, _) = enter(&mut world, "Cem");
    for connection in [ann, ben, cem] {
        world.take_events(connection);
    }
    let to = |to: &ParticipantId| {
        Request::from(HandoverRequest { to: to.clone(), topology: Topology::Sfu })
    };
    world.ask(ann, to(&ben_joined.me.id)).unwrap();
    let event = Event::Handover { from: ann_joined.me.id.clone(), topology: Topology::Sfu };
    assert_eq!(world.take_events(ben), [event]);
    assert_eq!((world.take_events(ann), world.take_events(cem)), (vec![], vec![]));
    for nobody in [&ann_joined.me.id, &ParticipantId::sfu()] {
        assert_eq!(world.ask(ann, to(nobody)).err(), Some(Rejection::NoSuchParticipant));
    }
}

#[test]
fn sfu_messages_reach_the_sfu_only() {
    let mut world = world(TopologyChoice::Auto);
    let (ann, ann_joined) = enter(&mut world, "Ann");
    let (ben, _) = enter(&mut world, "Ben");
    world.take_events(ann);
    let tracks = [("0", TrackSource::Microphone), ("1", TrackSource::Camera)];
    for request in [publish(&tracks), signal(SdpType::Offer, "v=0"), signal(SdpType::Answer, "v=0")]
    {
        world.ask(ann, request.unwrap()).unwrap();
    }
    let messages: Vec<_> = std::mem::take(&mut world.to_sfu);
    assert!(messages.iter().all(|(from, _)| *from == ann_joined.me.id), "{messages:?}");
    assert!(matches!(
        &*messages,
        [(_, ToSfu::Publish(..)), (_, ToSfu::Description(_)), (_, ToSfu::Description(_))]
    ));
    let candidate = r#"{"to":"sfu","candidate":{"candidate":"candidate:1"}}"#;
    let candidate: SignalRequest = serde_json::from_str(candidate).unwrap();
    world.ask(ann, candidate.try_into().unwrap()).unwrap();
    assert_eq!(world.to_sfu, [], "candidates are ignored");
    assert_eq!(world.take_events(ben), []);
    let outside = world.connect();
    let refused = world.ask(outside, signal(SdpType::Offer, "v=0").unwrap());
    assert_eq!(refused.err(), Some(Rejection::NotJoined));
    assert_eq!(world.to_sfu, []);
}

#[test]
fn fixed_mesh_rejects_sfu_messages() {
    let mut world = world(TopologyChoice::Mesh);
    let (ann, _) = enter(&mut world, "Ann");
    for request in [publish(&[]), signal(SdpType::Offer, "v=0")] {
        assert_eq!(world.ask(ann, request.unwrap()).err(), Some(Rejection::NoSfu));
    }
    assert_eq!(world.to_sfu, []);
}

#[test]
fn subscriptions_are_filtered_to_present_others() {
    let mut world = world(TopologyChoice::Sfu);
    let (ann, ann_joined) = enter(&mut world, "Ann");
    let (_, ben_joined) = enter(&mut world, "Ben");
    let (cem, cem_joined) = enter(&mut world, "Cem");
    world.ask(cem, Request::Leave).unwrap();
    let wish = want(&ben_joined.me.id, TrackSource::Camera);
    let tracks = vec![
        wish.clone(),
        want(&cem_joined.me.id, TrackSource::Camera),
        want(&ann_joined.me.id, TrackSource::Camera),
    ];
    world.ask(ann, SubscribeRequest { tracks }.try_into().unwrap()).unwrap();
    assert_eq!(world.to_sfu, [(ann_joined.me.id, ToSfu::Subscribe(vec![wish]))]);
}

#[test]
fn sfu_messages_are_limited_and_without_duplicates() {
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
fn sfu_id_is_reserved() {
    let mut world = world(TopologyChoice::Sfu);
    let (ann, ann_joined) = enter(&mut world, "Ann");
    let (ben, ben_joined) = enter(&mut world, "Ben");
    let named = Join { id: Some(ParticipantId::sfu()), sfu: true, ..join("Eve") };
    let eve = world.connect();
    let refused = world.ask(eve, Request::from(named));
    assert!(matches!(refused, Err(Rejection::Invalid(_))));
    let written = r#"{"to":"x","from":"sfu","description":{"type":"offer","sdp":""}}"#;
    assert!(serde_json::from_str::<SignalRequest>(written).is_err());
    world.take_events(ben);
    let message = Message::Description(description(SdpType::Offer, "v=0"));
    world.send(ann, &ben_joined.me.id, message.clone()).unwrap();
    assert_eq!(world.take_events(ben), [Event::Message { from: ann_joined.me.id, message }]);
}

#[test]
fn sfu_events_are_numbered_and_replayed() {
    let mut world = world(TopologyChoice::Sfu);
    let (ann, ann_joined) = enter(&mut world, "Ann");
    let (ben, ben_joined) = enter(&mut world, "Ben");
    world.take_events(ann);
    let messages = [subscribed("3", &ben_joined.me.id), offer("v=0")];
    for word in &messages {
        say(&mut world, &ann_joined.me.id, word);
    }
    let last = world.last_number(ann);
    assert_eq!(world.take_events(ann), messages.clone().map(from_sfu));
    assert_eq!(world.take_events(ben), []);
    world.gone(ann, Departure::Lost);
    let (_, resumed) = world.resume(&ann_joined.resume, last);
    resumed.unwrap();
    let (again, resumed) = world.resume(&ann_joined.resume, Some(ann_joined.last));
    resumed.unwrap();
    let mut missed = vec![Event::Joined(ben_joined.me)];
    missed.extend(messages.map(from_sfu));
    assert_eq!(world.take_events(again), missed);
}

#[test]
fn newer_sfu_event_supersedes_the_older() {
    let mut world = world(TopologyChoice::Sfu);
    let (ann, ann_joined) = enter(&mut world, "Ann");
    let (_, ben_joined) = enter(&mut world, "Ben");
    let last = world.last_number(ann);
    let sdp = "s".repeat(MAX_SFU_SDP_BYTES);
    // Far more than the log can hold.
    for round in 0..100 {
        say(&mut world, &ann_joined.me.id, &subscribed(&round.to_string(), &ben_joined.me.id));
        say(&mut world, &ann_joined.me.id, &offer(&sdp));
        let answer = description(SdpType::Answer, &round.to_string());
        say(&mut world, &ann_joined.me.id, &FromSfu::Description(answer));
        for source in [TrackSource::Camera, TrackSource::Screen] {
            say(&mut world, &ann_joined.me.id, &wanted(source, round));
        }
        for what in [
            SfuRequestKind::Publish,
            SfuRequestKind::Subscribe,
            SfuRequestKind::Answer,
            SfuRequestKind::Offer,
        ] {
            say(&mut world, &ann_joined.me.id, &refused(what, round));
        }
    }
    world.gone(ann, Departure::Lost);
    let (again, resumed) = world.resume(&ann_joined.resume, last);
    resumed.unwrap();
    let answer = FromSfu::Description(description(SdpType::Answer, "99"));
    let (camera, screen) = (wanted(TrackSource::Camera, 99), wanted(TrackSource::Screen, 99));
    let (wish, link) = (refused(SfuRequestKind::Subscribe, 99), refused(SfuRequestKind::Offer, 99));
    let kept =
        [subscribed("99", &ben_joined.me.id), offer(&sdp), answer, camera, screen, wish, link];
    let kept = kept.map(from_sfu);
    assert_eq!(world.take_events(again), kept);
}

#[test]
fn speakers_are_not_replayed() {
    let mut world = world(TopologyChoice::Sfu);
    let (ann, ann_joined) = enter(&mut world, "Ann");
    let (ben, ben_joined) = enter(&mut world, "Ben");
    let last = world.last_number(ann);
    world.gone(ann, Departure::Lost);
    let speakers = vec![Speaker { participant: ben_joined.me.id, level: 90 }];
    world.room.handle_speakers(speakers.clone());
    world.drain();
    assert_eq!(std::mem::take(&mut world.received), [(ben, Event::Speakers(speakers))]);
    let (again, resumed) = world.resume(&ann_joined.resume, last);
    resumed.unwrap();
    assert_eq!(world.take_events(again), []);
}

#[test]
fn sfu_message_to_a_departed_participant_is_ignored() {
    let mut world = world(TopologyChoice::Sfu);
    let (ann, ann_joined) = enter(&mut world, "Ann");
    let (ben, _) = enter(&mut world, "Ben");
    world.ask(ann, Request::Leave).unwrap();
    assert_eq!(world.unlinked, std::slice::from_ref(&ann_joined.me.id));
    world.take_events(ann);
    world.take_events(ben);
    say(&mut world, &ann_joined.me.id, &offer("v=0"));
    assert_eq!((world.take_events(ann), world.take_events(ben)), (vec![], vec![]));
}

#[test]
fn media_interruption_is_sent_to_others() {
    let mut world = World::new(Settings { topology: TopologyChoice::Sfu, ..settings(8) });
    let (ann, ann_joined) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    world.ask(ann, Request::Direct(false)).unwrap();
    world.take_events(ben);
    let events = |interrupted| {
        Event::Updated(room::Participant { direct: false, interrupted, ..ann_joined.me.clone() })
    };
    let id = &ann_joined.me.id;
    for (interrupted, received) in
        [(false, vec![]), (true, vec![events(true)]), (true, vec![]), (false, vec![events(false)])]
    {
        world.room.handle_interrupted(world.now, id, interrupted);
        world.drain();
        assert_eq!(world.take_events(ben), received);
    }
    // Media of a direct participant does not pass the media server.
    world.room.handle_interrupted(world.now, id, true);
    world.drain();
    world.take_events(ben);
    world.ask(ann, Request::Direct(true)).unwrap();
    assert_eq!(world.take_events(ben), [Event::Updated(ann_joined.me.clone())]);
    world.room.handle_interrupted(world.now, id, true);
    world.drain();
    assert_eq!(world.take_events(ben), []);
}
