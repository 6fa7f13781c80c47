//! Copies of a database that may be in use.

use std::{fs, path::Path};

use anyhow::Context;
use rusqlite::{Connection, OpenFlags};

use crate::data::new_private_file;

/// Copies the database, as it is at one moment, to a new file of mode 0600.
///
/// # Errors
/// A sentence for the operator, with the remedy.
pub(crate) fn copy_database(from: &Path, to: &Path) -> anyhow::Result<()> {
    let failed = || format!("Can't copy {} to {}", from.display(), to.display());
    new_private_file(to).with_context(failed)?;
    let copied = (|| {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(from, flags)?;
        connection.execute("VACUUM INTO ?1", [to.to_string_lossy()])
    })();
    copied.map(drop).with_context(failed).inspect_err(|_| {
        let _ = fs::remove_file(to);
    })
}
