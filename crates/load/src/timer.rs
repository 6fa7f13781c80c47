//! Waits to the tenth of a millisecond: the runtime's own timers are no finer than a millisecond, so
//! that all who are to send within one would do so at once.

#[cfg(target_os = "linux")]
use std::time::Duration;
use std::{io, time::Instant};

/// One participant's.
#[cfg(target_os = "linux")]
pub(crate) struct Timer(tokio::io::unix::AsyncFd<std::os::fd::OwnedFd>);

#[cfg(target_os = "linux")]
impl Timer {
    /// # Errors
    /// The system's: too many descriptors.
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

    /// Returns then, or at once where that has been. Safe to be dropped while it waits.
    ///
    /// # Errors
    /// The system's.
    pub(crate) async fn until(&mut self, due: Instant) -> io::Result<()> {
        use rustix::time::{Itimerspec, TimerfdTimerFlags, Timespec, timerfd_settime};

        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        let once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let value = Timespec::try_from(left.min(MAX_WAIT)).map_err(io::Error::other)?;
        let times = Itimerspec { it_interval: once, it_value: value };
        // What it has rung for before is forgotten with it.
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

/// Who waits for more looks again.
#[cfg(target_os = "linux")]
const MAX_WAIT: Duration = Duration::from_secs(3600);

/// Elsewhere it is the runtime's.
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
    async fn it_rings_in_time_and_never_before_also_when_it_was_left_waiting() {
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
