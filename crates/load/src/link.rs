//! One link to a media server: a headless participant, its socket, and whoever carries its SDP.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use headless::{Config, Offer, Participant, Publish, Transport};
use tokio::sync::watch;

use crate::{
    alarm::Alarm,
    outcome::Outcome,
    udp::Received,
    way::{LONGEST, Way},
};

/// A session description from the media server.
#[derive(Debug)]
pub enum Description {
    /// To be answered.
    Offer(String),
    /// To an offer of ours.
    Answer(String),
}

/// How SDP travels to a media server and back.
pub trait Signaling {
    /// Sends an offer.
    fn offer(&mut self, offer: &Offer) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Answers the last [`Description::Offer`].
    fn answer(&mut self, sdp: &str) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Waits for a description, and does meanwhile what else the server asks for. It may be dropped
    /// while it waits. An error ends the link.
    fn described(&mut self) -> impl Future<Output = anyhow::Result<Description>> + Send;
}

/// What a link is told when it is made.
#[derive(Debug, Clone)]
pub struct Sends {
    /// What it publishes.
    pub publish: Publish,
    /// Its name in stamps.
    pub publisher: u32,
    /// What stamps count from.
    pub epoch: Instant,
    /// What becomes of what it receives.
    pub takes: Takes,
}

/// What becomes of the media that comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// It is looked at, and measured.
    All,
    /// The system drops it, so that it costs us hardly anything, and a server what it sends: nothing is
    /// told of it to who does. For weight. Over UDP on Linux alone.
    Nothing,
}

/// Tells a link when to stop: at that instant measuring ends, however late the link sees it.
pub type Stop = watch::Receiver<Option<Instant>>;

async fn stopped(stop: &mut Stop) -> Instant {
    // Without anybody left to stop it, a link ends now.
    stop.wait_for(Option::is_some).await.ok().and_then(|at| *at).unwrap_or_else(Instant::now)
}

/// A link.
pub struct Link<S> {
    signaling: S,
    way: Way,
    alarm: Alarm,
    media: Participant,
    outcome: Outcome,
    began: Instant,
    tally: Tally,
    /// Of what has come, what is in the tally.
    counted: u64,
    /// How often it has begun to measure anew.
    beginnings: u64,
}

/// What can be seen of many links while they are used.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// How many are up.
    pub connected: watch::Sender<usize>,
    /// How many RTP packets have come on all of them.
    pub packets: Arc<AtomicU64>,
    /// How often measuring has begun anew.
    beginnings: Arc<AtomicU64>,
}

impl Tally {
    /// All links forget what they have measured, and measure from now on.
    pub fn start_over(&self) {
        self.beginnings.fetch_add(1, Ordering::Relaxed);
    }
}

impl<S: Signaling> Link<S> {
    /// A link that has not been negotiated. `began` is when joining began.
    ///
    /// # Errors
    /// The system gives no timer, or does not drop what [`Takes::Nothing`] is to be spared.
    pub fn new(
        signaling: S,
        way: Way,
        sends: Sends,
        began: Instant,
        tally: Tally,
    ) -> io::Result<Self> {
        let transport = match way {
            Way::Udp(_) => Transport::Udp,
            Way::Tcp { .. } => Transport::Tcp,
        };
        let Sends { publish, publisher, epoch, takes } = sends;
        let reports = takes == Takes::All;
        if !reports {
            way.drop_media()?;
        }
        let config = Config { local: way.local(), transport, publish, publisher, epoch, reports };
        let media = Participant::new(began, config);
        let (outcome, beginnings) = (Outcome::default(), tally.beginnings.load(Ordering::Relaxed));
        let alarm = Alarm::new()?;
        Ok(Self { signaling, way, alarm, media, outcome, began, tally, counted: 0, beginnings })
    }

    /// Offers what there is to send.
    ///
    /// # Errors
    /// Signaling's.
    pub async fn offer(&mut self) -> anyhow::Result<()> {
        match self.media.offer(Instant::now()) {
            Some(offer) => self.signaling.offer(&offer).await,
            None => Ok(()),
        }
    }

    /// Sends and receives until told to stop; tells what came of it, and gives signaling back.
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
            self.tally.connected.send_modify(|count| *count -= 1);
        }
        self.media.close(Instant::now());
        // It is over: what can't be sent any more need not be.
        let _ = self.flush().await;
        self.outcome.sent = self.media.sent();
        self.outcome.take(self.media.received());
        (self.outcome, self.signaling)
    }

    async fn live(&mut self) -> anyhow::Result<()> {
        let mut buffer = vec![0; LONGEST];
        loop {
            self.flush().await?;
            let due = self.media.poll_timeout();
            tokio::select! {
                described = self.signaling.described() => self.handle(described?).await?,
                received = self.way.receive(&mut buffer) => {
                    let mut received = Some(received.context("The way of media has ended")?);
                    while let Some(Received { length, from, at }) = received {
                        let datagram = buffer.get(..length).unwrap_or_default();
                        self.media.handle_datagram(Instant::now(), at, from, datagram);
                        received = self.way.try_receive(&mut buffer);
                    }
                }
                rang = self.alarm.until(due) => {
                    rang?;
                    self.media.handle_timeout(Instant::now());
                }
            }
            self.note();
            if self.media.is_dead() {
                bail!("The media server has ended the link");
            }
        }
    }

    /// Counts, and notes the first times of things.
    fn note(&mut self) {
        let beginnings = self.tally.beginnings.load(Ordering::Relaxed);
        if beginnings != self.beginnings {
            self.beginnings = beginnings;
            self.media.start_over();
        }
        let came = self.media.came();
        self.tally.packets.fetch_add(came - self.counted, Ordering::Relaxed);
        self.counted = came;
        if self.outcome.connected.is_none() && self.media.is_connected() {
            self.outcome.connected = Some(self.began.elapsed());
            self.tally.connected.send_modify(|count| *count += 1);
        }
        if self.outcome.first_frame.is_none()
            && self.media.received().values().any(|it| it.size().is_some())
        {
            self.outcome.first_frame = Some(self.began.elapsed());
        }
    }

    async fn flush(&mut self) -> anyhow::Result<()> {
        while let Some(transmit) = self.media.poll_transmit() {
            self.way.send(transmit.to, &transmit.bytes).await.context("Media can't be sent")?;
        }
        Ok(())
    }

    async fn handle(&mut self, description: Description) -> anyhow::Result<()> {
        let now = Instant::now();
        match description {
            Description::Answer(sdp) => match self.media.handle_answer(now, &sdp) {
                // One that has crossed with an offer is for an offer that was taken back.
                Ok(()) | Err(headless::Refused::NoOffer) => Ok(()),
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

/// How long joining may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
