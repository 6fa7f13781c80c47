//! S11: the data folder, as the server's user sees it.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use doctor::server::{Looked, data::Facts};
use rustix::fs::{Access, access, statvfs};

use crate::{admin::Vitals, backup, config::StoreChoice};

/// Files of the server that hold keys, passwords or what people said of themselves.
const SECRETS: [&str; 7] =
    ["ca.pem", "handover", "moim.db", "moim.db-wal", "rooms.json", "server.pem", "turn.secret"];
/// The accounts and certificates of public CAs.
const ACME_FOLDER: &str = "acme";
/// Seconds of a day.
const SECONDS_PER_DAY: u64 = 86_400;
/// Depth of folders in that folder.
const ACME_DEPTH: usize = 3;
/// Files that are named at most.
const MAX_OPEN_FILES: usize = 8;

/// Why the database of the store can't be used, if it is on another server.
pub(super) fn store_problem(store: &StoreChoice) -> Option<String> {
    let StoreChoice::Postgres(server) = store else { return None };
    server.connect().err().map(|error| format!("{error:#}"))
}

pub(super) fn gather(
    folder: &Path,
    store_problem: Option<String>,
    vitals: Option<&Vitals>,
    in_container: bool,
) -> Looked<Facts> {
    // A missing folder is made at the first start, in the nearest one that exists.
    let existing = folder.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    let own = rustix::process::geteuid().as_raw();
    let user = vitals.and_then(|vitals| user_of(vitals.pid)).unwrap_or(own);
    let space = statvfs(existing).ok();
    let mount = mount_of(existing);
    let is_mounted = mount != Path::new("/");
    // A container with a whole system inside is no image that is replaced.
    let is_image = in_container && runs_alone(vitals);
    let name = name_of(user);
    Ok(Facts {
        folder: folder.display().to_string(),
        writable: is_writable(existing, user, own),
        command: format!("sudo chown -R {name} {}", existing.display()),
        user: name,
        free_mib: space
            .filter(|space| space.f_blocks > 0)
            .map(|space| space.f_bavail.saturating_mul(space.f_frsize) >> 20),
        mount: mount.display().to_string(),
        open_files: open_files(folder),
        ephemeral: is_image && !is_mounted,
        backup_days: backup::last(folder).map(|age| age.as_secs() / SECONDS_PER_DAY),
        store_problem,
    })
}

/// True if the server, or a small init before it, is the container's first process.
fn runs_alone(vitals: Option<&Vitals>) -> bool {
    let first = fs::read_to_string("/proc/1/comm").unwrap_or_default();
    vitals.is_some_and(|vitals| vitals.pid == 1)
        || ["tini", "dumb-init", "docker-init", "catatonit", "moim"].contains(&first.trim())
}

/// True if `user` may write to the folder. For another user than this one the mode decides.
fn is_writable(folder: &Path, user: u32, own: u32) -> bool {
    if user == own {
        return access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok();
    }
    let Ok(metadata) = fs::metadata(folder) else { return false };
    // Groups of another user are not known: a folder that any group may write to passes.
    user == 0
        || metadata.mode() & 0o022 != 0
        || (metadata.uid() == user && metadata.mode() & 0o200 != 0)
}

/// The user of a process.
fn user_of(pid: u32) -> Option<u32> {
    fs::metadata(format!("/proc/{pid}")).ok().map(|metadata| metadata.uid())
}

fn name_of(user: u32) -> String {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let line = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let named = line.filter_map(|fields| match fields.as_slice() {
        [name, _, id, ..] => Some(((*name).to_owned(), id.parse::<u32>().ok()?)),
        _ => None,
    });
    let mut named = named.filter(|(_, id)| *id == user);
    named.next().map_or_else(|| user.to_string(), |(name, _)| name)
}

/// The mount point above `path`: where the device changes.
fn mount_of(path: &Path) -> PathBuf {
    let device = |path: &Path| fs::metadata(path).ok().map(|metadata| metadata.dev());
    let Ok(path) = path.canonicalize() else { return PathBuf::from("/") };
    let same = path.ancestors().take_while(|above| device(above) == device(&path));
    same.last().map_or_else(|| PathBuf::from("/"), Path::to_owned)
}

/// Secrets that others can read. moim restricts those that it reads; copies of them are not.
fn open_files(folder: &Path) -> Vec<String> {
    let is_open = |path: &PathBuf| {
        let metadata = fs::symlink_metadata(path).ok();
        metadata.is_some_and(|about| about.is_file() && about.mode() & 0o044 != 0)
    };
    let fixed = SECRETS.iter().map(|name| folder.join(name));
    let found = fixed.chain(files_below(&folder.join(ACME_FOLDER), ACME_DEPTH)).filter(is_open);
    found.take(MAX_OPEN_FILES).map(|path| path.display().to_string()).collect()
}

/// Files below a folder, to a depth.
fn files_below(folder: &Path, depth: usize) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path());
    paths
        .flat_map(|path| match path.is_dir() && !path.is_symlink() {
            true if depth > 0 => files_below(&path, depth - 1),
            true => Vec::new(),
            false => vec![path],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn folder_of_this_user_is_healthy_and_a_secret_for_all_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let facts = gather(folder.path(), None, None, false).unwrap();
        assert!(facts.writable && facts.open_files.is_empty() && !facts.ephemeral);
        assert!(facts.free_mib.is_some());
        fs::create_dir_all(folder.path().join("acme/a1b2")).unwrap();
        for name in ["turn.secret", "ca.pem", "acme/a1b2/account.json", "moim.db"] {
            let secret = folder.path().join(name);
            fs::write(&secret, "x").unwrap();
            fs::set_permissions(&secret, Permissions::from_mode(0o644)).unwrap();
            let facts = gather(folder.path(), None, None, false).unwrap();
            assert_eq!(facts.open_files, [secret.display().to_string()]);
            fs::set_permissions(&secret, Permissions::from_mode(0o600)).unwrap();
        }
        fs::write(folder.path().join("notes.txt"), "of the operator").unwrap();
        assert!(gather(folder.path(), None, None, false).unwrap().open_files.is_empty());
    }

    #[test]
    fn missing_folder_is_judged_by_its_parent() {
        let folder = tempfile::tempdir().unwrap();
        let facts = gather(&folder.path().join("a/b"), None, None, false).unwrap();
        assert!(facts.writable);
        assert!(facts.command.ends_with(&folder.path().display().to_string()));
    }

    #[test]
    fn another_user_needs_ownership() {
        let folder = tempfile::tempdir().unwrap();
        let owner = fs::metadata(folder.path()).unwrap().uid();
        let mode = |mode| {
            fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
        };
        mode(0o700);
        assert!(!is_writable(folder.path(), owner + 7, owner));
        assert!(is_writable(folder.path(), owner, owner + 7));
        assert!(is_writable(folder.path(), 0, 7));
        mode(0o770);
        assert!(is_writable(folder.path(), owner + 7, owner), "perhaps by its group");
    }
}
