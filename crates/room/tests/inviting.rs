//! Invitations: who makes them, who enters with them, and what they pass.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that is wrong may fail")]

mod world;

use room::{
    Connection, Creator, Hosting, Inviting, Join, KeptState, Limits, MAX_INVITATIONS, Operation,
    PresentedInvitation, Rejection, Reopening, Reply, Request, Room, Settings,
    name::RoomName,
    password::Password,
    protocol::{Entry, Invitation, InviteRequest, Invited, Policy},
    rights::Role,
};
use world::{
    World,
    hosts::{Person, device, enter, full_house, host, hosted, role_of, with_entry},
    join, seconds,
};

const NOW: u64 = 1_800_000_000_000;

fn for_role(role: Role) -> InviteRequest {
    InviteRequest { role, uses: None, seconds: None }
}

fn ask(world: &mut World, from: Connection, at: u64, asked: Inviting) -> Result<Reply, Rejection> {
    world.ask(from, Request::Inviting { at, asked })
}

fn invite(world: &mut World, from: Connection, asked: InviteRequest) -> Result<Invited, Rejection> {
    match ask(world, from, NOW, Inviting::Invite(asked))? {
        Reply::Invited(made) => Ok(*made),
        other => panic!("{other:?}"),
    }
}

fn list(world: &mut World, from: Connection, at: u64) -> Vec<Invitation> {
    match ask(world, from, at, Inviting::List).unwrap() {
        Reply::Invitations(list) => list.invitations,
        other => panic!("{other:?}"),
    }
}

/// Joins with an invitation at a time, from a device.
fn come(world: &mut World, made: &Invited, at: u64, n: usize) -> Result<Person, Rejection> {
    let connection = world.connect();
    let invitation = Some(PresentedInvitation { key: made.key.clone(), at });
    let join = Join { invitation, device: device(n), ..join("Guest") };
    let admission = world.admitted(connection, Request::from(join))?;
    Ok(Person { at: connection, admission })
}

fn hosted_by_hana(settings: Settings) -> (World, Person) {
    let mut world = World::new(settings);
    let hana = enter(&mut world, "Hana", device(0)).unwrap();
    (world, hana)
}

#[test]
fn guests_enter_with_the_role_of_their_invitation_and_without_the_password() {
    for role in [Role::Viewer, Role::Speaker, Role::CoHost] {
        let password = Some(Password::new("sesame").unwrap());
        let settings = Settings { password: password.clone(), ..hosted() };
        let mut world = World::new(settings);
        let at = world.connect();
        let first = Join { password, device: device(0), ..join("Hana") };
        world.admitted(at, Request::from(first)).unwrap();
        let made = invite(&mut world, at, for_role(role)).unwrap();
        assert_eq!(made.invitation.by.as_ref().unwrap().as_str(), "Hana");
        assert_eq!(enter(&mut world, "Eve", None).err(), Some(Rejection::PasswordRequired));
        let guest = come(&mut world, &made, NOW, 1).unwrap();
        assert_eq!(role_of(&world, &guest.id()), Some(role));
    }
}

#[test]
fn any_invitation_passes_the_waiting_room_and_only_a_co_hosts_a_lock() {
    for (entry, role, outcome) in [
        (Entry::Waiting, Role::Viewer, None),
        (Entry::Waiting, Role::CoHost, None),
        (Entry::Locked, Role::Viewer, Some(Rejection::RoomLocked)),
        (Entry::Locked, Role::Speaker, Some(Rejection::RoomLocked)),
        (Entry::Locked, Role::CoHost, None),
    ] {
        let (mut world, hana) = hosted_by_hana(with_entry(entry));
        let asked = InviteRequest { uses: Some(1), ..for_role(role) };
        let made = invite(&mut world, hana.at, asked).unwrap();
        assert_eq!(come(&mut world, &made, NOW, 1).err(), outcome, "{entry:?} {role:?}");
        let used = u32::from(outcome.is_none());
        assert_eq!(list(&mut world, hana.at, NOW)[0].used, used, "a refused guest uses none up");
    }
}

#[test]
fn uses_are_counted_by_device_so_that_a_reload_costs_none() {
    let (mut world, hana) = hosted_by_hana(hosted());
    let asked = InviteRequest { uses: Some(2), ..for_role(Role::Speaker) };
    let made = invite(&mut world, hana.at, asked).unwrap();
    let first = come(&mut world, &made, NOW, 1).unwrap();
    world.ask(first.at, Request::Leave).unwrap();
    come(&mut world, &made, NOW, 1).unwrap();
    come(&mut world, &made, NOW, 2).unwrap();
    assert_eq!(come(&mut world, &made, NOW, 3).err(), Some(Rejection::InvitationUsedUp));
    assert_eq!(list(&mut world, hana.at, NOW)[0].used, 2);
    assert!(come(&mut world, &made, NOW, 2).is_ok(), "comes back");
}

