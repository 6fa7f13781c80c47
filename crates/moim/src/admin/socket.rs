//! The Unix socket in the data folder.

use std::{
    fs::{self, File, Permissions},
    io,
    os::{
        fd::AsRawFd,
        unix::{
            ffi::OsStrExt,
            fs::{DirBuilderExt, PermissionsExt},
            net::{UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{runtime::Builder, sync::Semaphore, time::sleep};

/// The socket's name in the data folder.
const NAME: &str = "admin.sock";
/// A folder beside the socket, while it is bound.
const PRIVATE_FOLDER: &str = "admin.new";
/// The socket's name in that folder.
const TEMPORARY_NAME: &str = "s";
/// Longest path of a Unix socket on Linux, without its final zero (unix(7)). Others allow a little
/// less.
const MAX_PATH_BYTES: usize = if cfg!(target_os = "linux") { 107 } else { 103 };
/// Concurrent connections; others wait in the backlog.
const MAX_CONNECTIONS: usize = 32;
/// Time for the head of a request to arrive.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The bound socket. Its file remains if this is dropped before it is served.
#[derive(Debug)]
pub(crate) struct AdminSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl AdminSocket {
    /// Binds the socket of a folder that the caller has locked, and replaces one that a dead server
    /// left behind.
    pub(crate) fn bind(folder: &Path) -> io::Result<Self> {
        let path = folder.join(NAME);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let short = ShortPath::of(folder)?;
        // Nobody else can connect before the socket's mode is restricted: not by its own name,
        // which it gets only then, and not in a folder of this user alone.
        let private = short.join(PRIVATE_FOLDER);
        let temporary = private.join(TEMPORARY_NAME);
        let _ = fs::remove_file(&temporary);
        let _ = fs::remove_dir(&private);
        fs::DirBuilder::new().mode(0o700).create(&private)?;
        let listener = UnixListener::bind(&temporary)?;
        fs::set_permissions(&temporary, Permissions::from_mode(0o600))?;
        fs::rename(&temporary, &path)?;
        fs::remove_dir(&private)?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, path })
    }

    /// Serves `router` on a thread of its own until the process ends. The result removes the
    /// socket's file when it is dropped.
    pub(crate) fn serve(self, router: Router) -> io::Result<SocketFile> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let listener = self.listener;
        let serve = move || {
            runtime.block_on(async {
                match tokio::net::UnixListener::from_std(listener) {
                    Ok(listener) => accept(listener, router).await,
                    Err(error) => tracing::warn!(%error, "the admin socket can't be served"),
                }
            });
        };
        thread::Builder::new().name("admin".to_owned()).spawn(serve)?;
        Ok(SocketFile(self.path))
    }
}

/// The file of a socket, removed when dropped.
#[derive(Debug)]
pub(crate) struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Connects to the server of a folder.
pub(super) fn connect(folder: &Path) -> io::Result<UnixStream> {
    UnixStream::connect(ShortPath::of(folder)?.join(NAME))
}

/// The path of a folder, short enough for that of a socket in it.
struct ShortPath {
    path: PathBuf,
    /// Keeps the descriptor open that `path` names.
    _folder: Option<File>,
}

impl ShortPath {
    fn of(folder: &Path) -> io::Result<Self> {
        let longest = folder.join(PRIVATE_FOLDER).join(TEMPORARY_NAME);
        if longest.as_os_str().as_bytes().len() <= MAX_PATH_BYTES {
            return Ok(Self { path: folder.to_owned(), _folder: None });
        }
        if cfg!(target_os = "linux") {
            let folder = File::open(folder)?;
            let path = format!("/proc/self/fd/{}", folder.as_raw_fd()).into();
            return Ok(Self { path, _folder: Some(folder) });
        }
        let message = format!("the path of {} is too long for a socket", folder.display());
        Err(io::Error::new(io::ErrorKind::InvalidFilename, message))
    }

    fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

async fn accept(listener: tokio::net::UnixListener, router: Router) {
    let free = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        // The semaphore is never closed.
        let Ok(permit) = Arc::clone(&free).acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::debug!(%error, "can't accept on the admin socket");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let _permit = permit;
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).keep_alive(false);
            if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
                tracing::debug!(%error, "connection of the admin socket ended");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn socket_is_private_and_replaces_a_stale_one() {
        let folder = tempfile::tempdir().unwrap();
        // Dropped without serving, as by a crash: the file stays.
        drop(AdminSocket::bind(folder.path()).unwrap());
        let error = connect(folder.path()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        let _socket = AdminSocket::bind(folder.path()).unwrap();
        let mode = fs::metadata(folder.path().join(NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        connect(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn folder_with_a_long_path_has_a_socket_too() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("d".repeat(120)).join("e".repeat(120));
        fs::create_dir_all(&folder).unwrap();
        let _socket = AdminSocket::bind(&folder).unwrap();
        connect(&folder).unwrap();
    }

    #[test]
    fn serving_removes_the_file_in_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let file = AdminSocket::bind(folder.path()).unwrap().serve(Router::new()).unwrap();
        drop(file);
        assert!(!folder.path().join(NAME).exists());
    }
}
