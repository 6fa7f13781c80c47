//! Acceptance check R7: a process that writes is killed, and the database opens without half a
//! room.

use std::{
    collections::BTreeMap,
    env,
    io::{self, BufRead, BufReader, Read, Write},
    process::{Command, Stdio},
};

use super::*;
use crate::store::{
    ids,
    rooms::{StoredMessage, StoredRoom},
};

const FOLDER: &str = "MOIM_TEST_STORE_FOLDER";
const ROOMS: i64 = 40;
/// Messages that a room is written with at once.
const AT_ONCE: i64 = 7;

/// Writes a room that says how many messages it has.
fn set_room(store: &Store, id: i64, version: i64) {
    let last = version * AT_ONCE;
    let room = StoredRoom {
        id,
        name: format!("room {id}"),
        template: None,
        capacity: 9,
        state: last.to_string(),
        opened: 1,
        changed: ids::now(),
    };
    let messages = (last - AT_ONCE + 1..=last).map(|number| StoredMessage {
        number,
        message: "x".repeat(usize::try_from(number % 700).unwrap()),
    });
    let chat: Vec<_> = messages.collect();
    store.write(Importance::Record, move |database| rooms::set(database, &room, &chat));
}

/// Returns the number of rooms, each of which must be whole.
fn check_rooms(store: &Store) -> usize {
    let rows = store.load(rooms::all).unwrap().unwrap();
    check_rows(&rows);
    rows.len()
}

fn check_rows(rows: &[(StoredRoom, Vec<StoredMessage>)]) {
    for (room, chat) in rows {
        let last: i64 = room.state.parse().unwrap();
        assert_eq!(chat.last().map(|message| message.number), Some(last), "{room:?}");
        let count = i64::try_from(chat.len()).unwrap();
        assert_eq!(count, last.min(200), "{room:?}");
    }
}

/// Writes until it is killed.
#[test]
#[ignore = "the process that is killed"]
fn process_that_is_killed() {
    let Some(folder) = env::var_os(FOLDER) else { return };
    let data = DataFolder::open(std::path::Path::new(&folder)).unwrap();
    let store = Store::open(&data, RETENTION).unwrap();
    let mut versions: BTreeMap<i64, i64> = (0..ROOMS).map(|id| (id, 0)).collect();
    for (room, _) in store.load(rooms::all).unwrap().unwrap() {
        versions.insert(room.id, room.state.parse::<i64>().unwrap() / AT_ONCE);
    }
    for round in 0.. {
        for (id, version) in &mut versions {
            *version += 1;
            set_room(&store, *id, *version);
        }
        store.flush(PATIENCE);
        if round == 0 {
            // All rooms are there: from now on it may be killed.
            writeln!(io::stdout(), "\nwriting").unwrap();
        }
    }
}

/// `MOIM_KILLS` says how often it is killed.
#[test]
fn killed_writer_leaves_no_half_room_and_no_damage() {
    let kills = env::var("MOIM_KILLS").map_or(100, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let data = DataFolder::open(folder.path()).unwrap();
    for kill in 0..kills {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "store::tests::crash::process_that_is_killed"])
            .args(["--ignored", "--nocapture", "--quiet"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while line.trim_end() != "writing" {
            line.clear();
            assert_ne!(lines.read_line(&mut line).unwrap(), 0, "it ended by itself");
        }
        std::thread::sleep(Duration::from_micros(rand::random_range(0..15_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        let _ = lines.read_to_string(&mut line);

        let connection = rusqlite::Connection::open(folder.path().join("moim.db")).unwrap();
        let check = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, String>(0)).ok();
        assert_eq!(check("PRAGMA integrity_check").as_deref(), Some("ok"), "kill {kill}");
        assert_eq!(check("SELECT 'orphan' FROM pragma_foreign_key_check"), None);
        drop(connection);
        let store = Store::open(&data, RETENTION).unwrap();
        assert_eq!(check_rooms(&store), usize::try_from(ROOMS).unwrap());
    }
}

/// The same on PostgreSQL: its server is killed while this process writes on.
#[test]
fn killed_database_server_loses_nothing_that_fits_the_queue() {
    const KILLS: i64 = 3;
    let Some(mut server) = server::TestServer::start() else { return };
    let database = server.new_database();
    let store = Store::connect(&database, RETENTION).unwrap();
    let mut version = 0;
    for _ in 0..KILLS {
        for _ in 0..4 {
            version += 1;
            (0..ROOMS).for_each(|id| set_room(&store, id, version));
        }
        std::thread::sleep(Duration::from_micros(rand::random_range(0..30_000)));
        server.kill();
        version += 1;
        (0..ROOMS).for_each(|id| set_room(&store, id, version));
        server.start_again();
        // By another connection: the store's own may still be on its way back.
        let rows = rooms::all(&mut database.connect().unwrap()).unwrap();
        check_rows(&rows);
    }
    store.flush(PATIENCE);
    assert_eq!(check_rooms(&store), usize::try_from(ROOMS).unwrap());
    let rows = store.load(rooms::all).unwrap().unwrap();
    assert!(rows.iter().all(|(room, _)| room.state == (version * AT_ONCE).to_string()));
    assert_eq!(store.counts(), StoreCounts::default());
}
