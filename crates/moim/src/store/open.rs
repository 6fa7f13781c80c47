//! Opening of the database file.

use std::{fs, io, path::Path, time::Duration};

use anyhow::Context;
use rusqlite::{Connection, OpenFlags};

use super::{schema, sql::Sqlite};
use crate::data::DataFolder;

/// The database's name in the data folder.
pub(super) const FILE: &str = "moim.db";

/// Time to wait for a reader that holds a lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens the database to write, creates it if it is missing, and migrates it.
pub(super) fn open_to_write(data: &DataFolder) -> anyhow::Result<Sqlite> {
    let path = data.path().join(FILE);
    create_private(&path).with_context(|| {
        format!("Can't write {}: allow it, or say --store none", path.display())
    })?;
    let opened = Connection::open(&path).and_then(|connection| {
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // Space of deleted rows is reused, and returned to the system by the upkeep. Only while the
        // file is empty does it take effect.
        connection.pragma_update(None, "auto_vacuum", "incremental")?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        // A power cut may undo the last second, and damages nothing.
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        Ok(connection)
    });
    let mut connection = opened.with_context(|| {
        format!(
            "Can't open {}: restore it with `moim restore`, or move it away to begin anew",
            path.display()
        )
    })?;
    schema::migrate(&mut connection, &path)?;
    Ok(Sqlite(connection))
}

/// Opens the database of a data folder to read, beside a running server or not; `None` if there is
/// none.
///
/// # Errors
/// A sentence for the operator, with the remedy.
pub(crate) fn open_to_read(folder: &Path) -> anyhow::Result<Option<Sqlite>> {
    let path = folder.join(FILE);
    if !path.try_exists().with_context(|| format!("Can't look into {}", folder.display()))? {
        return Ok(None);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(&path, flags).and_then(|connection| {
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))?;
        Ok(connection)
    });
    let connection = opened.with_context(|| {
        format!("Can't read {}: run this as the user that runs the server", path.display())
    })?;
    schema::check(&connection, &path)?;
    Ok(Some(Sqlite(connection)))
}

/// Creates the file with mode 0600, which SQLite gives its journals, too.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn database_and_its_journals_are_private() {
        use std::os::unix::fs::PermissionsExt;
        let parent = tempfile::tempdir().unwrap();
        let data = DataFolder::open(parent.path()).unwrap();
        let connection = open_to_write(&data).unwrap();
        connection.0.execute("INSERT INTO meta (name, value) VALUES ('a', 'b')", []).unwrap();
        let mut files = 0;
        for entry in fs::read_dir(parent.path()).unwrap() {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{entry:?}");
            files += 1;
        }
        assert!(files >= 2, "the database and its journal");
    }

    #[test]
    fn file_that_is_no_database_is_left_alone() {
        let parent = tempfile::tempdir().unwrap();
        let data = DataFolder::open(parent.path()).unwrap();
        let text = "no database, but somebody's notes, and longer than one header is";
        fs::write(parent.path().join(FILE), text.repeat(20)).unwrap();
        let error = open_to_write(&data).unwrap_err().to_string();
        assert!(error.contains("moim restore"), "{error}");
        assert_eq!(fs::read_to_string(parent.path().join(FILE)).unwrap(), text.repeat(20));
    }

    #[test]
    fn folder_without_a_database_has_none_to_read() {
        let parent = tempfile::tempdir().unwrap();
        assert!(open_to_read(parent.path()).unwrap().is_none());
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }
}
