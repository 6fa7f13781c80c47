//! One direction: frames wait here until it is their time.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    io::ErrorKind,
    sync::Arc,
    time::{Duration, Instant},
};

use rand::{SeedableRng as _, rngs::StdRng};
use testnet::{Line, Link};
use tokio::{
    sync::watch,
    time::{sleep_until, timeout},
};
use tun_rs::AsyncDevice;

/// An Ethernet frame with its header, at the usual MTU and some.
const LONGEST: usize = 2048;

/// What may be under way; more than a second of the fastest line a browser fills.
const MOST: usize = 65_536;

/// How long an interface that is down may keep a frame waiting.
const PATIENCE: Duration = Duration::from_millis(100);

pub(crate) struct Direction {
    from: Arc<AsyncDevice>,
    to: Arc<AsyncDevice>,
    line: Line,
    faults: watch::Receiver<Link>,
    rng: StdRng,
    waiting: BinaryHeap<Reverse<(Instant, u64, Vec<u8>)>>,
    taken: u64,
}

impl Direction {
    /// A direction without faults, and what sets them.
    pub(crate) fn new(
        from: Arc<AsyncDevice>,
        to: Arc<AsyncDevice>,
        seed: u64,
    ) -> (Self, watch::Sender<Link>) {
        let (set, faults) = watch::channel(Link::default());
        let direction = Self {
            from,
            to,
            line: Line::new(Link::default()),
            faults,
            rng: StdRng::seed_from_u64(seed),
            waiting: BinaryHeap::new(),
            taken: 0,
        };
        (direction, set)
    }

    /// Carries frames until an end is gone.
    pub(crate) async fn run(mut self) -> anyhow::Result<()> {
        let mut frame = [0; LONGEST];
        loop {
            let next = self.waiting.peek().map(|Reverse((at, ..))| *at);
            tokio::select! {
                biased;
                () = due(next) => self.deliver().await?,
                changed = self.faults.changed() => {
                    changed?;
                    let link = *self.faults.borrow_and_update();
                    self.line.change(link);
                }
                received = self.from.recv(&mut frame) => match received {
                    Ok(length) => self.take(frame.get(..length).unwrap_or_default()),
                    // It is down until it has been moved.
                    Err(error) if is_down(&error) => tokio::time::sleep(PATIENCE).await,
                    Err(error) => return Err(error.into()),
                },
            }
        }
    }

    fn take(&mut self, frame: &[u8]) {
        let now = Instant::now();
        for delay in self.line.carry(now, frame.len(), &mut self.rng) {
            if self.waiting.len() < MOST {
                self.taken += 1;
                self.waiting.push(Reverse((now + delay, self.taken, frame.to_vec())));
            }
        }
    }

    async fn deliver(&mut self) -> anyhow::Result<()> {
        let Some(Reverse((.., frame))) = self.waiting.pop() else { return Ok(()) };
        match timeout(PATIENCE, self.to.send(&frame)).await {
            // A cable whose other end is unplugged.
            Err(_) => Ok(()),
            Ok(Err(error)) if is_down(&error) => Ok(()),
            Ok(sent) => sent.map(drop).map_err(Into::into),
        }
    }
}

async fn due(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

/// Linux says EIO of an interface that is not up, and EBADFD of one that is being moved.
fn is_down(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(5)
        || error.raw_os_error() == Some(77)
        || error.kind() == ErrorKind::WouldBlock
}
