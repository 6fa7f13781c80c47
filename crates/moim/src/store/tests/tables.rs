//! Each group of tables: what is written is read again.

use std::net::IpAddr;

use super::*;
use crate::store::{
    api_keys::StoredApiKey, audit::AuditRow, ids::now, outbox::StoredEvent,
    visitor_reports::StoredVisitorReport, webhooks::StoredWebhook,
};

const DAY: i64 = 24 * 60 * 60 * 1000;

/// Writes, and waits until it is done.
fn write(store: &Store, write: impl Fn(&mut dyn Database) -> SqlResult<()> + Send + 'static) {
    assert!(store.write(Importance::Record, write));
    store.flush(PATIENCE);
    assert_eq!(store.counts(), StoreCounts::default());
}

fn read<T: Send + 'static>(
    store: &Store,
    query: impl FnOnce(&mut dyn Database) -> SqlResult<T> + Send + 'static,
) -> T {
    store.load(query).unwrap().unwrap()
}

on_both_engines! {
    api_keys_are_kept_and_changed;
    outbox_is_in_order_and_ends_with_its_webhook;
    audit_can_be_added_to_and_never_changed;
    visitors_reports_are_the_newest_of_a_week;
    texts_are_replaced_by_name;
    task_reads_on_a_thread_that_may_wait;
    calls_and_samples_are_rounded_and_deleted_with_age;
    texts_may_hold_any_letter;
}

fn api_keys_are_kept_and_changed(engine: &Engine) {
    let store = engine.open();
    let key = StoredApiKey {
        id: "API1".into(),
        name: "school".into(),
        hash: vec![0, 255, 7],
        grants: r#"["rooms"]"#.into(),
        created: 5,
        expires: Some(9),
        used: None,
        revoked: None,
    };
    let added = key.clone();
    write(&store, move |database| api_keys::set(database, &added));
    write(&store, |database| api_keys::set_used(database, "API1", 7));
    assert_eq!(read(&store, api_keys::all), [StoredApiKey { used: Some(7), ..key.clone() }]);
    let revoked = StoredApiKey { revoked: Some(8), expires: None, ..key };
    let changed = revoked.clone();
    write(&store, move |database| api_keys::set(database, &changed));
    assert_eq!(read(&store, api_keys::all), [revoked]);
    write(&store, |database| api_keys::remove(database, "API1"));
    assert_eq!(read(&store, api_keys::all), []);
}

fn outbox_is_in_order_and_ends_with_its_webhook(engine: &Engine) {
    let store = engine.open();
    let webhook = |id| StoredWebhook {
        id,
        url: "https://hooks.example/moim".into(),
        secret: "whsec_x".into(),
        settings: "{}".into(),
        created: 1,
        disabled: None,
    };
    let event = |id, webhook, created| StoredEvent {
        id,
        webhook,
        room: "a".into(),
        event: "room.opened".into(),
        body: r#"{"type":"room.opened"}"#.into(),
        created,
        attempts: 0,
        due: created,
    };
    for id in [1, 2] {
        write(&store, move |database| webhooks::set(database, &webhook(id)));
    }
    let at = now();
    for (id, webhook, created) in [(12, 1, at), (11, 1, at), (13, 2, at), (10, 1, at - 9 * DAY)] {
        write(&store, move |database| outbox::add(database, &event(id, webhook, created)));
    }
    // A write that is applied again changes nothing.
    write(&store, move |database| outbox::add(database, &event(11, 1, at)));
    write(&store, move |database| outbox::put_off(database, 12, 2, at + 30_000));
    write(&store, |database| outbox::upkeep(database, now() / 1000, RETENTION).map(drop));
    let later = StoredEvent { attempts: 2, due: at + 30_000, ..event(12, 1, at) };
    assert_eq!(read(&store, outbox::all), [event(11, 1, at), later.clone(), event(13, 2, at)]);
    write(&store, |database| outbox::remove(database, 11));
    write(&store, |database| webhooks::remove(database, 2));
    assert_eq!(read(&store, outbox::all), [later]);
    let disabled = StoredWebhook { disabled: Some(3), ..webhook(1) };
    let changed = disabled.clone();
    write(&store, move |database| webhooks::set(database, &changed));
    assert_eq!(read(&store, webhooks::all), [disabled]);
    assert_eq!(read(&store, outbox::all).len(), 1, "a changed webhook keeps its events");
}

fn audit_can_be_added_to_and_never_changed(engine: &Engine) {
    let store = engine.open();
    let address: IpAddr = "198.51.100.9".parse().unwrap();
    let row = move |id, at| AuditRow {
        id,
        at,
        actor: "API1".into(),
        action: "room.delete".into(),
        object: "a".into(),
        address: Some(audit::cut_address(address)),
        detail: None,
    };
    for (id, at) in [(1, now() - 91 * DAY), (2, now()), (3, now())] {
        write(&store, move |database| audit::add(database, &row(id, at)));
    }
    write(&store, |database| audit::upkeep(database, now() / 1000, RETENTION).map(drop));
    let ids = |rows: Vec<AuditRow>| rows.iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids(read(&store, |database| audit::list(database, None, 10))), [3, 2]);
    assert_eq!(ids(read(&store, |database| audit::list(database, Some(3), 10))), [2]);
    assert_eq!(ids(read(&store, |database| audit::export(database, 0, 1))), [2]);
    let forge = "UPDATE audit SET actor = 'nobody'";
    store.write(Importance::Record, move |database| database.execute(forge, &[]).map(drop));
    store.flush(PATIENCE);
    assert_eq!(store.counts().dropped_failed, 1);
    let rows = read(&store, |database| audit::list(database, None, 10));
    assert!(rows.iter().all(|row| row.actor == "API1"));
    assert_eq!(rows[0].address.as_deref(), Some("198.51.100.0/24"));
}

