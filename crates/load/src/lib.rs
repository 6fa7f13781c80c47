//! `moim load`: a load generator that joins rooms with headless participants.
//!
//! A [`Link`] drives one headless participant over its own socket. Other media servers need only
//! another [`Signaling`].

mod link;
mod media_transport;
mod options;
mod outcome;
mod participant;
mod plan;
mod server;
mod socket;
mod timer;
mod udp;

use std::{
    collections::VecDeque,
    io::{self, Write as _},
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use data_encoding::BASE32_NOPAD;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::{
    sync::{oneshot, watch},
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

pub use link::{Description, Link, LinkConfig, LinkStats, Receive, Signaling, Stop};
pub use media_transport::MediaTransport;
pub use options::{Media, Options, Transport};
pub use outcome::{ExpectedTracks, Outcome, Summary};
pub use participant::{ParticipantConfig, run_participant};
pub use plan::Plan;
pub use server::ServerUrl;
pub use socket::{ServerMessage, Socket, field};

/// Interval between joins, below the rate limits of servers.
const JOIN_INTERVAL: Duration = Duration::from_millis(20);
/// Interval of progress updates.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(250);

/// The room and the kind of a participant.
#[derive(Clone, Copy)]
struct Role {
    room: u32,
    publishes: bool,
}

/// A running participant.
struct Running {
    role: Role,
    stop: watch::Sender<Option<Instant>>,
    /// Closed once it has left its room.
    left: oneshot::Receiver<()>,
}

/// Runs the load generator. The exit code is a failure if a participant was rejected, lost its
/// connection or missed a track.
///
/// # Errors
/// The run can't start: the server is not reachable or has no media server.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let summary = runtime.block_on(load(options))?;
    let shown =
        if options.json { format!("{:#}\n", summary.to_json()) } else { summary.to_table() };
    io::stdout().write_all(shown.as_bytes())?;
    Ok(if summary.is_complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn load(options: &Options) -> anyhow::Result<Summary> {
    let mut plan = Plan::new(&options.url, options.ca.as_deref())?;
    plan.media = options.media;
    plan.view = options.view;
    plan.transport = options.transport;
    let plan = Arc::new(plan);
    let rooms = RoomNames::of_this_run(&options.prefix)?;
    make_rooms(&plan, options, &rooms).await?;
    let mut participants = Participants::new(Arc::clone(&plan), rooms);
    let bar = bar(options);
    participants.fill(options, &bar).await;
    let total = participants.running.len();
    let began = Instant::now();
    let connected = || *plan.stats.connected.borrow();
    while connected() < participants.tasks.len() && began.elapsed() < link::JOIN_TIMEOUT {
        bar.set_message(format!("{} of {total} connected", connected()));
        participants.wait(PROGRESS_INTERVAL).await;
    }
    let measuring = Instant::now();
    participants.churn(options, measuring, &bar).await;
    let mut summary = participants.end().await;
    bar.finish_and_clear();
    summary.time = measuring.elapsed();
    summary.expected = expected(options);
    Ok(summary)
}

/// The number of tracks received in total; zero with churn, where short-lived participants may miss
/// some.
fn expected(options: &Options) -> ExpectedTracks {
    if options.churn > 0.0 {
        return ExpectedTracks::default();
    }
    let participants = options.publishers + options.subscribers;
    let per_room = u64::from(options.publishers) * u64::from(participants.saturating_sub(1));
    let audio = u64::from(options.rooms) * per_room;
    let video = if options.media == Media::Audio { 0 } else { audio };
    ExpectedTracks { audio, video }
}

fn bar(options: &Options) -> ProgressBar {
    let seconds = options.duration.as_secs();
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} s, {msg}");
    ProgressBar::new(seconds).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// The room names of one run. They are unique, since rooms of an earlier run may still exist.
struct RoomNames(String);

impl RoomNames {
    fn of_this_run(prefix: &str) -> anyhow::Result<Self> {
        let mut random = [0; 5];
        getrandom::fill(&mut random)?;
        Ok(Self(format!("{prefix}-{}", BASE32_NOPAD.encode(&random).to_ascii_lowercase())))
    }

    fn room(&self, number: u32) -> String {
        format!("{}-{number}", self.0)
    }
}

/// Creates SFU rooms that are large enough.
async fn make_rooms(plan: &Plan, options: &Options, names: &RoomNames) -> anyhow::Result<()> {
    let capacity = (options.publishers + options.subscribers).clamp(1, 100);
    for number in 1..=options.rooms {
        plan.make_room(&names.room(number), capacity).await?;
    }
    Ok(())
}

/// The running participants.
struct Participants {
    plan: Arc<Plan>,
    tasks: JoinSet<Outcome>,
    running: VecDeque<Running>,
    rooms: RoomNames,
    count: u32,
    summary: Summary,
}

impl Participants {
    fn new(plan: Arc<Plan>, rooms: RoomNames) -> Self {
        Self {
            plan,
            tasks: JoinSet::new(),
            running: VecDeque::new(),
            rooms,
            count: 0,
            summary: Summary::default(),
        }
    }

    async fn fill(&mut self, options: &Options, bar: &ProgressBar) {
        for index in 0..options.publishers + options.subscribers {
            for room in 1..=options.rooms {
                self.start(Role { room, publishes: index < options.publishers }, None);
                bar.set_message(format!("{} started", self.count));
                self.wait(JOIN_INTERVAL).await;
                if self.is_over() {
                    return;
                }
            }
        }
    }

    /// Returns whether no participant is left: a server that rejected all of them will reject more.
    fn is_over(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Starts a participant, once `predecessor` has left: the room is full until then.
    fn start(&mut self, role: Role, predecessor: Option<oneshot::Receiver<()>>) {
        self.count += 1;
        let (stop, stopped) = watch::channel(None);
        let (leaving, left) = oneshot::channel();
        self.running.push_back(Running { role, stop, left });
        let config = ParticipantConfig {
            room: self.rooms.room(role.room),
            number: self.count,
            publishes: role.publishes,
            receive: Receive::Measure,
        };
        let plan = Arc::clone(&self.plan);
        self.tasks.spawn(async move {
            if let Some(left) = predecessor {
                // The sender is dropped, never used.
                let _ = left.await;
            }
            let outcome = run_participant(plan, config, stopped).await;
            drop(leaving);
            outcome
        });
    }

    /// Waits, and collects the outcomes of participants that end meanwhile.
    async fn wait(&mut self, time: Duration) {
        let end = tokio::time::sleep(time);
        tokio::pin!(end);
        loop {
            tokio::select! {
                () = &mut end => return,
                Some(ended) = self.tasks.join_next() => self.collect(ended),
            }
        }
    }

    fn collect(&mut self, ended: Result<Outcome, tokio::task::JoinError>) {
        self.summary.add(ended.unwrap_or_else(|error| Outcome::failed(&error.into())));
    }

    /// Measures for the requested duration, replacing the oldest participant at the churn rate.
    async fn churn(&mut self, options: &Options, began: Instant, bar: &ProgressBar) {
        let per_second = options.churn.clamp(0.0, 1000.0);
        let period = if per_second > 0.0 { 1.0 / per_second } else { f64::from(u32::MAX) };
        let mut ticks = interval(Duration::from_secs_f64(period));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        while began.elapsed() < options.duration && !self.is_over() {
            let left = options.duration.saturating_sub(began.elapsed());
            tokio::select! {
                () = self.wait(PROGRESS_INTERVAL.min(left)) => {}
                _ = ticks.tick() => self.replace_one(),
            }
            bar.set_position(began.elapsed().as_secs());
            bar.set_message(format!("{} connected", *self.plan.stats.connected.borrow()));
        }
    }

    fn replace_one(&mut self) {
        if let Some(oldest) = self.running.pop_front() {
            oldest.stop.send_replace(Some(Instant::now()));
            self.start(oldest.role, Some(oldest.left));
        }
    }

    /// Stops all participants and returns the summary.
    async fn end(mut self) -> Summary {
        self.summary.stopped_early = self.is_over();
        let now = Instant::now();
        for running in &self.running {
            running.stop.send_replace(Some(now));
        }
        while let Some(ended) = self.tasks.join_next().await {
            self.collect(ended);
        }
        self.summary
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use futures_util::{SinkExt as _, StreamExt as _};
    use serde_json::{Value, json};
    use tokio::{
        net::{TcpListener, TcpStream},
        sync::mpsc,
    };
    use tokio_tungstenite::{accept_async, tungstenite::Message};

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        options: Options,
    }

    fn options(arguments: &[&str]) -> Options {
        Command::parse_from([&["load"], arguments].concat()).options
    }

    /// A server that creates every room, reports its name, and rejects all participants.
    async fn reject_all_joins(stream: TcpStream, created: mpsc::UnboundedSender<String>) {
        let mut socket = accept_async(stream).await.unwrap();
        while let Some(Ok(Message::Text(text))) = socket.next().await {
            if text == "40" {
                socket.send(Message::text("40{\"sid\":\"x\"}")).await.unwrap();
                continue;
            }
            let Some(request) = text.strip_prefix("420") else { return };
            let request: Value = serde_json::from_str(request).unwrap();
            let reply = if request[0] == "room:create" {
                created.send(request[1]["name"].as_str().unwrap().to_owned()).unwrap();
                json!([{"ok": {}}])
            } else {
                json!([{"error": {"code": "room_full", "message": "It is full"}}])
            };
            socket.send(Message::text(format!("430{reply}"))).await.unwrap();
        }
    }

    #[tokio::test]
    async fn load_stops_when_all_are_rejected_and_uses_unique_rooms() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (created, mut rooms) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(reject_all_joins(stream, created.clone()));
            }
        });
        for churn in ["0", "5"] {
            let options = options(&[
                "--url",
                &url,
                "--rooms",
                "2",
                "--publishers",
                "50",
                "--duration",
                "1h",
                "--churn",
                churn,
            ]);
            let run = tokio::time::timeout(link::JOIN_TIMEOUT, load(&options));
            let summary = run.await.expect("it stops early").unwrap();
            assert!(summary.stopped_early && !summary.is_complete());
            assert_eq!(
                summary.failures().collect::<Vec<_>>(),
                ["room:join was rejected: It is full"]
            );
            let json = summary.to_json();
            assert_eq!(json["stoppedEarly"], true);
            assert!(json["participants"].as_u64().unwrap() < 100, "{json}");
        }
        let mut names = Vec::new();
        while let Ok(name) = rooms.try_recv() {
            assert!(name.starts_with("load-"), "{name}");
            names.push(name);
        }
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!((all, names.len()), (4, 4), "each room of each run has a unique name");
    }
}
