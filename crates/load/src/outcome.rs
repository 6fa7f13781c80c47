//! The outcome of one participant, and the summary of all.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;
use headless::ReceivedTrack;
use serde_json::{Value, json};

/// The outcome of one participant.
#[derive(Default)]
pub struct Outcome {
    /// The error that ended it early.
    pub(crate) failure: Option<String>,
    /// Time from the start of joining until media is connected, and until the first video frame.
    pub(crate) connected: Option<Duration>,
    pub(crate) first_frame: Option<Duration>,
    /// Number of RTP packets sent.
    pub(crate) sent: u64,
    audio: Tracks,
    video: Tracks,
}

impl Outcome {
    /// The outcome of a participant that failed.
    #[must_use]
    pub fn failed(error: &anyhow::Error) -> Self {
        Self { failure: Some(format!("{error:#}")), ..Self::default() }
    }

    /// The error that ended it early.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Adds the received tracks.
    pub(crate) fn add_received(&mut self, received: &BTreeMap<String, ReceivedTrack>) {
        for track in received.values() {
            // A video without a keyframe is not counted.
            let tracks = if track.is_video() { &mut self.video } else { &mut self.audio };
            tracks.add_track(track);
        }
    }
}

/// Sums over all tracks of a kind.
#[derive(Default)]
struct Tracks {
    count: u64,
    packets: u64,
    bytes: u64,
    lost: u64,
    frames: u64,
    freezes: u64,
    frozen: Duration,
    longest_gap: Duration,
    sizes: BTreeMap<u16, u64>,
    /// Delays in microseconds.
    delays: Option<Histogram<u64>>,
}

impl Tracks {
    fn add_track(&mut self, track: &ReceivedTrack) {
        if track.frames() == 0 {
            return;
        }
        self.count += 1;
        self.packets += track.packets();
        self.bytes += track.bytes();
        self.lost += track.lost();
        self.frames += track.frames();
        let (freezes, frozen) = track.freezes();
        self.freezes += freezes;
        self.frozen += frozen;
        self.longest_gap = self.longest_gap.max(track.longest_gap());
        if let Some((_, height)) = track.size() {
            *self.sizes.entry(height).or_default() += 1;
        }
        self.add_delays(track.delays());
    }

    fn add_delays(&mut self, delays: &Histogram<u64>) {
        match &mut self.delays {
            // Equal bounds, so the addition can't fail.
            Some(all) => drop(all.add(delays)),
            all => *all = Some(delays.clone()),
        }
    }

    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.packets += other.packets;
        self.bytes += other.bytes;
        self.lost += other.lost;
        self.frames += other.frames;
        self.freezes += other.freezes;
        self.frozen += other.frozen;
        self.longest_gap = self.longest_gap.max(other.longest_gap);
        for (height, count) in &other.sizes {
            *self.sizes.entry(*height).or_default() += count;
        }
        if let Some(delays) = &other.delays {
            self.add_delays(delays);
        }
    }

    /// Lost packets in percent of the packets sent to us.
    fn loss(&self) -> f64 {
        let all = self.lost + self.packets;
        if all == 0 { 0.0 } else { approximate(self.lost) * 100.0 / approximate(all) }
    }

    fn delay_ms(&self, quantile: f64) -> f64 {
        let micros = self.delays.as_ref().map_or(0, |delays| delays.value_at_quantile(quantile));
        approximate(micros) / 1000.0
    }

    fn kilobits_per_track(&self, time: Duration) -> f64 {
        let tracks = approximate(self.count.max(1)) * time.as_secs_f64().max(0.001);
        approximate(self.bytes) * 8.0 / 1000.0 / tracks
    }

    fn json(&self, time: Duration) -> Value {
        json!({
            "tracks": self.count,
            "packets": self.packets,
            "bytes": self.bytes,
            "lost": self.lost,
            "frames": self.frames,
            "freezes": self.freezes,
            "frozenMs": millis(self.frozen),
            "longestGapMs": millis(self.longest_gap),
            "kilobitsPerTrack": self.kilobits_per_track(time),
            "heights": self.sizes.iter().map(|(height, count)| (height.to_string(), *count)).collect::<BTreeMap<_, _>>(),
            "delayMs": {"p50": self.delay_ms(0.5), "p99": self.delay_ms(0.99), "max": self.delay_ms(1.0)},
        })
    }
}

/// The number of tracks that should be received; zero where it is not known.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExpectedTracks {
    /// Audio tracks.
    pub audio: u64,
    /// Video tracks.
    pub video: u64,
}

/// The summary of all participants.
#[derive(Default)]
pub struct Summary {
    participants: u64,
    /// The number of occurrences of each error.
    failures: BTreeMap<String, u64>,
    sent: u64,
    connected: Vec<Duration>,
    first_frames: Vec<Duration>,
    audio: Tracks,
    video: Tracks,
    /// The measured time.
    pub time: Duration,
    /// The number of tracks that should be received.
    pub expected: ExpectedTracks,
    /// True if all participants ended before the duration was over.
    pub stopped_early: bool,
}

impl Summary {
    /// Adds the outcome of a participant.
    pub fn add(&mut self, outcome: Outcome) {
        self.participants += 1;
        if let Some(failure) = outcome.failure {
            *self.failures.entry(failure).or_default() += 1;
        }
        self.sent += outcome.sent;
        self.connected.extend(outcome.connected);
        self.first_frames.extend(outcome.first_frame);
        self.audio.add(&outcome.audio);
        self.video.add(&outcome.video);
    }

