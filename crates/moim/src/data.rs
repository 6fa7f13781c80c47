//! The data folder: secrets and state, readable only by the user that runs the server.

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use etcetera::base_strategy::{BaseStrategy as _, choose_native_strategy};

/// The data folder of containers, where a volume is mounted.
const CONTAINER_FOLDER: &str = "/data";
/// The data folder of the package's systemd unit. Root's shell has no `$STATE_DIRECTORY`.
pub(crate) const PACKAGE_FOLDER: &str = "/var/lib/moim";

/// The data folder if the operator names none, and the reason.
///
/// # Errors
/// The system defines no data folder. A sentence for the operator, with the remedy.
pub(crate) fn choose_folder() -> anyhow::Result<(PathBuf, &'static str)> {
    let platform = || Some(choose_native_strategy().ok()?.data_dir().join("moim"));
    choose(env::var_os("STATE_DIRECTORY"), Path::new(CONTAINER_FOLDER), platform)
}

fn choose(
    state_directory: Option<OsString>,
    container: &Path,
    platform: impl FnOnce() -> Option<PathBuf>,
) -> anyhow::Result<(PathBuf, &'static str)> {
    // systemd separates several entries of StateDirectory= by colons.
    let first = state_directory.and_then(|paths| env::split_paths(&paths).next());
    if let Some(path) = first.filter(|path| path.is_absolute()) {
        return Ok((path, "$STATE_DIRECTORY of systemd"));
    }
    if container.is_dir() && is_writable(container) {
        return Ok((container.to_owned(), "the folder of containers"));
    }
    let platform = platform().map(|path| (path, "the platform's data folder"));
    platform.with_context(|| format!("This system defines no data folder: {REMEDY}"))
}

/// End of the names of temporary files.
pub(crate) const TEMPORARY: &str = ".new";
/// Bytes of a file that finds out whether there is space.
#[cfg(target_os = "linux")]
const PROBE_BYTES: usize = 1 << 20;

/// Ways to get a data folder.
const REMEDY: &str = "name one with --data DIR, set StateDirectory=moim in a systemd unit, or \
                      mount a volume in a container (-v moim:/data)";

#[cfg(unix)]
fn is_writable(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok()
}

#[cfg(not(unix))]
fn is_writable(_: &Path) -> bool {
    false
}

/// The file whose lock a running server holds. It is never removed: another server might hold a
/// lock on the removed file.
pub(crate) const LOCK: &str = "lock";

/// The lock of a running server on its data folder. The system releases it when the process ends,
/// however it does.
#[derive(Debug)]
pub(crate) struct DataLock {
    _file: File,
}

/// A private folder. All secrets are read and written through it.
#[derive(Debug, Clone)]
pub(crate) struct DataFolder {
    path: PathBuf,
}

impl DataFolder {
    /// The folder at `path`, which may not exist yet.
    pub(crate) fn unopened(path: PathBuf) -> Self {
        Self { path }
    }

