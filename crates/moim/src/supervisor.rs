//! The service manager: systemd, or another with its notification protocol (sd_notify(3)). Without
//! one, nothing here does anything.
//!
//! Sends may wait for the manager, so they belong on threads that serve nobody.

use std::time::Duration;

#[cfg(target_os = "linux")]
use std::{
    collections::BTreeSet,
    env,
    io::Read,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
};

#[cfg(target_os = "linux")]
use sd_notify::NotifyState;

use crate::net::inherited::PortSockets;
#[cfg(target_os = "linux")]
use crate::net::inherited::RELAYED;

/// Descriptors that systemd stores if it doesn't say how many (before version 254): those of the
/// package's unit.
#[cfg(target_os = "linux")]
const STORED: usize = 2048;
/// Descriptors in one notification; the kernel permits 253 (unix(7)).
#[cfg(target_os = "linux")]
const MAX_PER_NOTIFICATION: usize = 200;
/// Time for the manager to handle notifications.
#[cfg(target_os = "linux")]
const BARRIER_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for the process to end after its own deadline.
const MARGIN: Duration = Duration::from_secs(10);

/// The service manager.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Supervisor {
    is_present: bool,
}

impl Supervisor {
    /// The manager that the environment names.
    pub(crate) fn find() -> Self {
        Self { is_present: cfg!(target_os = "linux") && env_has_socket() }
    }

    /// True if there is one.
    pub(crate) fn is_present(self) -> bool {
        self.is_present
    }

    /// Tells the manager that the server serves, also after a reload.
    pub(crate) fn ready(self) {
        #[cfg(target_os = "linux")]
        self.notify(&[NotifyState::Ready]);
    }

    /// Tells the manager that the server reloads its configuration or changes its program. It is
    /// ready afterwards.
    pub(crate) fn reloading(self) {
        #[cfg(target_os = "linux")]
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.notify(&[NotifyState::Reloading, now]),
            Err(error) => tracing::debug!(%error, "the system has no monotonic clock"),
        }
    }

    /// Tells the manager that the server stops, within `limit` unless something is wrong.
    pub(crate) fn stopping(self, limit: Duration) {
        #[cfg(target_os = "linux")]
        {
            let limit = limit.saturating_add(MARGIN).as_micros();
            let limit = format!("EXTEND_TIMEOUT_USEC={limit}");
            self.notify(&[NotifyState::Stopping, NotifyState::Custom(&limit)]);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (limit, MARGIN);
    }

    /// Describes the server to the operator, in `systemctl status`.
    pub(crate) fn status(self, text: &str) {
        #[cfg(target_os = "linux")]
        self.notify(&[NotifyState::Status(text)]);
        #[cfg(not(target_os = "linux"))]
        let _ = text;
    }

    /// Interval of [`feed`](Self::feed), a third of what the manager's watchdog permits; `None`
    /// without a watchdog.
    pub(crate) fn watchdog_interval(self) -> Option<Duration> {
        #[cfg(target_os = "linux")]
        return sd_notify::watchdog_enabled()
            .filter(|limit| self.is_present && *limit >= Duration::from_millis(3))
            .map(|limit| limit / 3);
        #[cfg(not(target_os = "linux"))]
        None
    }

    /// Shows the manager's watchdog that the server works.
    pub(crate) fn feed(self) {
        #[cfg(target_os = "linux")]
        self.notify(&[NotifyState::Watchdog]);
    }

    /// Has the manager close the sockets that it kept from the process before, which this one has by
    /// now. Those of which the configuration has no use any more would keep their ports.
    #[cfg(target_os = "linux")]
    pub(crate) fn take_back(self) {
        let names = stored_before();
        if names.is_empty() || !self.is_present {
            return;
        }
        self.release(names.iter().map(String::as_str));
        if let Err(error) = self.wait_until_done() {
            tracing::warn!(%error, "the service manager does not say that it closed old sockets");
        }
    }

    /// Does nothing on this system.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn take_back(self) {}

    /// Leaves duplicates of the sockets with the manager. The next process gets them, however this
    /// one ends.
    #[cfg(target_os = "linux")]
    pub(crate) fn keep(self, sockets: &PortSockets) {
        let named = sockets.named();
        let limit = store_limit();
        if self.is_present && named.len() > limit {
            tracing::warn!(
                sockets = named.len(),
                "too many sockets for systemd to keep {limit}: calls of the media server may lose \
                 packets in a restart; set FileDescriptorStoreMax= in the unit"
            );
            return;
        }
        for (name, socket) in &named {
            // Unpolled, since an ICMP error would have systemd drop the socket.
            let poll = NotifyState::Custom("FDPOLL=0");
            self.notify_with(&[NotifyState::FdStore, NotifyState::FdName(name), poll], &[*socket]);
        }
    }

    /// Does nothing on this system.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn keep(self, _: &PortSockets) {}

    /// Leaves sockets of relayed addresses with the manager, as many as it keeps. The next process
    /// binds the others anew.
    #[cfg(target_os = "linux")]
    pub(crate) fn keep_relayed(self, sockets: &PortSockets) {
        let room = store_limit().saturating_sub(sockets.named().len());
        let relayed: Vec<_> = sockets.relayed.iter().take(room).map(AsFd::as_fd).collect();
        for some in relayed.chunks(MAX_PER_NOTIFICATION) {
            let poll = NotifyState::Custom("FDPOLL=0");
            self.notify_with(&[NotifyState::FdStore, NotifyState::FdName(RELAYED), poll], some);
        }
    }

    /// Does nothing on this system.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn keep_relayed(self, _: &PortSockets) {}

    /// Has the manager close the sockets that it keeps.
    #[cfg(target_os = "linux")]
    pub(crate) fn forget(self, sockets: &PortSockets) {
        self.release(sockets.named().iter().map(|(name, _)| name.as_str()));
    }

    /// Does nothing on this system.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn forget(self, _: &PortSockets) {}
}

