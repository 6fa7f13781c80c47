//! A service manager like systemd: takes notifications, keeps sockets and passes them on.

use std::{
    collections::BTreeMap,
    io::IoSliceMut,
    mem::MaybeUninit,
    net::SocketAddr,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixDatagram,
    },
    path::Path,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use command_fds::{CommandFdExt, FdMapping};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use tempfile::TempDir;

use crate::support::{DEADLINE, Server, moim, within};

/// The first descriptor of those passed on (sd_listen_fds(3)).
const FIRST: i32 = 3;

/// A running manager.
pub(crate) struct Manager {
    folder: TempDir,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Notifications in order, as their lines.
    told: Vec<Vec<String>>,
    stored: BTreeMap<String, Vec<OwnedFd>>,
}

impl Manager {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        let state = Arc::<Mutex<State>>::default();
        let taken = Arc::clone(&state);
        thread::spawn(move || while take(&socket, &taken).is_some() {});
        Self { folder, state }
    }

    /// Starts a server at this address, with the stored sockets, and `sockets` of a unit.
    pub(crate) fn serve(
        &self,
        listen: SocketAddr,
        data: &Arc<TempDir>,
        flags: &[&str],
        sockets: Vec<OwnedFd>,
        environment: &[(&str, &str)],
    ) -> Server {
        let mut passed: Vec<(String, OwnedFd)> =
            sockets.into_iter().map(|socket| ("moim.socket".to_owned(), socket)).collect();
        // systemd's list of stored descriptors has the newest one first.
        for (name, kept) in self.state.lock().unwrap().stored.iter().rev() {
            let kept = kept.iter().map(|kept| (name.clone(), kept.try_clone().unwrap()));
            passed.extend(kept);
        }
        let mut command = self.command(listen, data.path(), flags);
        let names: Vec<_> = passed.iter().map(|(name, _)| name.as_str()).collect();
        command.env("LISTEN_FDS", passed.len().to_string()).env("LISTEN_FDNAMES", names.join(":"));
        command.envs(environment.iter().copied());
        let mapping = |(child_fd, (_, parent_fd))| FdMapping { parent_fd, child_fd };
        command.fd_mappings((FIRST..).zip(passed).map(mapping).collect()).unwrap();
        Server::spawn(command, listen.ip(), Arc::clone(data))
    }

    /// The server's command, by a shell that knows the number of the process, and begins it at the
    /// end of its input.
    fn command(&self, listen: SocketAddr, data: &Path, flags: &[&str]) -> Command {
        let direct = moim(&["--listen", &listen.to_string()], data, flags);
        let mut command = Command::new("sh");
        command.args(["-c", "read -r _; export LISTEN_PID=$$; exec \"$0\" \"$@\""]);
        command.arg(direct.get_program()).args(direct.get_args());
        for (name, value) in direct.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.env("NOTIFY_SOCKET", self.folder.path().join("notify"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// All notifications so far.
    pub(crate) fn told(&self) -> Vec<Vec<String>> {
        self.state.lock().unwrap().told.clone()
    }

    /// The number of notifications with this line.
    pub(crate) fn count(&self, line: &str) -> usize {
        let is_line = |told: &&Vec<String>| told.iter().any(|other| other == line);
        self.told().iter().filter(is_line).count()
    }

    /// Waits for the `nth` notification with this line.
    pub(crate) fn expect(&self, line: &str, nth: usize) {
        let told = || format!("{line}: {:?}", self.told());
        within(DEADLINE, &told(), || (self.count(line) >= nth).then_some(()));
    }

    /// The names of the stored sockets.
    pub(crate) fn stored(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        state.stored.iter().flat_map(|(name, kept)| kept.iter().map(|_| name.clone())).collect()
    }
}

/// Takes one notification.
fn take(socket: &UnixDatagram, state: &Mutex<State>) -> Option<()> {
    let mut bytes = [0; 4096];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(253))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut parts = [IoSliceMut::new(&mut bytes)];
    let received =
        recvmsg(socket.as_fd(), &mut parts, &mut ancillary, RecvFlags::CMSG_CLOEXEC).ok()?;
    let mut descriptors = Vec::new();
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            descriptors.extend(rights);
        }
    }
    let text = String::from_utf8(bytes[..received.bytes].to_vec()).unwrap();
    let lines: Vec<_> = text.lines().map(str::to_owned).collect();
    let name = lines.iter().find_map(|line| line.strip_prefix("FDNAME="));
    let has = |line: &str| lines.iter().any(|other| other == line);
    let mut state = state.lock().unwrap();
    if has("FDSTORE=1") {
        assert!(has("FDPOLL=0") && !descriptors.is_empty(), "{lines:?}");
        state.stored.entry(name.unwrap().to_owned()).or_default().extend(descriptors);
    }
    if has("FDSTOREREMOVE=1") {
        state.stored.remove(name.unwrap());
    }
    state.told.push(lines);
    Some(())
}
