//! The schema and its migrations, which go forward only. All that are due are one transaction, so
//! that one that fails changes nothing, and of two servers that start at once one waits.

use anyhow::{Context, bail};

use super::{
    super::sql::{Database, Postgres, SqlError, SqlResult, values},
    server::PostgresServer,
};

/// The migrations in order. One that was released never changes: add another one.
pub(in crate::store) const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/postgres/1-calls.sql"),
    include_str!("../migrations/postgres/2-rooms.sql"),
    include_str!("../migrations/postgres/3-doctor.sql"),
    include_str!("../migrations/postgres/4-unused.sql"),
    include_str!("../migrations/postgres/5-people.sql"),
    include_str!("../migrations/postgres/6-administrators.sql"),
];

/// The key of the lock that is held while migrating, the same for all versions: "moim" in ASCII.
const LOCK: i64 = 0x6d6f_696d;

/// The version that this program writes.
fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Migrates the database to the newest version.
pub(in crate::store) fn migrate(
    database: &mut Postgres,
    server: &PostgresServer,
) -> anyhow::Result<()> {
    migrate_by(database, server, MIGRATIONS)
}

fn migrate_by(
    database: &mut Postgres,
    server: &PostgresServer,
    migrations: &[&str],
) -> anyhow::Result<()> {
    let newest = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    let migrated = (|| {
        database.begin()?;
        // Large tables take their time, and so does another server that migrates them.
        database.run("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '10min'")?;
        database.run(&format!("SELECT pg_advisory_xact_lock({LOCK})"))?;
        database.run("CREATE TABLE IF NOT EXISTS moim_schema (version BIGINT NOT NULL)")?;
        let before = version(database)?;
        let done = usize::try_from(before).unwrap_or(usize::MAX);
        for migration in migrations.iter().skip(done) {
            database.run(migration)?;
        }
        if before < newest {
            database.execute("DELETE FROM moim_schema", &[])?;
            database.execute("INSERT INTO moim_schema VALUES (?1)", values![newest])?;
        }
        database.execute("COMMIT", &[])?;
        Ok::<_, SqlError>(before)
    })();
    let before = migrated
        .inspect_err(|_| {
            // Fails if the connection has ended, which undoes it, too.
            let _ = database.execute("ROLLBACK", &[]);
        })
        .with_context(|| format!("Can't migrate the database of --store ({server})"))?;
    check_version(before, newest, server)?;
    if (1..newest).contains(&before) {
        tracing::info!(from = before, to = newest, "the database of the store is migrated");
    }
    Ok(())
}

/// Connects, and makes sure that this program knows the schema.
///
/// # Errors
/// A sentence for the operator, with the remedy.
pub(crate) fn connect_to_read(server: &PostgresServer) -> anyhow::Result<Postgres> {
    let mut database = server.connect()?;
    check(&mut database, server)?;
    Ok(database)
}

/// Fails unless this program knows the version, and a server has made the tables.
fn check(database: &mut Postgres, server: &PostgresServer) -> anyhow::Result<()> {
    let found = version(database).with_context(|| {
        format!("The database of --store ({server}) has no tables of moim: start the server first")
    })?;
    check_version(found, newest(), server)
}

fn version(database: &mut Postgres) -> SqlResult<i64> {
    let row = database.query("SELECT max(version) FROM moim_schema", &[])?.pop();
    let version = row.map(|mut row| row.take::<Option<i64>>()).transpose()?;
    Ok(version.flatten().unwrap_or_default())
}

fn check_version(found: i64, newest: i64, server: &PostgresServer) -> anyhow::Result<()> {
    if found > newest {
        bail!(
            "The database of --store ({server}) has version {found}, and this moim knows up to \
             {newest}: run the newer moim, or restore a dump of before"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::postgres_server;

    const OLD: &[&str] = &["CREATE TABLE a (x BIGINT); INSERT INTO a VALUES (7);"];
    const NEW: &[&str] = &[OLD[0], "ALTER TABLE a ADD COLUMN y BIGINT;"];
    const BROKEN: &[&str] =
        &[OLD[0], "ALTER TABLE a ADD COLUMN y BIGINT; INSERT INTO nowhere VALUES (1);"];

    fn columns(database: &mut Postgres) -> i64 {
        let sql = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'a'";
        database.query(sql, &[]).unwrap().remove(0).take().unwrap()
    }

    #[test]
    fn migration_goes_forward_whole_or_not_at_all_and_never_back() {
        let Some(server) = postgres_server() else { return };
        let mut database = server.connect().unwrap();
        migrate_by(&mut database, &server, OLD).unwrap();
        assert!(migrate_by(&mut database, &server, BROKEN).is_err());
        assert_eq!((columns(&mut database), version(&mut database).unwrap()), (1, 1));
        migrate_by(&mut database, &server, NEW).unwrap();
        assert_eq!((columns(&mut database), version(&mut database).unwrap()), (2, 2));
        let error = migrate_by(&mut database, &server, OLD).unwrap_err().to_string();
        assert!(error.contains("version 2") && error.contains("newer moim"), "{error}");
        assert_eq!(columns(&mut database), 2);
    }

    #[test]
    fn servers_that_start_at_once_migrate_once() {
        let Some(server) = postgres_server() else { return };
        std::thread::scope(|scope| {
            let starts: Vec<_> = (0..6)
                .map(|_| {
                    scope.spawn(|| {
                        let mut database = server.connect().unwrap();
                        migrate(&mut database, &server).map_err(|error| format!("{error:#}"))
                    })
                })
                .collect();
            for start in starts {
                assert_eq!(start.join().unwrap(), Ok(()));
            }
        });
        assert_eq!(version(&mut server.connect().unwrap()).unwrap(), newest());
    }

    /// Acceptance check R11.
    #[test]
    fn old_database_of_each_version_migrates_with_its_data() {
        for old in 1..MIGRATIONS.len() {
            let Some(server) = postgres_server() else { return };
            let mut database = server.connect().unwrap();
            migrate_by(&mut database, &server, &MIGRATIONS[..old]).unwrap();
            let row = "INSERT INTO call (id, room, began) VALUES (7, 'a', 1000)";
            database.execute(row, &[]).unwrap();
            migrate(&mut database, &server).unwrap();
            assert_eq!(version(&mut database).unwrap(), newest(), "from {old}");
            let mut rows = database.query("SELECT room FROM call WHERE id = 7", &[]).unwrap();
            assert_eq!(rows.remove(0).take::<String>().unwrap(), "a");
        }
    }
}
