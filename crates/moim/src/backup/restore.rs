//! Restores a backup. All files are unpacked beside the present ones first, so that a broken backup
//! changes nothing.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read},
    path::{Component, Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, bail, ensure};
use flate2::read::GzDecoder;
use tar::{Archive, EntryType};

use super::{
    manifest::Manifest,
    place::{REPLACED, RESTORING, data_folder, is_stream},
    staging::{Owner, Staging, private_folder},
};
use crate::{
    config::RestoreOptions,
    data::{DataFolder, LOCK, new_private_file},
    store,
};

/// Limit of files, many times those of a data folder.
const MAX_FILES: usize = 100_000;

/// The lock that is held meanwhile, and a folder of file systems.
const LEFT_ALONE: &[&str] = &[LOCK, "lost+found"];

/// Fills the data folder from a backup; returns a sentence about it.
///
/// # Errors
/// A sentence for the operator. The folder's files are unchanged then.
pub(crate) fn restore(options: &RestoreOptions) -> anyhow::Result<String> {
    let folder = data_folder(options.data.as_ref())?;
    let _lock = DataFolder::open(&folder)?.lock()?;
    let owner = Owner::of(&folder)?;
    owner.give(&folder.join(LOCK))?;
    let present = entries(&folder)?;
    if !present.is_empty() && !options.replace {
        bail!(
            "{} is not empty: stop the server, then restore with --replace, which moves the \
             present files to a folder in it",
            folder.display()
        );
    }
    let backup: Box<dyn Read> = match is_stream(&options.file) {
        true => Box::new(io::stdin().lock()),
        false => Box::new(
            File::open(&options.file)
                .with_context(|| format!("Can't read {}", options.file.display()))?,
        ),
    };
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let staging = Staging::create(&folder.join(format!("{RESTORING}{since_1970}")))?;
    let unpacked = unpack(BufReader::new(backup), staging.path()).and_then(|(manifest, count)| {
        // Refuses a database with a newer schema.
        store::open_to_read(staging.path())?;
        owner.give_all_in(staging.path())?;
        let aside = folder.join(format!("{REPLACED}{since_1970}"));
        let moves = moves(&folder, &present, staging.path(), &aside, manifest.keys)?;
        if moves.iter().any(|(_, to)| to.starts_with(&aside)) {
            private_folder(&aside)?;
            owner.give(&aside)?;
        }
        // An empty folder is of no use.
        exchange(&moves).inspect_err(|_| drop(fs::remove_dir(&aside)))?;
        File::open(&folder)?.sync_all()?;
        Ok(format!("{count} files, backed up {}, are in {}.", manifest.origin(), folder.display()))
    });
    staging.remove();
    unpacked.with_context(|| format!("Can't restore {}", options.file.display()))
}

/// The names in a data folder, without what earlier restores left.
fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = PathBuf::from(entry?.file_name());
        let text = name.to_string_lossy();
        let is_kept = LEFT_ALONE.contains(&&*text)
            || text.starts_with(REPLACED)
            || text.starts_with(RESTORING);
        if !is_kept {
            names.push(name);
        }
    }
    Ok(names)
}

/// Unpacks a backup, to its last byte, which the checksum follows.
fn unpack(backup: impl Read, staging: &Path) -> anyhow::Result<(Manifest, usize)> {
    let mut archive = Archive::new(GzDecoder::new(backup));
    let mut entries = archive.entries()?;
    let first = entries.next().context("it is empty")?.context("it is no backup of moim")?;
    ensure!(first.path()? == Path::new(Manifest::NAME), "it is no backup of moim");
    let mut text = String::new();
    first.take(Manifest::MAX_BYTES).read_to_string(&mut text)?;
    let manifest: Manifest = serde_json::from_str(&text).context("its manifest is broken")?;
    manifest.check()?;
    let mut count = 0;
    for entry in entries {
        let mut entry = entry.context("it is cut off or broken")?;
        let name = entry.path()?.into_owned();
        let is_plain = name.components().all(|part| matches!(part, Component::Normal(_)));
        ensure!(
            is_plain && entry.header().entry_type() == EntryType::Regular,
            "{} is no plain file below the data folder",
            name.display()
        );
        count += 1;
        ensure!(count <= MAX_FILES, "it has more than {MAX_FILES} files");
        let path = staging.join(&name);
        private_folder(path.parent().unwrap_or(staging))?;
        let mut file = new_private_file(&path)?;
        let size = io::copy(&mut entry, &mut file).context("it is cut off or broken")?;
        ensure!(size == entry.header().size()?, "it is cut off");
        file.sync_all()?;
    }
    // Reads the rest, so that the checksum of all is compared.
    io::copy(&mut archive.into_inner(), &mut io::sink()).context("it is cut off or broken")?;
    Ok((manifest, count))
}

/// The moves of the present files aside, and of the restored ones to their places. A backup without
/// keys leaves those that are present.
fn moves(
    folder: &Path,
    present: &[PathBuf],
    staging: &Path,
    aside: &Path,
    all: bool,
) -> anyhow::Result<Vec<(PathBuf, PathBuf)>> {
    let restored = entries(staging)?;
    let replaced = present.iter().filter(|name| all || restored.contains(name) || is_journal(name));
    let replaced = replaced.map(|name| (folder.join(name), aside.join(name)));
    let restored = restored.iter().map(|name| (staging.join(name), folder.join(name)));
    Ok(replaced.chain(restored).collect())
}

/// Does all moves or none.
fn exchange(moves: &[(PathBuf, PathBuf)]) -> anyhow::Result<()> {
    for (index, (from, to)) in moves.iter().enumerate() {
        let Err(error) = fs::rename(from, to) else { continue };
        let done = moves.get(..index).unwrap_or_default();
        for (from, to) in done.iter().rev() {
            fs::rename(to, from).with_context(|| {
                format!("Can't move {} back to {}: do that by hand", to.display(), from.display())
            })?;
        }
        return Err(error).with_context(|| format!("Can't move {}", from.display()));
    }
    Ok(())
}

/// Journals of a database that is replaced would spoil the restored one.
fn is_journal(name: &Path) -> bool {
    let name = name.to_string_lossy();
    ["-wal", "-shm", "-journal"].iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exchange_that_fails_is_undone() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["present", "restored"] {
            fs::write(path(name), name).unwrap();
        }
        let moves = [("present", "aside"), ("restored", "present"), ("missing", "place")]
            .map(|(from, to)| (path(from), path(to)));
        let error = exchange(&moves).unwrap_err();
        assert!(error.to_string().contains("missing"), "{error:#}");
        for name in ["present", "restored"] {
            assert_eq!(fs::read_to_string(path(name)).unwrap(), name);
        }
        exchange(&moves[..2]).unwrap();
        assert_eq!(fs::read_to_string(path("present")).unwrap(), "restored");
        assert_eq!(fs::read_to_string(path("aside")).unwrap(), "present");
    }
}
