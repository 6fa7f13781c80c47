//! The schema and its migrations, which go forward only.

use std::{fs, path::Path};

use anyhow::{Context, bail};
use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use super::copy::copy_database;

/// The migrations in order. One that was released never changes: add another one.
const MIGRATIONS: &[M<'static>] = &[
    M::up(include_str!("migrations/sqlite/1-calls.sql")),
    M::up(include_str!("migrations/sqlite/2-rooms.sql")),
    M::up(include_str!("migrations/sqlite/3-doctor.sql")),
    M::up(include_str!("migrations/sqlite/4-unused.sql")),
    M::up(include_str!("migrations/sqlite/5-people.sql")),
    M::up(include_str!("migrations/sqlite/6-administrators.sql")),
];

/// The version that this program writes.
fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Migrates the database at `path` to the newest version, after a copy of one that is not empty.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> anyhow::Result<()> {
    migrate_by(connection, path, MIGRATIONS)
}

fn migrate_by(
    connection: &mut Connection,
    path: &Path,
    migrations: &'static [M<'static>],
) -> anyhow::Result<()> {
    let unreadable = || {
        format!(
            "Can't read {}: restore it with `moim restore`, or move it away to begin anew",
            path.display()
        )
    };
    let before = version(connection).with_context(unreadable)?;
    let newest = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    check_version(before, newest, path)?;
    if before == newest {
        return Ok(());
    }
    if before > 0 {
        let copy = path.with_extension(format!("db.v{before}"));
        // Left by a migration that failed: the database is still what was copied.
        let _ = fs::remove_file(&copy);
        copy_database(path, &copy)?;
        tracing::info!(copy = %copy.display(), "the store is migrated, after a copy");
    }
    Migrations::from_slice(migrations).to_latest(connection).with_context(|| {
        format!("Can't migrate {} from version {before} to {newest}", path.display())
    })
}

/// Fails unless this program knows the version.
pub(super) fn check(connection: &Connection, path: &Path) -> anyhow::Result<()> {
    let found = version(connection).with_context(|| format!("Can't read {}", path.display()))?;
    check_version(found, newest(), path)
}

fn check_version(found: i64, newest: i64, path: &Path) -> anyhow::Result<()> {
    if found > newest {
        bail!(
            "{} has version {found}, and this moim knows up to {newest}: run the newer moim, or \
             put the copy {}.v{newest} in its place",
            path.display(),
            path.display()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &[M<'static>] = &[M::up("CREATE TABLE a (x); INSERT INTO a VALUES (7);")];
    const NEW: &[M<'static>] = &[
        M::up("CREATE TABLE a (x); INSERT INTO a VALUES (7);"),
        M::up("ALTER TABLE a ADD COLUMN y;"),
    ];
    const BROKEN: &[M<'static>] = &[
        M::up("CREATE TABLE a (x); INSERT INTO a VALUES (7);"),
        M::up("ALTER TABLE a ADD COLUMN y; INSERT INTO nowhere VALUES (1);"),
    ];

    fn columns(connection: &Connection) -> usize {
        connection.prepare("SELECT * FROM a WHERE x = 7").unwrap().column_count()
    }

    #[test]
    fn migration_goes_forward_after_a_copy_and_never_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("moim.db");
        let mut connection = Connection::open(&path).unwrap();
        migrate_by(&mut connection, &path, OLD).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "an empty one is not copied");
        migrate_by(&mut connection, &path, NEW).unwrap();
        assert_eq!(columns(&connection), 2);
        let copy = folder.path().join("moim.db.v1");
        assert_eq!(columns(&Connection::open(&copy).unwrap()), 1);
        let error = migrate_by(&mut connection, &path, OLD).unwrap_err().to_string();
        assert!(error.contains("moim.db.v1") && error.contains("version 2"), "{error}");
        assert_eq!(columns(&connection), 2);
    }

    #[test]
    fn failed_migration_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("moim.db");
        let mut connection = Connection::open(&path).unwrap();
        migrate_by(&mut connection, &path, OLD).unwrap();
        assert!(migrate_by(&mut connection, &path, BROKEN).is_err());
        assert_eq!((columns(&connection), version(&connection)), (1, Ok(1)));
        migrate_by(&mut connection, &path, NEW).unwrap();
        assert_eq!(columns(&connection), 2, "a corrected one passes");
    }

    /// Acceptance check R11.
    #[test]
    fn old_database_of_each_version_migrates_with_its_data() {
        for old in 1..MIGRATIONS.len() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("moim.db");
            let mut connection = Connection::open(&path).unwrap();
            migrate_by(&mut connection, &path, &MIGRATIONS[..old]).unwrap();
            let row = "INSERT INTO call (id, room, began) VALUES (7, 'a', 1000)";
            connection.execute(row, []).unwrap();
            migrate(&mut connection, &path).unwrap();
            assert_eq!(version(&connection), Ok(newest()), "from {old}");
            for database in [&path, &folder.path().join(format!("moim.db.v{old}"))] {
                let connection = Connection::open(database).unwrap();
                let room = connection.query_row("SELECT room FROM call WHERE id = 7", [], |row| {
                    row.get::<_, String>(0)
                });
                assert_eq!(room.unwrap(), "a", "{}", database.display());
            }
        }
    }

    #[test]
    fn migrations_of_this_version_are_valid() {
        Migrations::from_slice(MIGRATIONS).validate().unwrap();
    }
}
