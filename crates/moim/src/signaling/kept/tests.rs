use ::room::{
    HostRule, Pass,
    protocol::{Entry, Policy},
    rights::Rights,
};

use super::{
    file::{FILE, MAX_FILE_BYTES},
    *,
};
use crate::store::Retention;

fn settings(capacity: u32, password: Option<&str>) -> Settings {
    Settings {
        password: password.map(|password| Password::new(password).unwrap()),
        stays_empty: Duration::from_secs(600),
        ..Settings::new(capacity)
    }
}

fn name(name: &str) -> RoomName {
    RoomName::new(name).unwrap()
}

/// Devices with a host.
fn hosted() -> KeptDevices {
    let roles = serde_json::json!([["ab".repeat(32), "host"]]);
    serde_json::from_value(serde_json::json!({ "roles": roles, "banned": [] })).unwrap()
}

fn chat(text: &str) -> ChatMessage {
    let json = serde_json::json!({ "from": "a", "name": "Ann", "text": text, "at": 7 });
    serde_json::from_value(json).unwrap()
}

/// A join with this password.
fn giving(password: Option<&Password>) -> Join {
    Join {
        id: None,
        name: ::room::name::DisplayName::guest(),
        password: password.cloned(),
        is_password_right: false,
        replaces: None,
        has_expired: false,
        media: ::room::protocol::MediaState::default(),
        sfu: false,
        device: None,
        pass: None,
        invitation: None,
        prefix: None,
        profile: None,
        listed: true,
    }
}

const STAYS: Duration = Duration::from_secs(600);
const PATIENCE: Duration = Duration::from_secs(20);

fn folder() -> (tempfile::TempDir, DataFolder) {
    let folder = tempfile::tempdir().unwrap();
    let data = DataFolder::open(folder.path()).unwrap();
    (folder, data)
}

fn in_store(data: &DataFolder) -> (Store, KeptRooms) {
    let store = Store::open(data, Retention { samples_days: 7 }).unwrap();
    let rooms = KeptRooms::open(Place::Store(store.clone(), Some(data.clone())), STAYS);
    (store, rooms)
}

/// Writes all, as if nothing came after.
fn write(store: &Store, rooms: &KeptRooms) {
    rooms.write_now().unwrap();
    store.flush(PATIENCE);
    assert_eq!(store.counts().dropped_failed, 0);
}

#[tokio::test]
async fn locked_room_survives_restart_without_storing_its_password() {
    let (_folder, data) = folder();
    let rooms = KeptRooms::open(Place::File(data.clone()), STAYS);
    rooms.keep(&name("tea"), &settings(13, Some("sesame")), KeptDevices::default());
    rooms.keep(&name("closed"), &settings(5, None), KeptDevices::default());
    rooms.forget(&name("closed"));
    rooms.write_now().unwrap();
    let text = data.read(FILE).unwrap().unwrap();
    assert!(text.contains("tea") && !text.contains("sesame") && !text.contains("closed"));
    check_tea(&KeptRooms::open(Place::File(data), STAYS)).await;
}

/// Checks that the locked room "tea" is as it was.
async fn check_tea(again: &KeptRooms) {
    assert!(again.holds(&name("tea")) && !again.holds(&name("closed")));
    let tea = name("tea");
    let code = |refused: Result<_, ErrorBody>| refused.map(|_| ()).unwrap_err().code;
    let (wrong, right) = (Password::new("x").unwrap(), Password::new("sesame").unwrap());
    assert_eq!(code(again.reopen(&tea, &giving(None)).await), ErrorCode::PasswordRequired);
    assert_eq!(code(again.reopen(&tea, &giving(Some(&wrong))).await), ErrorCode::WrongPassword);
    let (opened, ..) = again.reopen(&tea, &giving(Some(&right))).await.unwrap().unwrap();
    assert_eq!(opened.capacity, 13);
    assert!(opened.password.unwrap().matches(&right));
}

/// A token stands in for a password of which only the hash is known.
#[tokio::test]
async fn holder_of_a_token_opens_a_locked_room_whose_password_holds_for_others() {
    let (_folder, data) = folder();
    let (store, rooms) = in_store(&data);
    rooms.keep(&name("tea"), &settings(13, Some("sesame")), KeptDevices::default());
    write(&store, &rooms);
    drop((store, rooms));

    let (store, again) = in_store(&data);
    let tea = name("tea");
    let pass = Pass { identity: None, role: None, rights: Rights::ALL, waits: None };
    let join = Join { pass: Some(Box::new(pass)), ..giving(None) };
    let (opened, ..) = again.reopen(&tea, &join).await.unwrap().unwrap();
    assert!(opened.is_locked() && opened.password.is_none());
    again.opens(&tea);
    for (given, is_right) in [("x", false), ("sesame", true)] {
        let given = Password::new(given).unwrap();
        assert_eq!(again.is_right(&tea, &given).await.unwrap(), is_right);
    }
    again.keep(&tea, &opened, KeptDevices::default());
    write(&store, &again);
    drop((store, again));
    check_tea(&in_store(&data).1).await;
}