    /// Opens the folder, creates it if missing, and checks that it is writable.
    ///
    /// # Errors
    /// A sentence for the operator, with the remedy.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        make(path).and_then(|()| probe(path)).with_context(|| {
            format!("Can't write to the data folder {}: allow it, {REMEDY}", path.display())
        })?;
        Ok(Self { path: path.to_owned() })
    }

    /// The folder's path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Checks that the folder can be written to and has space.
    ///
    /// # Errors
    /// A sentence for the operator.
    #[cfg(target_os = "linux")]
    pub(crate) fn check_writable(&self) -> anyhow::Result<()> {
        let path = self.path.join("probe");
        let written = write_temporary(&path, |file| {
            file.write_all(&[b' '; PROBE_BYTES])?;
            file.sync_all()
        });
        written.and_then(|(path, ())| fs::remove_file(path)).with_context(|| {
            format!("Can't write to {}: allow it, make space", self.path.display())
        })
    }

    /// Locks the folder for this process, until the result is dropped.
    ///
    /// # Errors
    /// Another server has the folder. A sentence for the operator, with the remedy.
    pub(crate) fn lock(&self) -> anyhow::Result<DataLock> {
        let path = self.path.join(LOCK);
        let mut options = fs::OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            // Root may lock the folder of another user, who could lead it elsewhere.
            let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
            options.mode(0o600).custom_flags(no_follow);
        }
        let file = options
            .open(&path)
            .with_context(|| format!("Can't write {}: allow it", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => bail!(
                "Another server runs with the data folder {}: stop it, or choose another folder \
                 with --data",
                self.path.display()
            ),
            // The file system has no locks.
            Err(fs::TryLockError::Error(error)) => {
                tracing::debug!(%error, path = %path.display(), "can't lock the data folder");
            }
        }
        Ok(DataLock { _file: file })
    }

    /// The text of a file, if it exists. Its mode is restricted to the owner.
    pub(crate) fn read(&self, name: &str) -> anyhow::Result<Option<String>> {
        let path = self.path.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => {
                restrict(&path).with_context(|| {
                    format!("Can't keep {} from others: run `chmod 600` on it", path.display())
                })?;
                Ok(Some(text))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| {
                format!("Can't read {}: allow it, or remove the file", path.display())
            }),
        }
    }

    /// Writes a private file atomically.
    pub(crate) fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.path.join(name);
        replace(&path, |file| {
            file.write_all(text.as_bytes())?;
            file.sync_all().map(|()| true)
        })
        .with_context(|| format!("Can't write {}: is the disk full?", path.display()))
    }

    /// The same piece by piece, for what is worth nothing once the machine has stopped: it need not
    /// reach the disk. The file stays as it is if `write` returns `false`.
    pub(crate) fn write_volatile(
        &self,
        name: &str,
        write: impl FnOnce(&mut File) -> io::Result<bool>,
    ) -> anyhow::Result<()> {
        let path = self.path.join(name);
        replace(&path, write)
            .with_context(|| format!("Can't write {}: is the disk full?", path.display()))
    }

    /// The text of a file, created if missing. Two servers that start at once in one folder read
    /// the same text.
    pub(crate) fn read_or_create(
        &self,
        name: &str,
        make: impl FnOnce() -> anyhow::Result<String>,
    ) -> anyhow::Result<String> {
        if let Some(text) = self.read(name)? {
            return Ok(text);
        }
        let path = self.path.join(name);
        let created = create(&path, &make()?)
            .with_context(|| format!("Can't write {}: is the disk full?", path.display()));
        match self.read(name)? {
            Some(text) => Ok(text),
            None => match created {
                Ok(()) => bail!("{} vanished while the server started", path.display()),
                Err(error) => Err(error),
            },
        }
    }
}

/// Creates the folder with mode 0700. An existing folder keeps its mode, since it may hold other
/// files; ours are private in any case.
fn make(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn probe(path: &Path) -> io::Result<()> {
    let temporary = temporary_beside(&path.join("probe"));
    new_private_file(&temporary)?;
    fs::remove_file(temporary)
}

fn replace(path: &Path, write: impl FnOnce(&mut File) -> io::Result<bool>) -> io::Result<()> {
    let (temporary, is_wanted) = write_temporary(path, write)?;
    if !is_wanted {
        return fs::remove_file(temporary);
    }
    fs::rename(&temporary, path).inspect_err(|_| {
        let _ = fs::remove_file(&temporary);
    })
}

/// Like [`replace`], but fails if the file exists.
fn create(path: &Path, text: &str) -> io::Result<()> {
    let write = |file: &mut File| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    let (temporary, ()) = write_temporary(path, write)?;
    let linked = match fs::hard_link(&temporary, path) {
        // The file system has no hard links: of two servers that start at once, the second wins.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists && !path.exists() => {
            return fs::rename(&temporary, path);
        }
        linked => linked,
    };
    let _ = fs::remove_file(&temporary);
    linked
}

