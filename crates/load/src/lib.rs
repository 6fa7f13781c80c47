//! `moim load`: participants without browsers in rooms of a server, over the real protocol.
//!
//! A [`Link`] drives one headless participant over a socket of its own; with another [`Signaling`]
//! it calls other media servers, too.

mod alarm;
mod link;
mod options;
mod outcome;
mod plan;
mod seat;
mod server;
mod socket;
mod udp;
mod way;

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

pub use link::{Description, Link, Sends, Signaling, Stop, Takes, Tally};
pub use options::{Media, Options, Transport};
pub use outcome::{Outcome, Summary};
pub use plan::Plan;
pub use seat::{Seat, take_part};
pub use server::ServerUrl;
pub use socket::{Said, Socket, field};
pub use way::Way;

/// Participants come one after the other, as people do, and as servers limit them to.
const APART: Duration = Duration::from_millis(20);
/// How often progress is shown.
const GLANCE: Duration = Duration::from_millis(250);

/// A participant under way, and how to stop it.
struct Running {
    seat: (u32, bool),
    stop: watch::Sender<Option<Instant>>,
    /// Ends when it has left.
    left: oneshot::Receiver<()>,
}

/// Runs it all. Ends with failure when somebody was refused, fell out or missed a track.
///
/// # Errors
/// What keeps it from starting: no such server, or one without a media server.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let summary = runtime.block_on(load(options))?;
    let shown =
        if options.json { format!("{:#}\n", summary.to_json()) } else { summary.to_table() };
    io::stdout().write_all(shown.as_bytes())?;
    Ok(if summary.is_whole() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn load(options: &Options) -> anyhow::Result<Summary> {
    let mut plan = Plan::new(&options.url, options.ca.as_deref())?;
    (plan.media, plan.view, plan.transport) = (options.media, options.view, options.transport);
    let plan = Arc::new(plan);
    let rooms = RoomNames::of_this_run(&options.prefix)?;
    make_rooms(&plan, options, &rooms).await?;
    let mut crowd = Crowd::new(Arc::clone(&plan), rooms);
    let bar = bar(options);
    crowd.fill(options, &bar).await;
    let everybody = crowd.running.len();
    let began = Instant::now();
    let connected = || *plan.tally.connected.borrow();
    while connected() < crowd.tasks.len() && began.elapsed() < link::PATIENCE {
        bar.set_message(format!("{} of {everybody} connected", connected()));
        crowd.glance(GLANCE).await;
    }
    let measuring = Instant::now();
    crowd.churn(options, measuring, &bar).await;
    let mut summary = crowd.end().await;
    bar.finish_and_clear();
    summary.time = measuring.elapsed();
    summary.expected = expected(options);
    Ok(summary)
}

/// How many tracks of sound and of pictures are received in all; none for sure where people come and
/// go, since who is there for a moment may miss some.
fn expected(options: &Options) -> (u64, u64) {
    if options.churn > 0.0 {
        return (0, 0);
    }
    let (publishers, subscribers) = (options.publishers, options.subscribers);
    let others = u64::from(publishers) * u64::from((publishers + subscribers).saturating_sub(1));
    let tracks = u64::from(options.rooms) * others;
    (tracks, if options.media == Media::Audio { 0 } else { tracks })
}

fn bar(options: &Options) -> ProgressBar {
    let seconds = options.duration.as_secs();
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} s, {msg}");
    ProgressBar::new(seconds).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Names of the rooms of one run: a run just before may have left rooms that are still there.
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

/// Makes rooms that are the media server's and large enough.
async fn make_rooms(plan: &Plan, options: &Options, names: &RoomNames) -> anyhow::Result<()> {
    let capacity = (options.publishers + options.subscribers).clamp(1, 100);
    for number in 1..=options.rooms {
        plan.make_room(&names.room(number), capacity).await?;
    }
    Ok(())
}

/// The participants under way.
struct Crowd {
    plan: Arc<Plan>,
    tasks: JoinSet<Outcome>,
    running: VecDeque<Running>,
    rooms: RoomNames,
    count: u32,
    summary: Summary,
}

impl Crowd {
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
        for place in 0..options.publishers + options.subscribers {
            for room in 1..=options.rooms {
                self.seat((room, place < options.publishers), None);
                bar.set_message(format!("{} have come", self.count));
                self.glance(APART).await;
                if self.is_over() {
                    return;
                }
            }
        }
    }

    /// True once no participant is left: a server that refused all of them refuses the next ones, too.
    fn is_over(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Lets somebody in, once whoever has the seat now has left: the room holds no more.
    fn seat(&mut self, seat: (u32, bool), before: Option<oneshot::Receiver<()>>) {
        self.count += 1;
        let (stop, stopped) = watch::channel(None);
        let (leaving, left) = oneshot::channel();
        self.running.push_back(Running { seat, stop, left });
        let (room, publishes) = seat;
        let (room, number) = (self.rooms.room(room), self.count);
        let seat = Seat { room, number, publishes, takes: Takes::All };
        let plan = Arc::clone(&self.plan);
        self.tasks.spawn(async move {
            if let Some(before) = before {
                // It never says anything but that it is over.
                let _ = before.await;
            }
            let outcome = take_part(plan, seat, stopped).await;
            drop(leaving);
            outcome
        });
    }

    /// Lets time pass, and takes in who has ended meanwhile.
    async fn glance(&mut self, time: Duration) {
        let end = tokio::time::sleep(time);
        tokio::pin!(end);
        loop {
            tokio::select! {
                () = &mut end => return,
                Some(ended) = self.tasks.join_next() => self.take(ended),
            }
        }
    }

    fn take(&mut self, ended: Result<Outcome, tokio::task::JoinError>) {
        self.summary.add(ended.unwrap_or_else(|error| Outcome::failed(&error.into())));
    }

    /// Measures for as long as asked; the longest there makes room for somebody new.
    async fn churn(&mut self, options: &Options, began: Instant, bar: &ProgressBar) {
        let per_second = options.churn.clamp(0.0, 1000.0);
        let period = if per_second > 0.0 { 1.0 / per_second } else { f64::from(u32::MAX) };
        let mut turns = interval(Duration::from_secs_f64(period));
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        turns.tick().await;
        while began.elapsed() < options.duration && !self.is_over() {
            let left = options.duration.saturating_sub(began.elapsed());
            tokio::select! {
                () = self.glance(GLANCE.min(left)) => {}
                _ = turns.tick() => self.replace_one(),
            }
            bar.set_position(began.elapsed().as_secs());
            bar.set_message(format!("{} connected", *self.plan.tally.connected.borrow()));
        }
    }

    fn replace_one(&mut self) {
        if let Some(oldest) = self.running.pop_front() {
            oldest.stop.send_replace(Some(Instant::now()));
            self.seat(oldest.seat, Some(oldest.left));
        }
    }

    /// Stops everybody and tells what came of all.
    async fn end(mut self) -> Summary {
        self.summary.stopped_early = self.is_over();
        let now = Instant::now();
        for running in &self.running {
            running.stop.send_replace(Some(now));
        }
        while let Some(ended) = self.tasks.join_next().await {
            self.take(ended);
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

    /// Makes every room and lets nobody in. Tells the names of the rooms that were made.
    async fn refuse_everybody(stream: TcpStream, made: mpsc::UnboundedSender<String>) {
        let mut socket = accept_async(stream).await.unwrap();
        while let Some(Ok(Message::Text(text))) = socket.next().await {
            if text == "40" {
                socket.send(Message::text("40{\"sid\":\"x\"}")).await.unwrap();
                continue;
            }
            let Some(request) = text.strip_prefix("420") else { return };
            let request: Value = serde_json::from_str(request).unwrap();
            let reply = if request[0] == "room:create" {
                made.send(request[1]["name"].as_str().unwrap().to_owned()).unwrap();
                json!([{"ok": {}}])
            } else {
                json!([{"error": {"code": "room_full", "message": "It is full"}}])
            };
            socket.send(Message::text(format!("430{reply}"))).await.unwrap();
        }
    }

    #[tokio::test]
    async fn load_stops_by_itself_where_everybody_is_refused_and_meets_no_room_of_another_run() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (made, mut rooms) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(refuse_everybody(stream, made.clone()));
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
            let run = tokio::time::timeout(link::PATIENCE, load(&options));
            let summary = run.await.expect("it stops by itself").unwrap();
            assert!(summary.stopped_early && !summary.is_whole());
            assert_eq!(
                summary.failures().collect::<Vec<_>>(),
                ["room:join was refused: It is full"]
            );
            let told = summary.to_json();
            assert_eq!(told["stoppedEarly"], true);
            assert!(told["participants"].as_u64().unwrap() < 100, "{told}");
        }
        let mut names = Vec::new();
        while let Ok(name) = rooms.try_recv() {
            assert!(name.starts_with("load-"), "{name}");
            names.push(name);
        }
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!((all, names.len()), (4, 4), "each room of each run has a name of its own");
    }
}
