//! The files of a data folder that a backup has.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context;

use super::{
    last::LAST,
    place::{REPLACED, RESTORING},
};
use crate::data::{LOCK, TEMPORARY};

/// Files without keys and secrets, beside databases. Whatever is not known may be a key.
const KEYLESS: &[&str] = &["rooms.json"];
/// Files of a running server alone: the state of a warm restart, locks, journals of databases.
const TRANSIENT: &[&str] = &[TEMPORARY, ".lock", "-wal", "-shm", "-journal"];
/// The state that a server leaves to the next one in a warm restart.
const HANDOVER: &str = "handover";

/// The first bytes of an SQLite database.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// Files of a data folder, by paths relative to it, in order.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) files: Vec<PathBuf>,
    /// Links and pipes, which a backup can't have.
    pub(super) others: Vec<PathBuf>,
}

impl Contents {
    /// The files in `folder`, without keys where the operator wants none.
    pub(super) fn of(folder: &Path, keys: bool) -> anyhow::Result<Self> {
        let mut contents = Self::default();
        contents
            .add(folder, Path::new(""))
            .with_context(|| format!("Can't read the data folder {}", folder.display()))?;
        if !keys {
            contents.files.retain(|file| is_keyless(folder, file));
        }
        contents.files.sort();
        Ok(contents)
    }

    fn add(&mut self, folder: &Path, below: &Path) -> io::Result<()> {
        for entry in fs::read_dir(folder.join(below))? {
            let entry = entry?;
            let kind = entry.file_type()?;
            let path = below.join(entry.file_name());
            if is_transient(&path) {
                continue;
            }
            if kind.is_dir() {
                self.add(folder, &path)?;
            } else if kind.is_file() {
                self.files.push(path);
            } else if !is_socket(kind) {
                self.others.push(path);
            }
        }
        Ok(())
    }
}

/// The admin socket is in the data folder.
#[cfg(unix)]
fn is_socket(kind: fs::FileType) -> bool {
    std::os::unix::fs::FileTypeExt::is_socket(&kind)
}

#[cfg(not(unix))]
fn is_socket(_: fs::FileType) -> bool {
    false
}

fn is_transient(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_top = path.components().count() == 1;
    let begins = [HANDOVER, LAST, REPLACED, RESTORING];
    TRANSIENT.iter().any(|end| name.ends_with(end))
        || name == LOCK
        || is_top && begins.iter().any(|begin| name.starts_with(begin))
}

fn is_keyless(folder: &Path, file: &Path) -> bool {
    KEYLESS.iter().any(|name| file == Path::new(name)) || is_database(&folder.join(file))
}

/// True if `file` is an SQLite database.
pub(super) fn is_database(file: &Path) -> bool {
    let mut start = Vec::new();
    let read = fs::File::open(file)
        .and_then(|file| io::Read::read_to_end(&mut io::Read::take(file, 16), &mut start));
    read.is_ok() && start == SQLITE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_running_server_and_unknown_ones_without_keys_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &[u8]| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        for name in ["ca.pem", "acme/a/account.json", "rooms.json"] {
            write(name, b"x");
        }
        for name in
            ["x.1-2.new", "handover", "handover.sock", "last-backup", "acme/lock", "moim.db-wal"]
        {
            write(name, b"x");
        }
        write("replaced-5/ca.pem", b"x");
        write("moim.db", &[SQLITE, b"more"].concat());
        let files = |keys| Contents::of(folder.path(), keys).unwrap().files;
        let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        assert_eq!(files(true), paths(&["acme/a/account.json", "ca.pem", "moim.db", "rooms.json"]));
        assert_eq!(files(false), paths(&["moim.db", "rooms.json"]));
    }
}
