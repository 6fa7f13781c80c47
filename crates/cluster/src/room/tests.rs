//! A room, and an engine that answers as each test says.

use testnet::Clock;

use super::*;
use crate::{engine::EntryKind, node::Slot};

const ROOM: RoomKey = RoomKey([1; 16]);

fn node(slot: u16) -> NodeId {
    NodeId { slot: Slot::new(slot).unwrap(), boot: 9 }
}

fn epoch(value: u32) -> Epoch {
    Epoch::new(value).unwrap()
}

fn answer<T>(room: &mut OwnedRoom<T>, now: Instant, answer: Answer) -> Request {
    let (id, request) = room.poll_request(now).unwrap();
    room.handle_answer(now, id, Ok(answer));
    request
}

fn events<T>(room: &mut OwnedRoom<T>) -> Vec<RoomEvent<T>> {
    std::iter::from_fn(|| room.poll_event()).collect()
}

/// A room that node 1 claimed in epoch 100, with its first snapshot in the log.
fn owned(now: Instant) -> OwnedRoom<char> {
    let mut room = OwnedRoom::new(node(1), ROOM);
    room.open();
    answer(&mut room, now, Answer::Owner(None));
    answer(&mut room, now, Answer::Claimed(epoch(100)));
    let number = EventNumber::first(epoch(100));
    let payload = Payload::from([]);
    let claim = Entry { number, writer: node(1), kind: EntryKind::Claim, payload };
    answer(&mut room, now, Answer::Log(vec![claim.clone()]));
    assert_eq!(
        events(&mut room),
        [RoomEvent::Owned(epoch(100), vec![claim]), RoomEvent::SnapshotDue]
    );
    room.append_snapshot(now, Payload::from([])).unwrap();
    answer(&mut room, now, Answer::Appended);
    room
}

#[test]
fn effect_leaves_when_the_log_has_its_event() {
    let now = Clock::new().now();
    let mut room = owned(now);
    let number = room.append(now, Payload::from(*b"x"), 'x').unwrap();
    assert_eq!(number.to_string(), "100-2");
    assert_eq!(events(&mut room), []);
    answer(&mut room, now, Answer::Appended);
    let released = Released { output: 'x', is_kept: true };
    assert_eq!(events(&mut room), [RoomEvent::Released(released)]);
}

#[test]
fn fenced_owner_releases_nothing_more() {
    let now = Clock::new().now();
    let mut room = owned(now);
    room.append(now, Payload::from(*b"x"), 'x').unwrap();
    let top = Top { number: EventNumber::first(epoch(200)), writer: node(2) };
    answer(&mut room, now, Answer::Diverged(Some(top)));
    assert_eq!(events(&mut room), [RoomEvent::Fenced(top)]);
    assert_eq!(room.append(now, Payload::from(*b"y"), 'y'), Err(NotOwner));
    assert_eq!(room.poll_request(now), None);
}

#[test]
fn room_without_an_engine_goes_on_unkept_until_it_is_back() {
    let mut clock = Clock::new();
    let mut room = owned(clock.now());
    room.append(clock.now(), Payload::from(*b"x"), 'x').unwrap();
    let (id, _) = room.poll_request(clock.now()).unwrap();
    assert!(clock.jump([room.poll_timeout()]));
    room.handle_timeout(clock.now());
    let unkept = |output| RoomEvent::Released(Released { output, is_kept: false });
    assert_eq!(events(&mut room), [RoomEvent::Unkept, unkept('x')]);
    assert!(room.is_unkept());
    room.handle_answer(clock.now(), id, Err(Unanswered));
    room.append(clock.now(), Payload::from(*b"y"), 'y').unwrap();
    assert_eq!(events(&mut room), [unkept('y')]);
    assert_eq!(room.poll_request(clock.now()), None, "a pause before it is tried again");
    clock.advance(RETRY);
    let request = answer(&mut room, clock.now(), Answer::Appended);
    let Request::Append { entries, .. } = request else { panic!("{request:?}") };
    assert_eq!(entries.len(), 2);
    assert_eq!(events(&mut room), [RoomEvent::Kept]);
    assert!(!room.is_unkept());
}

#[test]
fn idle_room_puts_off_its_expiry_and_learns_who_owns_it() {
    let mut clock = Clock::new();
    let mut room = owned(clock.now());
    assert_eq!(room.poll_request(clock.now()), None);
    clock.advance(TOUCH);
    let request = answer(&mut room, clock.now(), Answer::Diverged(None));
    assert!(matches!(request, Request::Append { entries, .. } if entries.is_empty()));
    assert_eq!(events(&mut room), [RoomEvent::SnapshotDue], "the engine lost its memory");
    let number = room.append_snapshot(clock.now(), Payload::from([])).unwrap();
    let (_, request) = room.poll_request(clock.now()).unwrap();
    let Request::Append { after: None, entries, .. } = request else { panic!("{request:?}") };
    assert_eq!((entries[0].number, entries[0].kind), (number, EntryKind::Snapshot));
}

