//! `moim audit`: prints the audit log as one JSON object a line.

use std::{
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use anyhow::Context;

use crate::{
    api::AuditEntry,
    config::AuditOptions,
    data,
    store::{audit, ids, open_to_read, sql::Database},
};

/// Rows read at once.
const ROWS: u32 = 1000;

/// Runs the command, which writes to standard output.
///
/// # Errors
/// A sentence for the operator, with the remedy.
pub(crate) fn run(options: &AuditOptions) -> anyhow::Result<()> {
    let folder = folder(options.data.as_ref())?;
    let mut database = open_to_read(&folder)?.with_context(|| {
        format!(
            "{} has no store: name the server's data folder with --data DIR, and start it without \
             --store none",
            folder.display()
        )
    })?;
    let since = ids::now() - options.since * 1000;
    let mut output = BufWriter::new(io::stdout().lock());
    export(&mut database, since, &mut output)?;
    output.flush().context("Can't write to standard output")
}

fn folder(given: Option<&PathBuf>) -> anyhow::Result<PathBuf> {
    match given {
        Some(folder) => Ok(folder.clone()),
        None => Ok(data::choose_folder()?.0),
    }
}

/// Writes the entries since a time (milliseconds since 1970), the oldest first.
fn export(database: &mut dyn Database, since: i64, output: &mut impl Write) -> anyhow::Result<()> {
    let mut after = 0;
    loop {
        let rows = audit::export(database, after, ROWS)?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.id;
        for row in rows.into_iter().filter(|row| row.at >= since) {
            serde_json::to_writer(&mut *output, &AuditEntry::from(row))?;
            output.write_all(b"\n").context("Can't write to standard output")?;
        }
    }
}
