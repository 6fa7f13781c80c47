use std::time::Duration;

use ::room::{
    HostRule, Join, KeptDevices, KeptState, Pass, Settings,
    name::RoomName,
    password::Password,
    protocol::{ChatMessage, Entry, ErrorBody, ErrorCode, Policy},
    rights::Rights,
};

use super::{
    file::{FILE, MAX_FILE_BYTES},
    rooms::MAX_ROOMS,
    secret::PasswordHash,
    *,
};
use crate::{
    data::DataFolder,
    store::{
        Importance, Retention, Store, rooms,
        sql::Database,
        tests::{Engine, on_both_engines},
    },
};

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

fn in_store(engine: &Engine) -> (Store, KeptRooms) {
    let store = engine.open();
    let rooms = KeptRooms::open(Backing::Store(store.clone(), None), stored(&store), STAYS);
    (store, rooms)
}

/// With a file of an earlier version.
fn in_store_of(data: &DataFolder) -> (Store, KeptRooms) {
    let store = Store::open(data, Retention { samples_days: 7 }).unwrap();
    let rooms =
        KeptRooms::open(Backing::Store(store.clone(), Some(data.clone())), stored(&store), STAYS);
    (store, rooms)
}

fn keep(rooms: &KeptRooms, room: &str, settings: Settings, devices: KeptDevices) {
    rooms.keep(&name(room), KeptState { settings, devices, metadata: String::new() });
}

/// Runs a test on a clock that moves only when the test says so.
fn on_a_paused_clock(test: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().unwrap().block_on(test);
}

fn execute(store: &Store, sql: &'static str) {
    store.write(Importance::Record, move |database: &mut dyn Database| {
        database.execute(sql, &[]).map(drop)
    });
    store.flush(PATIENCE);
}

fn stored(store: &Store) -> Vec<rooms::RoomRows> {
    store.load(rooms::all).unwrap().unwrap()
}

/// Writes all, as if nothing came after.
fn write(store: &Store, rooms: &KeptRooms) {
    rooms.write_now().unwrap();
    store.flush(PATIENCE);
    assert_eq!(store.counts().dropped_failed, 0);
}

on_both_engines! {
    holder_of_a_token_opens_a_locked_room_whose_password_holds_for_others;
    room_survives_in_the_store_with_password_hosts_policy_and_chat;
    room_that_closes_while_its_row_waits_leaves_none;
    full_queue_loses_no_room;
    kept_room_expires_if_nobody_enters;
    row_that_the_database_refuses_is_written_later;
    deletion_that_the_database_refuses_is_made_later;
    chat_that_waits_for_the_database_is_bounded;
    decision_is_over_once_its_row_is_written_or_deleted;
}

/// Returns whether what has changed in a room is on the disk, without waiting for it.
async fn is_on_disk(rooms: &KeptRooms, unsaved: Unsaved) -> bool {
    let waiting = rooms.write(&name("tea"), unsaved).wait();
    tokio::time::timeout(Duration::ZERO, waiting).await == Ok(Ok(()))
}

fn decision_is_over_once_its_row_is_written_or_deleted(engine: &Engine) {
    on_a_paused_clock(async {
        let (store, rooms) = in_store(engine);
        let keep = |capacity| {
            let settings = settings(capacity, None);
            let (devices, metadata) = (KeptDevices::default(), String::new());
            rooms.keep(&name("tea"), KeptState { settings, devices, metadata })
        };
        let first = keep(5);
        assert!(!is_on_disk(&rooms, first).await);
        write(&store, &rooms);
        assert!(is_on_disk(&rooms, first).await);
        assert_eq!(rooms.unsaved(&name("tea")), Unsaved::Nothing);
        // A refused row is written later, and what was decided meanwhile with it.
        execute(&store, "ALTER TABLE room RENAME TO elsewhere");
        let second = keep(6);
        let attempt = || {
            rooms.write_now().unwrap();
            store.flush(PATIENCE);
        };
        attempt();
        assert!(!is_on_disk(&rooms, second).await);
        let third = keep(7);
        execute(&store, "ALTER TABLE elsewhere RENAME TO room");
        // The first one waits for its time.
        attempt();
        tokio::time::advance(Duration::from_secs(2)).await;
        attempt();
        for unsaved in [second, third] {
            assert!(is_on_disk(&rooms, unsaved).await);
        }
        let fourth = keep(8);
        let removal = rooms.forget(&name("tea"));
        for unsaved in [fourth, removal] {
            assert!(!is_on_disk(&rooms, unsaved).await);
        }
        attempt();
        for unsaved in [fourth, removal] {
            assert!(is_on_disk(&rooms, unsaved).await, "nothing of it is left");
        }
        assert_eq!(rooms.forget(&name("tea")), Unsaved::Nothing);
    });
}