#[test]
fn owner_claims_again_before_the_numbers_of_its_epoch_run_out() {
    let now = Clock::new().now();
    let mut room = owned(now);
    let State::Owned(owned) = &mut room.state else { panic!() };
    owned.log.skip_numbers(9);
    room.append(now, Payload::from(*b"x"), 'x').unwrap();
    let request = answer(&mut room, now, Answer::Claimed(epoch(300)));
    let Request::Claim { seen, above, .. } = request else { panic!("{request:?}") };
    assert_eq!((seen, above), (Some(epoch(100)), epoch(100)));
    assert_eq!(events(&mut room), [RoomEvent::SnapshotDue]);
    let number = room.append_snapshot(now, Payload::from(*b"x")).unwrap();
    assert_eq!(number.to_string(), "300-1");
    answer(&mut room, now, Answer::Appended);
    let released = Released { output: 'x', is_kept: true };
    assert_eq!(events(&mut room), [RoomEvent::Released(released)]);
}

#[test]
fn claim_waits_for_the_clock_and_yields_to_a_faster_node() {
    let mut clock = Clock::new();
    let mut room: OwnedRoom<char> = OwnedRoom::new(node(1), ROOM);
    let top = |value, slot| Top { number: EventNumber::first(epoch(value)), writer: node(slot) };
    room.open();
    let found = |top, is_leased| Answer::Owner(Some(OwnerStatus { top, is_leased }));
    answer(&mut room, clock.now(), found(top(50, 2), false));
    assert_eq!(events(&mut room), [RoomEvent::Orphaned(top(50, 2))]);
    room.claim();
    answer(&mut room, clock.now(), Answer::TooSoon);
    assert!(clock.jump([room.poll_timeout()]));
    answer(&mut room, clock.now(), Answer::Occupied(Some(top(51, 3))));
    assert_eq!(events(&mut room), [RoomEvent::Elsewhere(top(51, 3))]);
}

#[test]
fn too_much_for_the_queue_is_replaced_by_a_snapshot() {
    let now = Clock::new().now();
    let mut room = owned(now);
    let large = Payload::from(vec![0; crate::log::MAX_PENDING_BYTES / 4]);
    for _ in 0..5 {
        room.append(now, large.clone(), 'x').unwrap();
    }
    assert_eq!(room.log_status(), Some(LogStatus::NeedsSnapshot));
    assert_eq!(events(&mut room), [RoomEvent::SnapshotDue]);
    room.append_snapshot(now, Payload::from([])).unwrap();
    let request = answer(&mut room, now, Answer::Appended);
    assert!(matches!(request, Request::Append { entries, .. } if entries.len() == 1));
    assert_eq!(events(&mut room).len(), 5, "all are released");
}

/// A room that node 1 opened without the engine in the second 300.
fn opened_unkept(now: Instant) -> OwnedRoom<char> {
    let mut room = OwnedRoom::new(node(1), ROOM);
    let first = room.open_unkept(now, epoch(300));
    assert_eq!((first.epoch(), first.count()), (epoch(300), 1 << 21));
    assert_eq!(events(&mut room), [RoomEvent::SnapshotDue, RoomEvent::Unkept]);
    room.append_snapshot(now, Payload::from([])).unwrap();
    room.append(now, Payload::from(*b"x"), 'x').unwrap();
    let released = Released { output: 'x', is_kept: false };
    assert_eq!(events(&mut room), [RoomEvent::Released(released)], "nothing waits");
    room
}

#[test]
fn room_that_was_opened_without_the_engine_is_claimed_when_it_is_back() {
    let now = Clock::new().now();
    let mut room = opened_unkept(now);
    let claim = answer(&mut room, now, Answer::Claimed(epoch(400)));
    let expected = Request::Claim { room: ROOM, seen: None, above: epoch(300), node: node(1) };
    assert_eq!(claim, expected);
    assert_eq!(events(&mut room), [RoomEvent::SnapshotDue]);
    room.append_snapshot(now, Payload::from(*b"x")).unwrap();
    let Request::Append { after, entries, .. } = answer(&mut room, now, Answer::Appended) else {
        panic!("it appends what it has")
    };
    assert_eq!((after, entries.len()), (Some(EventNumber::first(epoch(400))), 1));
    assert_eq!(events(&mut room), [RoomEvent::Kept]);
    assert_eq!(room.owned(), Some(epoch(400)));
}

#[test]
fn room_that_was_opened_without_the_engine_yields_to_a_higher_epoch_and_replaces_a_lower_one() {
    let now = Clock::new().now();
    let top = |value| Top { number: EventNumber::first(epoch(value)), writer: node(2) };
    let mut room = opened_unkept(now);
    answer(&mut room, now, Answer::Occupied(Some(top(301))));
    assert_eq!(events(&mut room), [RoomEvent::Fenced(top(301))]);
    let mut room = opened_unkept(now);
    answer(&mut room, now, Answer::Occupied(Some(top(200))));
    let Request::Claim { seen, .. } = answer(&mut room, now, Answer::Claimed(epoch(400))) else {
        panic!("it claims after the epoch that was found")
    };
    assert_eq!(seen, Some(epoch(200)));
}

#[test]
fn claim_that_another_node_won_tells_the_owner() {
    let now = Clock::new().now();
    let mut room: OwnedRoom<char> = OwnedRoom::new(node(1), ROOM);
    room.open();
    answer(&mut room, now, Answer::Owner(None));
    let top = Top { number: EventNumber::first(epoch(100)), writer: node(2) };
    answer(&mut room, now, Answer::Occupied(Some(top)));
    assert_eq!(events(&mut room), [RoomEvent::Elsewhere(top)]);
    assert_eq!(room.poll_request(now), None);
}
