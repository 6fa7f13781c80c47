//! The time of the last backup, noted in the data folder for `moim doctor`.

use std::{
    fs, io,
    path::Path,
    time::{Duration, SystemTime},
};

use crate::data::new_private_file;

/// The file in the data folder. Its own time is that of the backup.
pub(super) const LAST: &str = "last-backup";

/// Notes that a backup was made.
pub(super) fn note(folder: &Path) -> io::Result<()> {
    let file = folder.join(LAST);
    match fs::remove_file(&file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    new_private_file(&file).map(drop)
}

/// The time since the last backup; `None` if none was noted.
pub(crate) fn last(folder: &Path) -> Option<Duration> {
    let noted = fs::symlink_metadata(folder.join(LAST)).ok()?.modified().ok()?;
    // A clock that was set back makes it no older.
    Some(SystemTime::now().duration_since(noted).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_backup_counts() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(last(folder.path()), None);
        note(folder.path()).unwrap();
        let file = fs::File::open(folder.path().join(LAST)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(5_000)).unwrap();
        assert!(last(folder.path()).unwrap() >= Duration::from_secs(5_000));
        note(folder.path()).unwrap();
        assert!(last(folder.path()).unwrap() < Duration::from_secs(5_000));
    }
}