#[cfg(target_os = "linux")]
impl Supervisor {
    fn release<'a>(self, names: impl Iterator<Item = &'a str>) {
        for name in names {
            self.notify(&[NotifyState::FdStoreRemove, NotifyState::FdName(name)]);
        }
    }

    /// Waits until the manager has handled all notifications: it closes a descriptor then.
    fn wait_until_done(self) -> std::io::Result<()> {
        let (mut ours, theirs) = UnixStream::pair()?;
        self.notify_with(&[NotifyState::Custom("BARRIER=1")], &[theirs.as_fd()]);
        drop(theirs);
        ours.set_read_timeout(Some(BARRIER_TIMEOUT))?;
        ours.read_exact(&mut [0]).or_else(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Ok(()),
            _ => Err(error),
        })
    }

    fn notify(self, state: &[NotifyState<'_>]) {
        self.log(sd_notify::notify(state));
    }

    fn notify_with(self, state: &[NotifyState<'_>], sockets: &[BorrowedFd<'_>]) {
        self.log(sd_notify::notify_with_fds(state, sockets));
    }

    fn log(self, sent: std::io::Result<()>) {
        if let Err(error) = sent
            && self.is_present
        {
            tracing::warn!(%error, "the service manager at NOTIFY_SOCKET can't be told");
        }
    }
}

/// Descriptors that the manager keeps for this unit.
#[cfg(target_os = "linux")]
fn store_limit() -> usize {
    env::var("FDSTORE").ok().and_then(|limit| limit.parse().ok()).unwrap_or(STORED)
}

/// Names of this program's sockets that the manager kept from the process before.
#[cfg(target_os = "linux")]
fn stored_before() -> BTreeSet<String> {
    let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
    names.split(':').filter(|name| PortSockets::is_name(name)).map(str::to_owned).collect()
}

fn env_has_socket() -> bool {
    std::env::var_os("NOTIFY_SOCKET").is_some_and(|path| !path.is_empty())
}
