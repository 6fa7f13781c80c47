//! Signals to the server.

use std::io;

/// A signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// Stop, or make way for the next process (SIGTERM).
    Terminate,
    /// Stop (SIGINT, Ctrl-C).
    Interrupt,
    /// Reload the configuration (SIGHUP).
    Reload,
}

/// The signals that the server handles.
#[cfg(unix)]
pub(super) struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    pub(super) fn install() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { terminate, interrupt, hangup: signal(SignalKind::hangup())? })
    }

    /// Completes at the next signal.
    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::Terminate,
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.hangup.recv() => Signal::Reload,
        }
    }
}

#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(super) fn install() -> io::Result<Self> {
        Ok(Self)
    }

    /// Completes at the next signal. There is no request to reload on this system.
    pub(super) async fn next(&mut self) -> Signal {
        // Without a console there is no interrupt.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
        Signal::Interrupt
    }
}

impl Signals {
    /// Completes at the next signal that stops the server.
    pub(super) async fn stop(&mut self) {
        while self.next().await == Signal::Reload {}
    }
}