fn visitors_reports_are_the_newest_of_a_week(engine: &Engine) {
    let store = engine.open();
    let report = |id: i64, at| StoredVisitorReport {
        id,
        at,
        host: "meet.example".into(),
        address: (id % 2 == 0).then(|| "192.0.2.7".into()),
        report: "{}".into(),
    };
    let at = now();
    let many = i64::from(visitor_reports::MAX_REPORTS);
    write(&store, move |database| {
        let row = |id| report(id, if id == many { at - 8 * DAY } else { at });
        (1..=many + 3).try_for_each(|id| visitor_reports::add(database, &row(id)))
    });
    let ids = |rows: Vec<StoredVisitorReport>| rows.iter().map(|row| row.id).collect::<Vec<_>>();
    let all = read(&store, |database| visitor_reports::list(database, None, 1_000));
    assert_eq!(ids(all), (4..=many + 3).rev().collect::<Vec<_>>());
    write(&store, |database| visitor_reports::upkeep(database, now() / 1000, RETENTION).map(drop));
    let page = read(&store, move |database| visitor_reports::list(database, Some(many + 2), 2));
    assert_eq!(page, [report(many + 1, at), report(many - 1, at)]);
}

fn task_reads_on_a_thread_that_may_wait(engine: &Engine) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        // Also opened and dropped by a task, as the server does it.
        let store = engine.open();
        write(&store, |database| meta::set(database, "a", "1"));
        let found = store.read(|database| meta::find(database, "a")).await.unwrap();
        assert_eq!(found, Some(Some("1".to_owned())));
        assert!(Store::none().read(|_| Ok(())).await.unwrap().is_none());
    });
}

fn texts_are_replaced_by_name(engine: &Engine) {
    let store = engine.open();
    assert_eq!(read(&store, |database| meta::find(database, "a")), None);
    for value in ["1", "2"] {
        write(&store, move |database| meta::set(database, "a", value));
    }
    assert_eq!(read(&store, |database| meta::find(database, "a")).as_deref(), Some("2"));
}

fn sample(at: i64, round_trip_ms: Option<u32>, jitter_ms: u32) -> quality::Sample {
    quality::Sample {
        at,
        seconds: 10,
        round_trip_ms,
        jitter_ms: Some(jitter_ms),
        ..quality::Sample::default()
    }
}

fn calls_and_samples_are_rounded_and_deleted_with_age(engine: &Engine) {
    let store = engine.open();
    let now = now() / 1000;
    let week_ago = now - 8 * 24 * 60 * 60;
    let year_ago = now - 365 * 24 * 60 * 60;
    for (id, at) in [(1, week_ago), (2, year_ago)] {
        let call = calls::CallBegan { id, room: "a".into(), at: at * 1000 };
        let joined =
            calls::ParticipantJoined { id: id * 10, call: id, name: "Ann".into(), at: at * 1000 };
        // A write may be applied again.
        for _ in 0..2 {
            let (call, joined) = (call.clone(), joined.clone());
            write(&store, move |database| {
                calls::begin(database, &call)?;
                calls::join(database, &joined)
            });
        }
    }
    write(&store, move |database| {
        calls::end(database, 1, (week_ago + 60) * 1000)?;
        calls::leave(database, 10, (week_ago + 60) * 1000)?;
        let minute = week_ago.div_euclid(60) * 60;
        let samples = [
            (10, sample(minute, Some(10), 1)),
            (10, sample(minute + 10, Some(21), 9)),
            (10, sample(minute + 20, None, 3)),
        ];
        calls::add_samples(database, &samples)
    });
    write(&store, move |database| {
        while calls::upkeep(database, now, RETENTION)? {}
        Ok(())
    });
    let listed = read(&store, |database| calls::list(database, 0, 10));
    assert_eq!(listed.iter().map(|call| call.id).collect::<Vec<_>>(), [1]);
    assert_eq!((listed[0].participants, listed[0].ended), (1, Some((week_ago + 60) * 1000)));
    let all = move |database: &mut dyn Database| calls::participations(database, 1, 0, now);
    let participations = read(&store, all);
    let samples = &participations[0].samples;
    assert_eq!(samples.len(), 1, "{samples:?}");
    assert_eq!((samples[0].seconds, samples[0].round_trip_ms), (60, Some(15)));
    assert_eq!(samples[0].jitter_ms, Some(9), "the worst counts");
}

fn texts_may_hold_any_letter(engine: &Engine) {
    let store = engine.open();
    for text in ["모임 👋", "it's $1 ?1 \\ \"", "", "a\0b"] {
        write(&store, move |database| meta::set(database, "text", text));
        let found = read(&store, |database| meta::find(database, "text")).unwrap();
        // PostgreSQL has no NUL.
        assert!(found == text || found == text.replace('\0', "\u{fffd}"), "{found}");
    }
}