fn write_temporary<T>(
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<T>,
) -> io::Result<(PathBuf, T)> {
    let temporary = temporary_beside(path);
    let mut file = new_private_file(&temporary)?;
    write(&mut file)
        .inspect_err(|_| {
            let _ = fs::remove_file(&temporary);
        })
        .map(|written| (temporary, written))
}

/// A name for a temporary file in the same folder. Backups leave such files out.
pub(crate) fn temporary_beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}-{:08x}{TEMPORARY}", std::process::id(), rand::random::<u32>()));
    path.with_file_name(name)
}

/// Creates a file that only its owner may read.
pub(crate) fn new_private_file(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn restrict(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path)?.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    tracing::warn!(path = %path.display(), mode = format!("{mode:o}"), "file was readable by other users");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn restrict(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn state_directory_precedes_container_precedes_platform() {
        let parent = tempfile::tempdir().unwrap();
        let (container, missing) = (parent.path(), parent.path().join("missing"));
        let platform = || Some(PathBuf::from("/home/ann/moim"));
        let chosen = |state: Option<&str>, container: &Path| {
            choose(state.map(OsString::from), container, platform).unwrap().0
        };
        assert_eq!(chosen(Some("/var/lib/moim:/var/lib/b"), container), Path::new("/var/lib/moim"));
        assert_eq!(chosen(Some(""), container), container);
        assert_eq!(chosen(None, container), container);
        assert_eq!(chosen(None, &missing), Path::new("/home/ann/moim"));
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(chosen(None, file.path()), Path::new("/home/ann/moim"));
        let error = choose(None, &missing, || None).unwrap_err().to_string();
        for remedy in ["--data DIR", "StateDirectory=moim", "-v moim:/data"] {
            assert!(error.contains(remedy), "{error}");
        }
    }

    #[test]
    fn folder_and_files_are_private() {
        let parent = tempfile::tempdir().unwrap();
        let data = DataFolder::open(&parent.path().join("a/b")).unwrap();
        data.write("key", "secret").unwrap();
        assert_eq!(mode(data.path()), 0o700);
        assert_eq!(mode(&data.path().join("key")), 0o600);
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 1);
    }

    #[test]
    fn read_restricts_a_file_that_others_could_read() {
        let parent = tempfile::tempdir().unwrap();
        let data = DataFolder::open(parent.path()).unwrap();
        data.write("key", "secret").unwrap();
        let path = data.path().join("key");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(data.read("key").unwrap().as_deref(), Some("secret"));
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn read_or_create_creates_once() {
        let parent = tempfile::tempdir().unwrap();
        let data = DataFolder::open(parent.path()).unwrap();
        assert_eq!(data.read_or_create("key", || Ok("one".to_owned())).unwrap(), "one");
        assert_eq!(data.read_or_create("key", || Ok("two".to_owned())).unwrap(), "one");
    }

    #[test]
    fn concurrent_first_starts_read_the_same_text() {
        let parent = tempfile::tempdir().unwrap();
        let data = DataFolder::open(parent.path()).unwrap();
        let other = data.clone();
        let kept = data.read_or_create("key", || {
            other.read_or_create("key", || Ok("other".to_owned()))?;
            Ok("mine".to_owned())
        });
        assert_eq!(kept.unwrap(), "other");
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 1);
    }

    #[test]
    fn folder_is_locked_until_its_server_ends() {
        let parent = tempfile::tempdir().unwrap();
        let data = DataFolder::open(parent.path()).unwrap();
        let lock = data.lock().unwrap();
        let error = data.lock().unwrap_err().to_string();
        assert!(error.contains("Another server") && error.contains("--data"), "{error}");
        drop(lock);
        data.lock().unwrap();
        assert_eq!(mode(&data.path().join(LOCK)), 0o600);
    }

    #[test]
    fn open_fails_with_the_remedy() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = DataFolder::open(&file.path().join("below")).unwrap_err();
        assert!(error.to_string().contains("--data"), "{error}");
    }
}
