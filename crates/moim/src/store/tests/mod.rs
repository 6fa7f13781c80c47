//! The suite of the store, on both engines.

#[cfg(unix)]
mod crash;
mod engine;
#[cfg(unix)]
mod outage;
mod schema;
#[cfg(unix)]
mod server;
mod tables;

pub(crate) use self::engine::{Engine, on_both_engines};
#[cfg(unix)]
pub(crate) use self::server::postgres_server;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{queue::CAPACITY, sql::values, *};

const RETENTION: Retention = Retention { samples_days: 7 };
const PATIENCE: Duration = Duration::from_secs(60);

fn note(store: &Store, importance: Importance, name: &str) {
    let name = name.to_owned();
    let sql = "INSERT INTO meta (name, value) VALUES (?1, ?2)";
    store.write(importance, move |database| {
        // The place in the order of writes.
        static PLACE: AtomicU32 = AtomicU32::new(1_000_000);
        let place = PLACE.fetch_add(1, Ordering::Relaxed).to_string();
        database.execute(sql, values![&name, place]).map(drop)
    });
}

fn names(store: &Store) -> Vec<String> {
    let query = |database: &mut dyn Database| {
        let rows =
            database.query("SELECT name FROM meta WHERE name <> 'rounded' ORDER BY value", &[])?;
        rows.into_iter().map(|mut row| row.take()).collect()
    };
    store.load(query).unwrap().unwrap()
}

on_both_engines! {
    writes_are_applied_in_order_and_survive;
    failed_write_is_undone_and_counted_and_harms_no_other;
    panic_of_a_write_ends_neither_the_store_nor_the_server;
    full_queue_drops_samples_before_records_and_never_blocks;
    durable_write_ends_once_it_is_in_the_database_or_with_the_reason;
}

fn writes_are_applied_in_order_and_survive(engine: &Engine) {
    let store = engine.open();
    for name in ["a", "b", "c"] {
        note(&store, Importance::Record, name);
    }
    store.flush(PATIENCE);
    assert_eq!(names(&store), ["a", "b", "c"]);
    assert_eq!(store.counts(), StoreCounts::default());
    drop(store);
    let again = engine.open();
    note(&again, Importance::Record, "d");
    again.flush(PATIENCE);
    assert_eq!(names(&again), ["a", "b", "c", "d"]);
}

fn failed_write_is_undone_and_counted_and_harms_no_other(engine: &Engine) {
    let store = engine.open();
    note(&store, Importance::Record, "before");
    store.write(Importance::Record, |database| {
        database.execute("INSERT INTO meta (name, value) VALUES ('half', '')", &[])?;
        database.execute("INSERT INTO no_such_table VALUES (1)", &[]).map(drop)
    });
    note(&store, Importance::Record, "after");
    store.flush(PATIENCE);
    assert_eq!(names(&store), ["before", "after"]);
    assert_eq!(store.counts().dropped_failed, 1);
}

fn panic_of_a_write_ends_neither_the_store_nor_the_server(engine: &Engine) {
    let store = engine.open();
    store.write(Importance::Record, |_| panic!("planted"));
    note(&store, Importance::Record, "after");
    store.flush(PATIENCE);
    assert_eq!(names(&store), ["after"]);
    assert_eq!(store.counts().dropped_failed, 1);
}

fn full_queue_drops_samples_before_records_and_never_blocks(engine: &Engine) {
    let store = engine.open();
    let (release, held) = std::sync::mpsc::channel::<()>();
    store.write(Importance::Record, move |_| {
        let _ = held.recv();
        Ok(())
    });
    for n in 0..CAPACITY {
        note(&store, Importance::Sample, &format!("sample {n}"));
    }
    let samples_dropped = store.counts().dropped_full;
    assert!(samples_dropped >= (CAPACITY / 8) as u64, "{samples_dropped}");
    for n in 0..CAPACITY {
        note(&store, Importance::Record, &format!("record {n}"));
    }
    let counts = store.counts();
    assert!(counts.dropped_full > samples_dropped && counts.depth <= CAPACITY);
    drop(release);
    store.flush(PATIENCE);
    assert!(names(&store).contains(&"record 0".to_owned()), "room was left for records");
    assert_eq!(store.counts().depth, 0);
}

fn durable_write_ends_once_it_is_in_the_database_or_with_the_reason(engine: &Engine) {
    let runtime = || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_time().start_paused(true).build().unwrap()
    };
    let add = |store: &Store, name: &'static str| {
        store.write_durably(move |database: &mut dyn Database| {
            let sql = "INSERT INTO meta (name, value) VALUES (?1, 'x')";
            database.execute(sql, values![name]).map(drop)
        })
    };
    let store = engine.open();
    let in_time = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    assert_eq!(in_time.block_on(add(&store, "a").wait()), Ok(()));
    assert_eq!(names(&store), ["a"], "at the time of the answer");
    assert_eq!(in_time.block_on(add(&store, "a").wait()), Err(NotWritten::Refused));
    // It stands still.
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (begin, begun) = std::sync::mpsc::channel();
    store.write(Importance::Record, move |_| {
        let _ = begin.send(());
        let _ = held.recv();
        Ok(())
    });
    begun.recv().unwrap();
    assert_eq!(runtime().block_on(add(&store, "late").wait()), Err(NotWritten::Late));
    while store.write(Importance::Record, |_| Ok(())) {}
    let full = add(&store, "full");
    assert!(!full.is_queued());
    assert_eq!(runtime().block_on(full.wait()), Err(NotWritten::Full));
    drop(release);
    store.flush(PATIENCE);
    assert_eq!(names(&store), ["a", "late"], "what was late may arrive");
}

#[test]
fn server_without_a_store_writes_nothing() {
    let store = Store::none();
    note(&store, Importance::Record, "a");
    store.flush(PATIENCE);
    assert!(!store.is_open() && store.counts() == StoreCounts::default());
}