#[tokio::test]
async fn decision_without_a_place_to_keep_it_waits_for_nothing() {
    let rooms = KeptRooms::open(Backing::None, Vec::new(), STAYS);
    let (settings, metadata) = (settings(5, None), String::new());
    let state = KeptState { settings, devices: KeptDevices::default(), metadata };
    assert_eq!(rooms.keep(&name("tea"), state), Unsaved::Nothing);
    assert_eq!(rooms.forget(&name("tea")), Unsaved::Nothing);
    let (_folder, data) = folder();
    let rooms = KeptRooms::open(Backing::File(data), Vec::new(), STAYS);
    let (settings, metadata) = (self::settings(5, None), String::new());
    let state = KeptState { settings, devices: KeptDevices::default(), metadata };
    let unsaved = rooms.keep(&name("tea"), state);
    assert!(!is_on_disk(&rooms, unsaved).await);
    rooms.write_now().unwrap();
    assert!(is_on_disk(&rooms, unsaved).await, "in the file");
    let removal = rooms.forget(&name("tea"));
    assert!(!is_on_disk(&rooms, removal).await);
    rooms.write_now().unwrap();
    assert!(is_on_disk(&rooms, removal).await);
}

#[tokio::test]
async fn locked_room_survives_restart_without_storing_its_password() {
    let (_folder, data) = folder();
    let rooms = KeptRooms::open(Backing::File(data.clone()), Vec::new(), STAYS);
    keep(&rooms, "tea", settings(13, Some("sesame")), KeptDevices::default());
    keep(&rooms, "closed", settings(5, None), KeptDevices::default());
    rooms.forget(&name("closed"));
    rooms.write_now().unwrap();
    let text = data.read(FILE).unwrap().unwrap();
    assert!(text.contains("tea") && !text.contains("sesame") && !text.contains("closed"));
    check_tea(&KeptRooms::open(Backing::File(data), Vec::new(), STAYS)).await;
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
fn holder_of_a_token_opens_a_locked_room_whose_password_holds_for_others(engine: &Engine) {
    on_a_paused_clock(async {
        let (store, rooms) = in_store(engine);
        keep(&rooms, "tea", settings(13, Some("sesame")), KeptDevices::default());
        write(&store, &rooms);
        drop((store, rooms));

        let (store, again) = in_store(engine);
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
        keep(&again, "tea", opened, KeptDevices::default());
        write(&store, &again);
        drop((store, again));
        check_tea(&in_store(engine).1).await;
    });
}

fn room_survives_in_the_store_with_password_hosts_policy_and_chat(engine: &Engine) {
    on_a_paused_clock(async {
        let (store, rooms) = in_store(engine);
        let policy = Policy { entry: Entry::Locked, ..Policy::default() };
        let hosts = Some(HostRule::Next);
        let with = Settings { policy, hosts, listed: false, ..settings(13, Some("sesame")) };
        let metadata = "lesson 5".to_owned();
        rooms.keep(&name("tea"), KeptState { settings: with, devices: hosted(), metadata });
        rooms.add_chat(&name("tea"), &[chat("one"), chat("two")]);
        keep(&rooms, "closed", settings(5, None), KeptDevices::default());
        write(&store, &rooms);
        rooms.forget(&name("closed"));
        // A room that was opened by a join is kept for its host, or else not.
        let joined = Settings { stays_empty: Duration::ZERO, hosts, ..settings(9, None) };
        keep(&rooms, "hosted", joined.clone(), hosted());
        keep(&rooms, "plain", joined.clone(), KeptDevices::default());
        rooms.add_chat(&name("tea"), &[chat("three")]);
        write(&store, &rooms);
        assert!(!format!("{:?}", stored(&store)).contains("sesame"));
        drop((store, rooms));

        let (_store, again) = in_store(engine);
        check_tea(&again).await;
        assert!(again.holds(&name("hosted")) && !again.holds(&name("plain")));
        let right = Password::new("sesame").unwrap();
        let (settings, reopening) =
            again.reopen(&name("tea"), &giving(Some(&right))).await.unwrap().unwrap();
        assert_eq!((settings.policy, settings.listed), (policy, false));
        assert_eq!((reopening.devices, &*reopening.metadata), (hosted(), "lesson 5"));
        assert!(reopening.until > std::time::Instant::now(), "it stays for a host");
        let texts: Vec<_> = reopening.chat.iter().map(|message| message.text.as_str()).collect();
        assert_eq!(texts, ["one", "two", "three"]);
    });
}

fn room_that_closes_while_its_row_waits_leaves_none(engine: &Engine) {
    let (store, rooms) = in_store(engine);
    for round in 0..3 {
        keep(&rooms, "tea", settings(5 + round, Some("sesame")), hosted());
        rooms.queue(&store).unwrap();
        rooms.forget(&name("tea"));
        keep(&rooms, "tea", settings(15 + round, None), hosted());
        write(&store, &rooms);
    }
    let rows = stored(&store);
    assert_eq!(rows.iter().map(|(row, _)| row.capacity).collect::<Vec<_>>(), [17]);
    rooms.forget(&name("tea"));
    write(&store, &rooms);
    assert_eq!(stored(&store), []);
}

#[tokio::test]
async fn file_of_an_earlier_version_moves_into_the_store() {
    let (_folder, data) = folder();
    let rooms = KeptRooms::open(Backing::File(data.clone()), Vec::new(), STAYS);
    keep(&rooms, "tea", settings(13, Some("sesame")), KeptDevices::default());
    rooms.write_now().unwrap();
    let (store, moved) = in_store_of(&data);
    assert_eq!(data.read(FILE).unwrap(), None);
    check_tea(&moved).await;
    drop((store, moved));
    let (_store, again) = in_store_of(&data);
    check_tea(&again).await;
}

fn full_queue_loses_no_room(engine: &Engine) {
    let (store, rooms) = in_store(engine);
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
    keep(&rooms, "tea", settings(13, None), KeptDevices::default());
    rooms.write_now().unwrap();
    drop(release);
    store.flush(PATIENCE);
    assert_eq!(stored(&store), []);
    write(&store, &rooms);
    assert_eq!(stored(&store).len(), 1);
}

fn kept_room_expires_if_nobody_enters(engine: &Engine) {
    on_a_paused_clock(async {
        let (store, rooms) = in_store(engine);
        keep(&rooms, "tea", settings(13, None), KeptDevices::default());
        write(&store, &rooms);
        drop((store, rooms));
        let (store, again) = in_store(engine);
        assert!(again.holds(&name("tea")));
        tokio::time::advance(STAYS).await;
        write(&store, &again);
        assert!(!again.holds(&name("tea")));
        assert_eq!(stored(&store), []);
    });
}

#[tokio::test]
async fn malformed_file_is_renamed() {
    let (_folder, data) = folder();
    let large = " ".repeat(MAX_FILE_BYTES + 1);
    for bad in ["{", "[]", r#"{"version":99,"rooms":[]}"#, &*large] {
        data.write(FILE, bad).unwrap();
        let rooms = KeptRooms::open(Backing::File(data.clone()), Vec::new(), STAYS);
        assert!(rooms.table.lock().rooms.is_empty());
        let aside = data.path().join("rooms.json.bad");
        assert_eq!(std::fs::read_to_string(aside).unwrap(), bad);
        assert_eq!(data.read(FILE).unwrap(), None);
    }
}

#[tokio::test]
async fn number_of_kept_rooms_is_limited() {
    let rooms = KeptRooms::open(Backing::None, Vec::new(), STAYS);
    for number in 0..=MAX_ROOMS {
        keep(&rooms, &number.to_string(), settings(2, None), KeptDevices::default());
    }
    assert_eq!(rooms.table.lock().rooms.len(), MAX_ROOMS);
    assert!(!rooms.holds(&name(&MAX_ROOMS.to_string())));
}

fn row_that_the_database_refuses_is_written_later(engine: &Engine) {
    on_a_paused_clock(async {
        let (store, rooms) = in_store(engine);
        execute(&store, "ALTER TABLE room RENAME TO elsewhere");
        keep(&rooms, "tea", settings(13, None), hosted());
        rooms.add_chat(&name("tea"), &[chat("one")]);
        let attempt = || {
            rooms.write_now().unwrap();
            store.flush(PATIENCE);
            store.counts().dropped_failed
        };
        assert_eq!(attempt(), 1);
        assert_eq!(attempt(), 1, "not again at once");
        let due = rooms.table.lock().next_attempt().unwrap();
        tokio::time::advance(due - tokio::time::Instant::now()).await;
        assert_eq!(attempt(), 2);
        assert_eq!(attempt(), 2);
        let due = rooms.table.lock().next_attempt().unwrap() - tokio::time::Instant::now();
        assert_eq!(due, Duration::from_secs(2), "each pause is longer");
        execute(&store, "ALTER TABLE elsewhere RENAME TO room");
        tokio::time::advance(due).await;
        assert_eq!(attempt(), 2);
        let rows = stored(&store);
        assert_eq!((rows.len(), rows[0].0.capacity, rows[0].1.len()), (1, 13, 1));
        assert!(rooms.table.lock().next_attempt().is_none());
    });
}

fn deletion_that_the_database_refuses_is_made_later(engine: &Engine) {
    on_a_paused_clock(async {
        let (store, rooms) = in_store(engine);
        keep(&rooms, "tea", settings(13, None), hosted());
        write(&store, &rooms);
        execute(&store, "ALTER TABLE room RENAME TO elsewhere");
        rooms.forget(&name("tea"));
        for _ in 0..2 {
            rooms.write_now().unwrap();
            store.flush(PATIENCE);
        }
        assert_eq!(store.counts().dropped_failed, 1);
        execute(&store, "ALTER TABLE elsewhere RENAME TO room");
        assert_eq!(stored(&store).len(), 1);
        let due = rooms.table.lock().next_attempt().unwrap();
        tokio::time::advance(due - tokio::time::Instant::now()).await;
        rooms.write_now().unwrap();
        store.flush(PATIENCE);
        assert_eq!(stored(&store), []);
    });
}

fn chat_that_waits_for_the_database_is_bounded(engine: &Engine) {
    let (store, rooms) = in_store(engine);
    keep(&rooms, "tea", settings(13, None), hosted());
    let (release, held) = std::sync::mpsc::channel::<()>();
    store.write(Importance::Record, move |_| {
        let _ = held.recv();
        Ok(())
    });
    for n in 0..1000 {
        rooms.add_chat(&name("tea"), &[chat(&n.to_string())]);
        if n % 300 == 0 {
            rooms.write_now().unwrap();
        }
    }
    assert!(store.counts().depth <= 1, "one row of a room is on its way at a time");
    drop(release);
    store.flush(PATIENCE);
    write(&store, &rooms);
    let texts = |store: &Store| stored(store)[0].1.iter().map(|row| row.number).collect::<Vec<_>>();
    assert_eq!(texts(&store), (801..=1000).collect::<Vec<i64>>());
    let long = "long ".repeat(390);
    (0..100).for_each(|_| rooms.add_chat(&name("tea"), &[chat(&long)]));
    write(&store, &rooms);
    let new = texts(&store).into_iter().filter(|number| *number > 1000).count();
    assert!((31..=33).contains(&new), "64 KiB of it: {new}");
}

#[test]
fn room_is_in_no_file_before_its_password_is_hashed() {
    let (_folder, data) = folder();
    let rooms = KeptRooms::open(Backing::File(data.clone()), Vec::new(), STAYS);
    keep(&rooms, "tea", settings(13, Some("sesame")), KeptDevices::default());
    keep(&rooms, "hall", settings(40, None), KeptDevices::default());
    rooms.write_file(&data).unwrap();
    let text = data.read(FILE).unwrap().unwrap();
    assert!(text.contains("hall") && !text.contains("tea"), "it would be unlocked: {text}");
    rooms.write_now().unwrap();
    let text = data.read(FILE).unwrap().unwrap();
    assert!(text.contains("hall") && text.contains("tea"), "{text}");
}

/// A room that has a kept password and was not known here any more, as after a row that could not be
/// read. Without the password, its row would unlock it after the next restart.
#[test]
fn locked_room_whose_password_is_not_known_is_not_written() {
    let (_folder, data) = folder();
    let rooms = KeptRooms::open(Backing::File(data.clone()), Vec::new(), STAYS);
    let locked = Settings { has_kept_password: true, ..settings(13, None) };
    keep(&rooms, "tea", locked.clone(), hosted());
    keep(&rooms, "hall", settings(40, None), KeptDevices::default());
    rooms.write_now().unwrap();
    let text = data.read(FILE).unwrap().unwrap();
    assert!(text.contains("hall") && !text.contains("tea"), "{text}");
    let engine = Engine::sqlite().unwrap();
    let (store, rooms) = in_store(&engine);
    keep(&rooms, "tea", locked, hosted());
    write(&store, &rooms);
    assert_eq!(stored(&store), []);
    // A new password is known.
    keep(&rooms, "tea", settings(13, Some("sesame")), hosted());
    write(&store, &rooms);
    assert!(stored(&store)[0].0.state.contains("\"password\""));
}

#[test]
fn room_that_changes_its_password_often_delays_no_other() {
    let rooms = KeptRooms::open(Backing::None, Vec::new(), STAYS);
    for room in ["a", "b", "c"] {
        keep(&rooms, room, settings(9, Some("first")), hosted());
    }
    let mut hashed = Vec::new();
    for pass in 0..2 {
        let hash = |password: &Password| {
            hashed.push(String::from(password.clone()));
            // Meanwhile the first room changes its password, three times.
            for change in 0..3 {
                let next = format!("{pass}/{}/{change}", hashed.len());
                keep(&rooms, "a", settings(9, Some(&next)), hosted());
            }
            PasswordHash::of(password)
        };
        rooms.hash_passwords(hash, || Ok(())).unwrap();
    }
    // Each room once; then the first one again, with its last password alone.
    assert_eq!(hashed, ["first", "first", "first", "0/3/2"]);
}
