//! Writes a backup.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use anyhow::{Context, bail};
use flate2::{Compression, write::GzEncoder};
use tar::{Builder, EntryType, Header};

use super::{
    contents::{self, Contents},
    last,
    manifest::Manifest,
    place::{data_folder, is_of_server, is_stream},
};
use crate::{
    config::{BackupOptions, CheckedConfig, Given, StoreChoice, StoreOptions},
    data::{new_private_file, temporary_beside},
    store::copy_database,
};

/// Writes the data folder to a file; returns a sentence about it.
///
/// # Errors
/// A sentence for the operator. An older file at the same place is unchanged then.
pub(crate) fn backup(options: &BackupOptions) -> anyhow::Result<String> {
    let folder = data_folder(options.data.as_ref())?;
    if !is_of_server(&folder) {
        bail!(
            "{} is no data folder of a server that has run: name it with --data DIR",
            folder.display()
        );
    }
    let contents = Contents::of(&folder, !options.without_keys)?;
    warn_of_postgres(&folder, &options.stored);
    for other in &contents.others {
        eprintln!("moim: {} is a link or a pipe, so it is left out", other.display());
    }
    let manifest = Manifest::new(!options.without_keys)?;
    let count = contents.files.len();
    if is_stream(&options.file) {
        archive(io::stdout().lock(), &folder, &contents, &manifest)?;
        note(&folder);
        return Ok(format!("{count} files written."));
    }
    refuse_inside(&folder, &options.file)?;
    let temporary = temporary_beside(&options.file);
    write_file(&temporary, &folder, &contents, &manifest)
        .and_then(|()| Ok(fs::rename(&temporary, &options.file)?))
        .inspect_err(|_| {
            let _ = fs::remove_file(&temporary);
        })
        .with_context(|| format!("Can't write {}", options.file.display()))?;
    note(&folder);
    Ok(format!("{count} files of {} are in {}.", folder.display(), options.file.display()))
}

/// Notes the time for the doctor. The backup is whole without that.
fn note(folder: &Path) {
    if let Err(error) = last::note(folder) {
        eprintln!("moim: the time of this backup can't be noted in {}: {error}", folder.display());
    }
}

/// Says what the data folder does not have.
fn warn_of_postgres(folder: &Path, stored: &StoreOptions) {
    // Mistakes of the configuration are no reason to have no backup.
    let given = Given::of_command(folder.to_owned(), stored.clone());
    if let Ok(checked) = CheckedConfig::new(given)
        && let StoreChoice::Postgres(server) = &checked.config().store
    {
        eprintln!(
            "moim: rooms, calls and keys are in PostgreSQL, not in this backup: run `pg_dump \
             --format=custom --file=moim.dump {server}`, too"
        );
    }
}

/// Refuses a file in the data folder, since each backup would hold all older ones.
fn refuse_inside(folder: &Path, file: &Path) -> anyhow::Result<()> {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = fs::canonicalize(parent.unwrap_or(Path::new(".")))
        .with_context(|| format!("Can't write {}: make its folder first", file.display()))?;
    if parent.starts_with(fs::canonicalize(folder)?) {
        bail!("{} is in the data folder: choose another place", file.display());
    }
    Ok(())
}

fn write_file(
    file: &Path,
    folder: &Path,
    contents: &Contents,
    manifest: &Manifest,
) -> anyhow::Result<()> {
    let mut file = new_private_file(file)?;
    archive(&mut file, folder, contents, manifest)?;
    file.sync_all()?;
    Ok(())
}

fn archive(
    out: impl Write,
    folder: &Path,
    contents: &Contents,
    manifest: &Manifest,
) -> anyhow::Result<()> {
    let mut tar = Builder::new(GzEncoder::new(out, Compression::default()));
    let description = serde_json::to_vec_pretty(manifest)?;
    append(&mut tar, Path::new(Manifest::NAME), description.len() as u64, 0, &*description)?;
    for name in &contents.files {
        add(&mut tar, folder, name)
            .with_context(|| format!("Can't back up {}", folder.join(name).display()))?;
    }
    tar.into_inner()?.finish()?.flush()?;
    Ok(())
}

fn add(tar: &mut Builder<impl Write>, folder: &Path, name: &Path) -> anyhow::Result<()> {
    let path = folder.join(name);
    if !contents::is_database(&path) {
        return add_file(tar, &path, name);
    }
    // The server may write to the database, so its file alone is not consistent.
    let copy = temporary_beside(&path);
    copy_database(&path, &copy)?;
    let added = add_file(tar, &copy, name);
    fs::remove_file(copy)?;
    added
}

fn add_file(tar: &mut Builder<impl Write>, path: &Path, name: &Path) -> anyhow::Result<()> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let modified = metadata.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    append(tar, name, metadata.len(), modified.as_secs(), file)
}

/// Appends an entry of exactly `size` bytes. A file that grows is cut, one that shrinks is an
/// error, which can't happen to the server's own ones.
fn append(
    tar: &mut Builder<impl Write>,
    name: &Path,
    size: u64,
    modified: u64,
    data: impl io::Read,
) -> anyhow::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o600);
    header.set_size(size);
    header.set_mtime(modified);
    let mut data = CountedReader { inner: data.take(size), count: 0 };
    tar.append_data(&mut header, name, &mut data)?;
    if data.count != size {
        bail!("it became shorter meanwhile: try again");
    }
    Ok(())
}

/// A reader that counts its bytes.
struct CountedReader<R> {
    inner: R,
    count: u64,
}

impl<R: io::Read> io::Read for CountedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count += read as u64;
        Ok(read)
    }
}