#[test]
fn a_full_room_uses_no_invitation_up() {
    let (mut world, hana) = hosted_by_hana(Settings { capacity: 1, ..hosted() });
    let asked = InviteRequest { uses: Some(1), ..for_role(Role::Speaker) };
    let made = invite(&mut world, hana.at, asked).unwrap();
    assert_eq!(come(&mut world, &made, NOW, 1).err(), Some(Rejection::RoomFull));
    assert_eq!(list(&mut world, hana.at, NOW)[0].used, 0);
}

#[test]
fn ended_and_wrong_invitations_are_told_apart() {
    let (mut world, hana) = hosted_by_hana(hosted());
    let asked = InviteRequest { seconds: Some(60), ..for_role(Role::Speaker) };
    let made = invite(&mut world, hana.at, asked).unwrap();
    assert_eq!(made.invitation.expires, Some(NOW + 60_000));
    assert!(come(&mut world, &made, NOW + 59_999, 1).is_ok());
    let expired = come(&mut world, &made, NOW + 60_000, 2).err();
    assert_eq!(expired, Some(Rejection::InvitationExpired));
    assert!(list(&mut world, hana.at, NOW + 60_000).is_empty());

    let made = invite(&mut world, hana.at, for_role(Role::Speaker)).unwrap();
    let guest = come(&mut world, &made, NOW, 3).unwrap();
    let revoke = Inviting::Revoke(made.invitation.id.clone());
    ask(&mut world, hana.at, NOW, revoke.clone()).unwrap();
    assert_eq!(come(&mut world, &made, NOW, 4).err(), Some(Rejection::InvitationRevoked));
    assert!(role_of(&world, &guest.id()).is_some(), "who has entered stays");
    let again = ask(&mut world, hana.at, NOW, revoke).err();
    assert_eq!(again, Some(Rejection::NoSuchInvitation));

    let wrong = Invited { key: "x".repeat(26).try_into().unwrap(), ..made };
    assert_eq!(come(&mut world, &wrong, NOW, 5).err(), Some(Rejection::InvalidInvitation));
    assert!(Rejection::InvalidInvitation.is_wrong_guess());
    assert!(!Rejection::InvitationExpired.is_wrong_guess());
}

#[test]
fn only_those_who_admit_invite_and_only_hosts_invite_co_hosts() {
    let (mut world, people) = full_house(hosted());
    for person in &people {
        let role = role_of(&world, &person.id()).unwrap();
        for invited in [Role::Viewer, Role::Speaker, Role::CoHost, Role::Host] {
            let made = invite(&mut world, person.at, for_role(invited));
            let may = match invited {
                Role::Host => false,
                Role::CoHost => role == Role::Host,
                _ => role >= Role::CoHost,
            };
            assert_eq!(made.is_ok(), may, "{role:?} invites {invited:?}: {made:?}");
        }
        let listed = ask(&mut world, person.at, NOW, Inviting::List);
        assert_eq!(listed.is_ok(), role >= Role::CoHost, "{role:?}");
    }
    let mine = invite(&mut world, people[4].at, for_role(Role::CoHost)).unwrap();
    let revoke = Inviting::Revoke(mine.invitation.id);
    let co_host = people.iter().find(|one| role_of(&world, &one.id()) == Some(Role::CoHost));
    let co_host = co_host.unwrap().at;
    assert_eq!(ask(&mut world, co_host, NOW, revoke).err(), Some(Rejection::Forbidden));
}

#[test]
fn the_operator_invites_with_all_rights() {
    let mut world = World::new(hosted());
    let asked = Inviting::Invite(for_role(Role::CoHost));
    let reply = world.room.operate(world.now, Operation::Inviting { at: NOW, asked }).unwrap();
    let Reply::Invited(made) = reply else { panic!("{reply:?}") };
    assert_eq!(made.invitation.by, None);
    let guest = come(&mut world, &made, NOW, 1).unwrap();
    assert_eq!(role_of(&world, &guest.id()), Some(Role::CoHost), "not the host, though first");
}

#[test]
fn numbers_are_bounded_and_ended_invitations_make_room() {
    let (mut world, hana) = hosted_by_hana(hosted());
    for wrong in [
        InviteRequest { uses: Some(0), ..for_role(Role::Speaker) },
        InviteRequest { uses: Some(1_001), ..for_role(Role::Speaker) },
        InviteRequest { seconds: Some(0), ..for_role(Role::Speaker) },
        InviteRequest { seconds: Some(2_592_001), ..for_role(Role::Speaker) },
    ] {
        let refused = invite(&mut world, hana.at, wrong).err();
        assert!(matches!(refused, Some(Rejection::Invalid(_))), "{wrong:?}");
    }
    let made: Vec<_> = (0..MAX_INVITATIONS)
        .map(|_| invite(&mut world, hana.at, for_role(Role::Speaker)).unwrap())
        .collect();
    let refused = invite(&mut world, hana.at, for_role(Role::Speaker)).err();
    assert!(matches!(refused, Some(Rejection::Invalid(_))));
    let revoke = Inviting::Revoke(made[7].invitation.id.clone());
    ask(&mut world, hana.at, NOW, revoke).unwrap();
    invite(&mut world, hana.at, for_role(Role::Speaker)).unwrap();
    assert!(come(&mut world, &made[6], NOW, 1).is_ok(), "the others stay");
    assert_eq!(come(&mut world, &made[7], NOW, 1).err(), Some(Rejection::InvalidInvitation));
}

