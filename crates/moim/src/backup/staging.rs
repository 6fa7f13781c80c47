//! The folder in which a restore unpacks, and the owner of its files.
//!
//! Root may restore for the user that runs the server, in a folder that this user can change
//! meanwhile. So nothing is opened through the names of folders that the user could exchange for
//! links: the folder is held open, and its files get their owner before it does.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A new folder of this process's user alone.
#[derive(Debug)]
pub(super) struct Staging {
    /// Its name.
    named: PathBuf,
    /// A path that leads to it whatever becomes of its name, where the system has one.
    path: PathBuf,
    #[cfg(target_os = "linux")]
    _open: fs::File,
}

impl Staging {
    /// Creates the folder.
    pub(super) fn create(named: &Path) -> io::Result<Self> {
        private_folder(named)?;
        #[cfg(target_os = "linux")]
        {
            use std::os::{
                fd::AsRawFd,
                unix::fs::{MetadataExt, OpenOptionsExt},
            };
            let flags = rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::NOFOLLOW;
            let flags = flags.bits().cast_signed();
            let open = fs::OpenOptions::new().read(true).custom_flags(flags).open(named)?;
            let about = open.metadata()?;
            let is_ours = about.uid() == rustix::process::geteuid().as_raw();
            if !is_ours || about.mode() & 0o077 != 0 {
                return Err(io::Error::other(format!("{} was exchanged", named.display())));
            }
            let path = format!("/proc/self/fd/{}", open.as_raw_fd()).into();
            Ok(Self { named: named.to_owned(), path, _open: open })
        }
        #[cfg(not(target_os = "linux"))]
        Ok(Self { named: named.to_owned(), path: named.to_owned() })
    }

    /// The path by which files in it are reached.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the folder with what is left in it.
    pub(super) fn remove(self) {
        // This follows no links.
        let _ = fs::remove_dir_all(&self.named);
    }
}

/// Creates a folder, and those above it, for this process's user alone.
pub(super) fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// The user and group that the server runs as: those of its data folder.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    #[cfg(unix)]
    ids: (u32, u32),
}

#[cfg(unix)]
impl Owner {
    /// The owner of a folder.
    pub(super) fn of(folder: &Path) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt;
        let about = fs::metadata(folder)?;
        Ok(Self { ids: (about.uid(), about.gid()) })
    }

    /// Gives one file or folder to the owner, not through a link.
    pub(super) fn give(self, path: &Path) -> io::Result<()> {
        use std::os::unix::fs::{MetadataExt, lchown};
        let about = fs::symlink_metadata(path)?;
        match (about.uid(), about.gid()) == self.ids {
            true => Ok(()),
            false => lchown(path, Some(self.ids.0), Some(self.ids.1)),
        }
    }

    /// Gives what is in a folder to the owner, but not the folder: until the end, only this
    /// process's user can enter it.
    pub(super) fn give_all_in(self, folder: &Path) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                self.give_all_in(&entry.path())?;
            }
            self.give(&entry.path())?;
        }
        Ok(())
    }
}

#[cfg(not(unix))]
impl Owner {
    /// The owner of a folder.
    pub(super) fn of(_: &Path) -> io::Result<Self> {
        Ok(Self {})
    }

    /// Nothing to do.
    pub(super) fn give(self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    /// Nothing to do.
    pub(super) fn give_all_in(self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn folder_is_reached_though_its_name_leads_elsewhere() {
        let parent = tempfile::tempdir().unwrap();
        let (named, elsewhere) = (parent.path().join("staging"), parent.path().join("elsewhere"));
        let staging = Staging::create(&named).unwrap();
        fs::create_dir(&elsewhere).unwrap();
        fs::rename(&named, parent.path().join("moved")).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &named).unwrap();
        fs::write(staging.path().join("secret"), "x").unwrap();
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
        assert!(parent.path().join("moved/secret").exists());
        fs::write(elsewhere.join("precious"), "x").unwrap();
        staging.remove();
        assert!(elsewhere.join("precious").exists());
    }

    #[test]
    fn link_in_the_place_of_the_folder_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let named = parent.path().join("staging");
        std::os::unix::fs::symlink(parent.path(), &named).unwrap();
        Staging::create(&named).unwrap_err();
    }
}