    /// The errors that ended participants early, each once.
    pub fn failures(&self) -> impl Iterator<Item = &str> {
        self.failures.keys().map(String::as_str)
    }

    /// A quantile of the delay of video frames, from sending to the arrival of the last packet, in
    /// ms.
    #[must_use]
    pub fn video_delay_ms(&self, quantile: f64) -> f64 {
        self.video.delay_ms(quantile)
    }

    /// Lost audio and video packets in percent.
    #[must_use]
    pub fn loss(&self) -> f64 {
        let mut all = Tracks::default();
        all.add(&self.audio);
        all.add(&self.video);
        all.loss()
    }

    /// Returns whether all participants stayed to the end and received all expected tracks.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let ExpectedTracks { audio, video } = self.expected;
        self.failures.is_empty() && self.audio.count >= audio && self.video.count >= video
    }

    /// The summary as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let ExpectedTracks { audio, video } = self.expected;
        json!({
            "seconds": self.time.as_secs_f64(),
            "participants": self.participants,
            "stoppedEarly": self.stopped_early,
            "failures": self.failures,
            "sentPackets": self.sent,
            "connectedMs": {"p50": millis(quantile(&self.connected, 50)), "p99": millis(quantile(&self.connected, 99))},
            "firstFrameMs": {"p50": millis(quantile(&self.first_frames, 50)), "p99": millis(quantile(&self.first_frames, 99))},
            "expected": {"sound": audio, "pictures": video},
            "sound": self.audio.json(self.time),
            "pictures": self.video.json(self.time),
        })
    }

    /// The summary as a table.
    #[must_use]
    pub fn to_table(&self) -> String {
        let kinds = [&self.audio, &self.video];
        let expected = [self.expected.audio, self.expected.video];
        let row = |name: &str, cell: &dyn Fn(&Tracks) -> String| {
            let [audio, video] = kinds.map(cell);
            format!("{name:<26}{audio:>14}{video:>14}\n")
        };
        let [audio, video] = [0, 1].map(|kind| {
            let count = kinds.get(kind).map_or(0, |tracks| tracks.count);
            match expected.get(kind) {
                None | Some(0) => count.to_string(),
                Some(expected) => format!("{count} of {expected}"),
            }
        });
        let heights = self.video.sizes.iter().map(|(height, count)| format!("{count} × {height}p"));
        let heights = heights.collect::<Vec<_>>().join(", ");
        let mut table = format!("\n{:<26}{:>14}{:>14}\n", "", "audio", "video");
        table += &format!("{:<26}{audio:>14}{video:>14}\n", "tracks received");
        table += &row("packets", &|tracks| tracks.packets.to_string());
        table += &row("loss", &|tracks| format!("{:.3} %", tracks.loss()));
        table += &row("kb/s per track", &|tracks| {
            format!("{:.0}", tracks.kilobits_per_track(self.time))
        });
        table += &row("delay p50", &|tracks| format!("{:.2} ms", tracks.delay_ms(0.5)));
        table += &row("delay p99", &|tracks| format!("{:.2} ms", tracks.delay_ms(0.99)));
        table += &row("longest gap", &|tracks| format!("{} ms", millis(tracks.longest_gap)));
        table += &format!("{:<26}{:>14}{:>14}\n", "freezes", "", self.video.freezes);
        table += &format!("{:<26}{heights:>28}\n", "heights received last");
        let [fast, slow] = [50, 99].map(|percent| millis(quantile(&self.connected, percent)));
        table += &format!("{:<26}{:>28}\n", "connected, p50, p99", format!("{fast}, {slow} ms"));
        let [fast, slow] = [50, 99].map(|percent| millis(quantile(&self.first_frames, percent)));
        table +=
            &format!("{:<26}{:>28}\n", "first video frame, p50, p99", format!("{fast}, {slow} ms"));
        for (failure, count) in &self.failures {
            table += &format!("{count} of {} participants: {failure}\n", self.participants);
        }
        if self.stopped_early {
            table += "stopped early: no participant was left\n";
        }
        table
    }
}

fn quantile(times: &[Duration], percent: usize) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    let at = times.len().saturating_sub(1) * percent / 100;
    times.get(at).copied().unwrap_or_default()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn approximate(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_is_complete_with_all_tracks_and_no_failure() {
        let mut summary =
            Summary { expected: ExpectedTracks { audio: 1, video: 0 }, ..Summary::default() };
        summary.add(Outcome::default());
        assert!(!summary.is_complete(), "no tracks");
        summary.audio.count = 1;
        assert!(summary.is_complete());
        summary.add(Outcome { failure: Some("gone".into()), ..Outcome::default() });
        assert!(!summary.is_complete());
        assert!(summary.to_table().contains("1 of 2 participants: gone"));
        assert_eq!(summary.to_json()["failures"]["gone"], 1);
    }

    #[test]
    fn quantiles_sort_their_input() {
        let times = [30, 10, 20].map(Duration::from_millis);
        assert_eq!(quantile(&times, 50), Duration::from_millis(20));
        assert_eq!(quantile(&times, 99), Duration::from_millis(20));
        assert_eq!(quantile(&[], 50), Duration::ZERO);
    }
}