/// Invitations, their uses and what was revoked survive a warm restart and a crash, as hashes.
#[test]
fn invitations_survive_restarts_without_their_keys() {
    let settings = || {
        let password = Some(Password::new("sesame").unwrap());
        let creator = Creator { connection: Connection(1), device: device(0) };
        Settings { password, creator: Some(creator), ..hosted() }
    };
    let prepared = || {
        let mut world = World::new(settings());
        let at = world.connect();
        let password = Some(Password::new("sesame").unwrap());
        let first = Join { password, device: device(0), ..join("Hana") };
        world.admitted(at, Request::from(first)).unwrap();
        let asked = InviteRequest { uses: Some(2), ..for_role(Role::Viewer) };
        let made = invite(&mut world, at, asked).unwrap();
        let void = invite(&mut world, at, for_role(Role::Speaker)).unwrap();
        ask(&mut world, at, NOW, Inviting::Revoke(void.invitation.id.clone())).unwrap();
        come(&mut world, &made, NOW, 1).unwrap();
        (world, made, void)
    };
    let check = |world: &mut World, made: &Invited, void: &Invited| {
        assert!(come(world, made, NOW, 1).is_ok(), "knows the device");
        let second = come(world, made, NOW, 2).unwrap();
        assert_eq!(role_of(world, &second.id()), Some(Role::Viewer));
        assert_eq!(come(world, made, NOW, 3).err(), Some(Rejection::InvitationUsedUp));
        assert_eq!(come(world, void, NOW, 4).err(), Some(Rejection::InvitationRevoked));
    };

    let (mut world, made, void) = prepared();
    let snapshot = serde_json::to_string(&world.room.snapshot(world.now).unwrap()).unwrap();
    assert!(!snapshot.contains(made.key.as_str()));
    let snapshot = serde_json::from_str(&snapshot).unwrap();
    world.room = Room::restore(world.now, snapshot, Limits::default(), [9; 32]);
    world.drain();
    check(&mut world, &made, &void);

    let (mut world, made, void) = prepared();
    let KeptState { settings, devices, metadata } =
        world.room.take_unkept().unwrap().state.unwrap();
    let kept = serde_json::to_string(&devices).unwrap();
    assert!(!kept.contains(made.key.as_str()));
    let devices: room::KeptDevices = serde_json::from_str(&kept).unwrap();
    let invitation = |made: &Invited| PresentedInvitation { key: made.key.clone(), at: NOW };
    assert_eq!(devices.check_invitation(&invitation(&made), device(2).as_ref()), Ok(()));
    let void_error = devices.check_invitation(&invitation(&void), device(2).as_ref());
    assert_eq!(void_error, Err(Rejection::InvitationRevoked));
    let reopening =
        Reopening { devices, chat: Vec::new(), metadata, until: world.now + seconds(60) };
    // The server has only a hash of the password.
    let settings = Settings { password: None, has_kept_password: true, creator: None, ..settings };
    let name = RoomName::new("tea").unwrap();
    world.room = Room::reopen(world.now, name, settings, reopening, Limits::default(), [9; 32]);
    world.drain();
    check(&mut world, &made, &void);
    assert!(world.room.summary().locked);
    let given = |is_password_right| Join {
        password: Some(Password::new("sesame").unwrap()),
        is_password_right,
        ..join("Ann")
    };
    for (join, outcome) in [
        (join("Ann"), Some(Rejection::PasswordRequired)),
        (given(false), Some(Rejection::WrongPassword)),
        (given(true), None),
    ] {
        let at = world.connect();
        assert_eq!(world.admitted(at, Request::from(join)).err(), outcome);
    }
}

#[test]
fn without_first_host_whoever_comes_first_is_a_newcomer() {
    let policy = Policy { newcomers: Role::Viewer, ..Policy::default() };
    let mut world = World::new(Settings { first_is_host: false, policy, ..hosted() });
    let first = enter(&mut world, "Ann", device(1)).unwrap();
    assert_eq!(role_of(&world, &first.id()), Some(Role::Viewer));
    let refused = host(&mut world, &first, Hosting::End).err();
    assert_eq!(refused, Some(Rejection::Forbidden));
}
