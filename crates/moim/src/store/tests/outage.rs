//! What only a database on a network does: connections break, and it is away for a while.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use super::*;

/// Ends all other connections of the store's database.
fn end_connections(server: &PostgresServer) {
    let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    server.connect().unwrap().query(sql, &[]).unwrap();
}

#[test]
fn broken_connection_loses_and_doubles_no_write() {
    const BREAKS: usize = 10;
    let Some(server) = postgres_server() else { return };
    let store = Store::connect(&server, RETENTION).unwrap();
    let mut written = Vec::new();
    for round in 0..BREAKS {
        for n in 0..50 {
            let name = format!("{round}/{n}");
            note(&store, Importance::Record, &name);
            written.push(name);
        }
        std::thread::sleep(Duration::from_micros(rand::random_range(0..20_000)));
        end_connections(&server);
    }
    store.flush(PATIENCE);
    assert_eq!(names(&store), written);
    assert_eq!(store.counts(), StoreCounts::default());
}

#[test]
fn database_that_is_away_fills_the_queue_and_blocks_nobody() {
    let Some(mut server) = server::TestServer::start() else { return };
    let store = Store::connect(&server.new_database(), RETENTION).unwrap();
    note(&store, Importance::Record, "before");
    store.flush(PATIENCE);
    server.kill();
    let longest = (0..CAPACITY + 2000)
        .map(|n| {
            let start = std::time::Instant::now();
            note(&store, Importance::Record, &format!("record {n}"));
            start.elapsed()
        })
        .max()
        .unwrap();
    assert!(longest < Duration::from_secs(1), "{longest:?}");
    let counts = store.counts();
    // The writer may have taken some from the queue.
    assert!(counts.dropped_full >= 1700 && counts.depth <= CAPACITY, "{counts:?}");
    let error = store.load(|database| meta::find(database, "a")).unwrap_err().to_string();
    assert!(error.contains("can't be reached"), "{error}");
    server.start_again();
    store.flush(PATIENCE);
    let found = names(&store);
    assert_eq!((&*found[0], &*found[1]), ("before", "record 0"));
    assert_eq!(store.counts().depth, 0);
    assert_eq!(store.counts().dropped_failed, 0);
}

/// Waits until a write was tried a few times, which the counter says.
fn until_tried(attempts: &AtomicU32) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while attempts.load(Ordering::Relaxed) < 3 {
        assert!(std::time::Instant::now() < deadline, "it was not tried again");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A write that the database refuses for a while, before another one. Returns its attempts.
fn write_impatiently(store: &Store, patience: &'static str) -> Arc<AtomicU32> {
    let attempts = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&attempts);
    store.write(Importance::Record, move |database| {
        count.fetch_add(1, Ordering::Relaxed);
        database.execute(patience, &[])?;
        let sql = "INSERT INTO meta (name, value) VALUES ('patient', '5000000')";
        database.execute(sql, &[]).map(drop)
    });
    note(store, Importance::Record, "after");
    attempts
}

#[test]
fn table_that_is_locked_for_long_loses_no_write() {
    let Some(server) = postgres_server() else { return };
    let store = Store::connect(&server, RETENTION).unwrap();
    // SQLSTATE 55P03, and 57014.
    for (impatience, name) in [
        ("SET LOCAL lock_timeout = 20", "lock"),
        ("SET LOCAL statement_timeout = 100", "statement"),
    ] {
        let mut other = server.connect().unwrap();
        other.run("DELETE FROM meta").unwrap();
        note(&store, Importance::Record, "before");
        store.flush(PATIENCE);
        other.run("BEGIN; LOCK TABLE meta IN ACCESS EXCLUSIVE MODE").unwrap();
        let attempts = write_impatiently(&store, impatience);
        until_tried(&attempts);
        other.run("COMMIT").unwrap();
        store.flush(PATIENCE);
        assert_eq!(names(&store), ["before", "after", "patient"], "{name}");
        assert_eq!(store.counts(), StoreCounts::default(), "{name}");
    }
}

#[test]
fn sqlite_file_that_another_program_has_locked_loses_no_write() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&DataFolder::open(folder.path()).unwrap(), RETENTION).unwrap();
    // Not the five seconds of a server.
    store.write(Importance::Record, |database| {
        database.query("PRAGMA busy_timeout = 1", &[]).map(drop)
    });
    assert!(store.flush(PATIENCE));
    let other = rusqlite::Connection::open(folder.path().join("moim.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    note(&store, Importance::Record, "patient");
    assert!(!store.flush(Duration::from_millis(500)), "it waits");
    other.execute_batch("COMMIT").unwrap();
    assert!(store.flush(PATIENCE));
    assert_eq!(names(&store), ["patient"]);
    assert_eq!(store.counts(), StoreCounts::default());
}

#[test]
fn check_says_whether_a_server_would_start() {
    let Some(mut server) = server::TestServer::start() else { return };
    let store = Store::connect(&server.new_database(), RETENTION).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let check = || runtime.block_on(store.check(Duration::from_secs(10)));
    check().unwrap();
    server.kill();
    let error = check().unwrap_err().to_string();
    assert!(error.contains("can't be reached"), "{error}");
    server.start_again();
    check().unwrap();
}

#[test]
fn tls_is_spoken_to_a_server_with_a_certificate_that_is_trusted() {
    let Some(server) = server::shared() else { return };
    let root = server.certificate();
    let mut encrypted =
        server.database("localhost", "postgres", Some(root.clone())).connect().unwrap();
    let sql = "SELECT count(*) FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl";
    assert_eq!(encrypted.query(sql, &[]).unwrap().remove(0).take::<i64>().unwrap(), 1);
    // The certificate is for another name.
    let error = server.database("127.0.0.1", "postgres", Some(root)).connect().err().unwrap();
    assert!(error.to_string().to_lowercase().contains("certificate"), "{error}");
    // Another certificate.
    let folder = tempfile::tempdir().unwrap();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let path = folder.path().join("other.pem");
    std::fs::write(&path, other.cert.pem()).unwrap();
    let error = server.database("localhost", "postgres", Some(path)).connect().err().unwrap();
    assert!(error.to_string().to_lowercase().contains("certificate"), "{error}");
}

#[test]
fn wrong_password_is_told_at_once() {
    let Some(server) = server::shared() else { return };
    server.with_password("right").connect().unwrap();
    let stranger = server.with_password("guess");
    let start = std::time::Instant::now();
    let error = Store::connect(&stranger, RETENTION).unwrap_err().to_string();
    assert!(error.contains("refuses this server") && error.contains("password"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(5));
}
