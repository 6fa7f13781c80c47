//! One direction of the link, which holds frames until they are due.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    io::ErrorKind,
    sync::Arc,
    time::{Duration, Instant},
};

use rand::{SeedableRng as _, rngs::StdRng};
use testnet::{Link, Path};
use tokio::{
    sync::watch,
    time::{sleep_until, timeout},
};
use tun_rs::AsyncDevice;

/// Maximum length of an Ethernet frame, above the usual MTU and header (bytes).
const MAX_FRAME_LEN: usize = 2048;

/// Maximum number of frames in flight: more than a browser sends in a second.
const MAX_IN_FLIGHT: usize = 65_536;

/// Time to wait for an interface that is down.
const INTERFACE_DOWN_TIMEOUT: Duration = Duration::from_millis(100);

/// A frame on the link. Frames due at the same time keep their order.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct InFlight {
    due: Instant,
    seq: u64,
    frame: Vec<u8>,
}

pub(crate) struct Direction {
    from: Arc<AsyncDevice>,
    to: Arc<AsyncDevice>,
    line: Path,
    impairments: watch::Receiver<Link>,
    rng: StdRng,
    in_flight: BinaryHeap<Reverse<InFlight>>,
    next_seq: u64,
}

impl Direction {
    /// Creates a direction without impairments, and the sender that changes them.
    pub(crate) fn new(
        from: Arc<AsyncDevice>,
        to: Arc<AsyncDevice>,
        seed: u64,
    ) -> (Self, watch::Sender<Link>) {
        let (sender, impairments) = watch::channel(Link::default());
        let direction = Self {
            from,
            to,
            line: Path::new(Link::default()),
            impairments,
            rng: StdRng::seed_from_u64(seed),
            in_flight: BinaryHeap::new(),
            next_seq: 0,
        };
        (direction, sender)
    }

    /// Forwards frames until an interface is removed.
    pub(crate) async fn run(mut self) -> anyhow::Result<()> {
        let mut frame = [0; MAX_FRAME_LEN];
        loop {
            let next_due = self.in_flight.peek().map(|Reverse(next)| next.due);
            tokio::select! {
                biased;
                () = until(next_due) => self.deliver().await?,
                changed = self.impairments.changed() => {
                    changed?;
                    let link = *self.impairments.borrow_and_update();
                    self.line.set_link(link);
                }
                received = self.from.recv(&mut frame) => match received {
                    Ok(length) => self.enqueue(frame.get(..length).unwrap_or_default()),
                    // The interface is down until it has been moved to its namespace.
                    Err(error) if is_down(&error) => {
                        tokio::time::sleep(INTERFACE_DOWN_TIMEOUT).await;
                    }
                    Err(error) => return Err(error.into()),
                },
            }
        }
    }

    fn enqueue(&mut self, frame: &[u8]) {
        let now = Instant::now();
        for delay in self.line.send(now, frame.len(), &mut self.rng) {
            if self.in_flight.len() < MAX_IN_FLIGHT {
                let seq = self.next_seq;
                self.next_seq += 1;
                let frame = frame.to_vec();
                self.in_flight.push(Reverse(InFlight { due: now + delay, seq, frame }));
            }
        }
    }

    async fn deliver(&mut self) -> anyhow::Result<()> {
        let Some(Reverse(InFlight { frame, .. })) = self.in_flight.pop() else { return Ok(()) };
        match timeout(INTERFACE_DOWN_TIMEOUT, self.to.send(&frame)).await {
            // The other interface does not accept frames: they are lost.
            Err(_) => Ok(()),
            Ok(Err(error)) if is_down(&error) => Ok(()),
            Ok(sent) => sent.map(drop).map_err(Into::into),
        }
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

/// Linux returns EIO for an interface that is down, and EBADFD for one that is being moved.
fn is_down(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(5)
        || error.raw_os_error() == Some(77)
        || error.kind() == ErrorKind::WouldBlock
}
