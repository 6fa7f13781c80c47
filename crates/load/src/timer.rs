//! A timer with a resolution of 0.1 ms. The runtime's timers have 1 ms, so that all participants
//! due within one would send at once.

#[cfg(target_os = "linux")]
use std::{
    io,
    time::{Duration, Instant},
};

/// The timer of one participant.
#[cfg(target_os = "linux")]
pub(crate) struct Timer(tokio::io::unix::AsyncFd<std::os::fd::OwnedFd>);

#[cfg(target_os = "linux")]
impl Timer {
    /// A timer that is not armed.
    ///
    /// # Errors
    /// The process has too many descriptors.
    pub(crate) fn new() -> io::Result<Self> {
        use rustix::time::{TimerfdClockId, TimerfdFlags, timerfd_create};

        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        let readable = tokio::io::Interest::READABLE;
        #[expect(
            deprecated,
            reason = "its successor is unsafe for descriptors that change; an OwnedFd stays what it is"
        )]
        tokio::io::unix::AsyncFd::with_interest(timer, readable).map(Self)
    }

    /// Waits until `due`; returns at once if that has passed. Cancel safe.
    ///
    /// # Errors
    /// The system call fails.
    pub(crate) async fn until(&mut self, due: Instant) -> io::Result<()> {
        use rustix::time::{Itimerspec, TimerfdTimerFlags, Timespec, timerfd_settime};

        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        let once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let value = Timespec::try_from(left.min(MAX_WAIT)).map_err(io::Error::other)?;
        let times = Itimerspec { it_interval: once, it_value: value };
        // Setting the timer also clears an earlier expiry.
        timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &times)?;
        loop {
            let mut ready = self.0.readable().await?;
            let fired = ready.try_io(|timer| {
                rustix::io::read(timer, &mut [0; 8]).map(drop).map_err(io::Error::from)
            });
            if let Ok(fired) = fired {
                return fired;
            }
        }
    }
}

/// Maximum wait; a later timeout is armed again then.
#[cfg(target_os = "linux")]
const MAX_WAIT: Duration = Duration::from_secs(3600);

/// On other systems the runtime's timers are used.
#[cfg(not(target_os = "linux"))]
pub(crate) struct Timer;

#[cfg(not(target_os = "linux"))]
impl Timer {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    pub(crate) async fn until(&mut self, due: Instant) -> io::Result<()> {
        tokio::time::sleep_until(due.into()).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn timer_fires_at_its_deadline_after_cancelled_waits() {
        let mut timer = Timer::new().unwrap();
        let begun = Instant::now();
        timer.until(begun).await.unwrap();
        for step in 1..=10 {
            let dropped = timer.until(begun + Duration::from_secs(600));
            assert!(tokio::time::timeout(Duration::from_millis(1), dropped).await.is_err());
            let due = Instant::now() + Duration::from_micros(300 * step);
            timer.until(due).await.unwrap();
            assert!(Instant::now() >= due);
        }
        assert!(begun.elapsed() < Duration::from_secs(60));
    }
}
