//! A link to a media server: a headless participant, its media transport and its signaling.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use headless::{Config, Offer, Participant, Publish};
use tokio::sync::watch;

use crate::{
    media_transport::{MAX_DATAGRAM_LEN, MediaTransport},
    outcome::Outcome,
    timer::Timer,
    udp::Received,
};

/// A session description from the media server.
#[derive(Debug)]
pub enum Description {
    /// An offer, to be answered.
    Offer(String),
    /// The answer to an offer of ours.
    Answer(String),
}

/// The signaling channel to a media server.
pub trait Signaling {
    /// Sends an offer.
    fn offer(&mut self, offer: &Offer) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Answers the last [`Description::Offer`].
    fn answer(&mut self, sdp: &str) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Waits for a description, and handles other messages meanwhile. Cancel safe. An error ends
    /// the link.
    fn next_description(&mut self) -> impl Future<Output = anyhow::Result<Description>> + Send;
}

/// The configuration of a link.
#[derive(Debug, Clone)]
pub struct LinkConfig {
    /// The media that it publishes.
    pub publish: Publish,
    /// The publisher number in its stamps.
    pub publisher: u32,
    /// The instant that stamps count from.
    pub epoch: Instant,
    /// The use of received media.
    pub receive: Receive,
}

/// The use of received media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receive {
    /// Decode and measure it.
    Measure,
    /// Have the kernel drop it, so that it costs this process hardly anything while the server
    /// sends as usual. The link sends no TWCC feedback. Only over UDP on Linux.
    Discard,
}

/// Stops a link: measuring ends at this instant, however late the link notices.
pub type Stop = watch::Receiver<Option<Instant>>;

async fn stopped(stop: &mut Stop) -> Instant {
    // A dropped sender stops the link at once.
    stop.wait_for(Option::is_some).await.ok().and_then(|at| *at).unwrap_or_else(Instant::now)
}

/// A link to a media server: a participant, its socket and its signaling.
pub struct Link<S> {
    signaling: S,
    transport: MediaTransport,
    timer: Timer,
    media: Participant,
    outcome: Outcome,
    began: Instant,
    stats: LinkStats,
    /// Received packets that are counted in the stats already.
    counted: u64,
    /// Number of resets that it has followed.
    resets: u64,
}

/// Live counters of many links.
#[derive(Debug, Clone, Default)]
pub struct LinkStats {
    /// Number of connected links.
    pub connected: watch::Sender<usize>,
    /// RTP packets received on all links.
    pub packets: Arc<AtomicU64>,
    /// Number of resets.
    resets: Arc<AtomicU64>,
}

impl LinkStats {
    /// Discards the measurements of all links so far.
    pub fn reset(&self) {
        self.resets.fetch_add(1, Ordering::Relaxed);
    }
}

impl<S: Signaling> Link<S> {
    /// A link that is not negotiated yet; joining began at `began`.
    ///
    /// # Errors
    /// The system has no timer, or can't filter packets for [`Receive::Discard`].
    pub fn new(
        signaling: S,
        transport: MediaTransport,
        config: LinkConfig,
        began: Instant,
        stats: LinkStats,
    ) -> io::Result<Self> {
        let LinkConfig { publish, publisher, epoch, receive } = config;
        let twcc = receive == Receive::Measure;
        if !twcc {
            transport.drop_media()?;
        }
        let config = Config {
            local: transport.local(),
            transport: transport.kind(),
            publish,
            publisher,
            epoch,
            twcc,
        };
        Ok(Self {
            signaling,
            transport,
            timer: Timer::new()?,
            media: Participant::new(began, config),
            outcome: Outcome::default(),
            began,
            resets: stats.resets.load(Ordering::Relaxed),
            stats,
            counted: 0,
        })
    }

    /// Sends an offer if there is anything new to publish.
    ///
    /// # Errors
    /// Signaling failed.
    pub async fn offer(&mut self) -> anyhow::Result<()> {
        match self.media.offer(Instant::now()) {
            Some(offer) => self.signaling.offer(&offer).await,
            None => Ok(()),
        }
    }

    /// Sends and receives until stopped. Returns the outcome and the signaling channel.
    pub async fn run(mut self, stop: &mut Stop) -> (Outcome, S) {
        let ended = tokio::select! {
            ended = self.live() => ended.map(|()| Instant::now()),
            at = stopped(stop) => Ok(at),
        };
        match ended {
            Ok(at) => self.media.finish(at),
            Err(error) => self.outcome.failure = Some(format!("{error:#}")),
        }
        if self.outcome.connected.is_some() {
            self.stats.connected.send_modify(|count| *count -= 1);
        }
        self.media.close(Instant::now());
        // Best effort: the link is closed.
        let _ = self.flush().await;
        self.outcome.sent = self.media.packets_sent();
        self.outcome.add_received(self.media.received());
        (self.outcome, self.signaling)
    }

    async fn live(&mut self) -> anyhow::Result<()> {
        let mut buffer = vec![0; MAX_DATAGRAM_LEN];
        loop {
            self.flush().await?;
            let due = self.media.poll_timeout();
            tokio::select! {
                description = self.signaling.next_description() => self.handle(description?).await?,
                received = self.transport.receive(&mut buffer) => {
                    let mut received = Some(received.context("The media transport has closed")?);
                    while let Some(Received { length, from, at }) = received {
                        let datagram = buffer.get(..length).unwrap_or_default();
                        self.media.handle_datagram(Instant::now(), at, from, datagram);
                        received = self.transport.try_receive(&mut buffer);
                    }
                }
                fired = self.timer.until(due) => {
                    fired?;
                    self.media.handle_timeout(Instant::now());
                }
            }
            self.update_stats();
            if self.media.is_closed() {
                bail!("The media server has closed the link");
            }
        }
    }

    /// Updates the stats and records first events.
    fn update_stats(&mut self) {
        let resets = self.stats.resets.load(Ordering::Relaxed);
        if resets != self.resets {
            self.resets = resets;
            self.media.reset();
        }
        let received = self.media.packets_received();
        self.stats.packets.fetch_add(received - self.counted, Ordering::Relaxed);
        self.counted = received;
        if self.outcome.connected.is_none() && self.media.is_connected() {
            self.outcome.connected = Some(self.began.elapsed());
            self.stats.connected.send_modify(|count| *count += 1);
        }
        if self.outcome.first_frame.is_none()
            && self.media.received().values().any(|track| track.size().is_some())
        {
            self.outcome.first_frame = Some(self.began.elapsed());
        }
    }

    async fn flush(&mut self) -> anyhow::Result<()> {
        while let Some(transmit) = self.media.poll_transmit() {
            self.transport.send(transmit.to, &transmit.bytes).await.context("Can't send media")?;
        }
        Ok(())
    }

    async fn handle(&mut self, description: Description) -> anyhow::Result<()> {
        let now = Instant::now();
        match description {
            Description::Answer(sdp) => match self.media.handle_answer(now, &sdp) {
                // An answer that crossed with an offer answers an offer that was rolled back.
                Ok(()) | Err(headless::NegotiateError::NoOffer) => Ok(()),
                Err(error) => Err(error.into()),
            },
            Description::Offer(sdp) => {
                let answer = self.media.handle_offer(now, &sdp)?;
                self.signaling.answer(&answer).await?;
                self.offer().await
            }
        }
    }
}

/// Maximum duration of joining, on a busy machine.
pub(crate) const JOIN_TIMEOUT: Duration = Duration::from_secs(60);