#[tokio::test]
async fn room_survives_in_the_store_with_password_hosts_policy_and_chat() {
    let (folder, data) = folder();
    let (store, rooms) = in_store(&data);
    let policy = Policy { entry: Entry::Locked, ..Policy::default() };
    let hosts = Some(HostRule::Next);
    let with = Settings { policy, hosts, listed: false, ..settings(13, Some("sesame")) };
    rooms.keep(&name("tea"), &with, hosted());
    rooms.add_chat(&name("tea"), &[chat("one"), chat("two")]);
    rooms.keep(&name("closed"), &settings(5, None), KeptDevices::default());
    write(&store, &rooms);
    rooms.forget(&name("closed"));
    // A room that was opened by a join is kept for its host, or else not.
    let joined = Settings { stays_empty: Duration::ZERO, hosts, ..settings(9, None) };
    rooms.keep(&name("hosted"), &joined, hosted());
    rooms.keep(&name("plain"), &joined, KeptDevices::default());
    rooms.add_chat(&name("tea"), &[chat("three")]);
    write(&store, &rooms);
    drop((store, rooms));
    let bytes = std::fs::read(folder.path().join("moim.db")).unwrap();
    assert!(!bytes.windows(6).any(|window| window == b"sesame"));

    let (_store, again) = in_store(&data);
    check_tea(&again).await;
    assert!(again.holds(&name("hosted")) && !again.holds(&name("plain")));
    let right = Password::new("sesame").unwrap();
    let (settings, reopening) =
        again.reopen(&name("tea"), &giving(Some(&right))).await.unwrap().unwrap();
    assert_eq!((settings.policy, settings.listed), (policy, false));
    assert_eq!(reopening.devices, hosted());
    assert!(reopening.until > std::time::Instant::now(), "it stays for a host");
    let texts: Vec<_> = reopening.chat.iter().map(|message| message.text.as_str()).collect();
    assert_eq!(texts, ["one", "two", "three"]);
}

#[test]
fn room_that_closes_while_its_row_waits_leaves_none() {
    let (_folder, data) = folder();
    let (store, rooms) = in_store(&data);
    for round in 0..3 {
        rooms.keep(&name("tea"), &settings(5 + round, Some("sesame")), hosted());
        rooms.queue(&store).unwrap();
        rooms.forget(&name("tea"));
        rooms.keep(&name("tea"), &settings(15 + round, None), hosted());
        write(&store, &rooms);
    }
    let rows = store.load(rooms::all).unwrap().unwrap();
    assert_eq!(rows.iter().map(|(row, _)| row.capacity).collect::<Vec<_>>(), [17]);
    rooms.forget(&name("tea"));
    write(&store, &rooms);
    assert_eq!(store.load(rooms::all).unwrap().unwrap(), []);
}

#[tokio::test]
async fn file_of_an_earlier_version_moves_into_the_store() {
    let (_folder, data) = folder();
    let rooms = KeptRooms::open(Place::File(data.clone()), STAYS);
    rooms.keep(&name("tea"), &settings(13, Some("sesame")), KeptDevices::default());
    rooms.write_now().unwrap();
    let (store, moved) = in_store(&data);
    assert_eq!(data.read(FILE).unwrap(), None);
    check_tea(&moved).await;
    drop((store, moved));
    let (_store, again) = in_store(&data);
    check_tea(&again).await;
}

#[test]
fn full_queue_loses_no_room() {
    let (_folder, data) = folder();
    let (store, rooms) = in_store(&data);
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (begin, begun) = std::sync::mpsc::channel();
    store.write(Importance::Record, move |_| {
        let _ = begin.send(());
        let _ = held.recv();
        Ok(())
    });
    // Otherwise the writer would still take some from the full queue.
    begun.recv_timeout(PATIENCE).unwrap();
    while store.write(Importance::Record, |_| Ok(())) {}
    rooms.keep(&name("tea"), &settings(13, None), KeptDevices::default());
    rooms.write_now().unwrap();
    drop(release);
    store.flush(PATIENCE);
    assert_eq!(store.load(rooms::all).unwrap().unwrap(), []);
    write(&store, &rooms);
    assert_eq!(store.load(rooms::all).unwrap().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn kept_room_expires_if_nobody_enters() {
    let (_folder, data) = folder();
    let (store, rooms) = in_store(&data);
    rooms.keep(&name("tea"), &settings(13, None), KeptDevices::default());
    write(&store, &rooms);
    drop((store, rooms));
    let (store, again) = in_store(&data);
    assert!(again.holds(&name("tea")));
    tokio::time::advance(STAYS).await;
    write(&store, &again);
    assert!(!again.holds(&name("tea")));
    assert_eq!(store.load(rooms::all).unwrap().unwrap(), []);
}

#[tokio::test]
async fn malformed_file_is_renamed() {
    let (_folder, data) = folder();
    let large = " ".repeat(MAX_FILE_BYTES + 1);
    for bad in ["{", "[]", r#"{"version":99,"rooms":[]}"#, &*large] {
        data.write(FILE, bad).unwrap();
        let rooms = KeptRooms::open(Place::File(data.clone()), STAYS);
        assert!(rooms.kept.lock().rooms.is_empty());
        let aside = data.path().join("rooms.json.bad");
        assert_eq!(std::fs::read_to_string(aside).unwrap(), bad);
        assert_eq!(data.read(FILE).unwrap(), None);
    }
}

#[tokio::test]
async fn number_of_kept_rooms_is_limited() {
    let rooms = KeptRooms::open(Place::Nowhere, STAYS);
    for number in 0..=MAX_ROOMS {
        rooms.keep(&name(&number.to_string()), &settings(2, None), KeptDevices::default());
    }
    assert_eq!(rooms.kept.lock().rooms.len(), MAX_ROOMS);
    assert!(!rooms.holds(&name(&MAX_ROOMS.to_string())));
}
