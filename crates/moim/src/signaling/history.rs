//! The history of one room's calls: participants and the samples of their quality, for the store.
//!
//! Pure but for the store's queue, which never waits: it is told the time, the participants, the
//! media server's view and the pages' reports.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use quality::{EncoderLimit, Sample, Transport, is_overloaded, is_witness};
use room::protocol::{
    MAX_REPORTED, ParticipantId, ReportRequest, ReportedLimit, ReportedTransport,
};
use serde::{Deserialize, Serialize};
use sfu::LinkQuality;
use tokio::time::Instant;

use crate::{
    log_privacy,
    shard::sfu::LinkTransport,
    store::{
        Importance, Store,
        calls::{self, CallBegan, ParticipantJoined},
    },
};

/// Interval of samples.
const INTERVAL: Duration = Duration::from_secs(10);
const SECONDS: u16 = 10;
/// 1 January 2026, from which ids count.
const EPOCH: u64 = 1_767_225_600;
/// Participants of one call that are recorded at once.
const MAX_PARTICIPANTS: usize = 2_000;

/// The last part of ids. It begins anywhere, so that a process which follows another within a second
/// repeats none of its ids.
static NEXT_ID: LazyLock<AtomicU64> =
    LazyLock::new(|| AtomicU64::new(rand::random_range(0..1 << 16)));

/// A time on both clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) now: Instant,
    /// Since 1970.
    pub(super) unix: Duration,
}

impl Moment {
    fn seconds(self) -> i64 {
        i64::try_from(self.unix.as_secs()).unwrap_or(i64::MAX)
    }

    pub(super) fn milliseconds(self) -> i64 {
        i64::try_from(self.unix.as_millis()).unwrap_or(i64::MAX)
    }

    /// An id that is unique in the store: the seconds and a number.
    fn id(self) -> i64 {
        let number = NEXT_ID.fetch_add(1, Ordering::Relaxed) & 0xffff;
        let seconds = self.unix.as_secs().saturating_sub(EPOCH);
        i64::try_from(seconds << 16 | number).unwrap_or(i64::MAX)
    }
}

/// Recorder of a room's calls.
#[derive(Debug)]
pub(super) struct History {
    store: Store,
    room: String,
    /// Whether anything is measured. Otherwise the room needs no timer, which would cost each
    /// message a look at it.
    samples: bool,
    call: Option<Call>,
}

/// A call that goes on in the next process.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FrozenCall {
    id: i64,
    /// How long it lasts.
    seconds: u64,
    joined: usize,
    members: BTreeMap<ParticipantId, i64>,
}

#[derive(Debug)]
struct Call {
    id: i64,
    began: Instant,
    joined: usize,
    members: BTreeMap<ParticipantId, Member>,
    flush_at: Instant,
}

#[derive(Debug)]
struct Member {
    id: i64,
    /// The last sample.
    latest: Option<Sample>,
    /// Since the last sample.
    link: Option<(LinkQuality, LinkTransport)>,
    report: Option<ReportRequest>,
    /// Lateness of the page's timers in its last report. An overloaded page reports late, too, so
    /// it counts for one sample without a report.
    late: Option<u16>,
}

impl Member {
    fn new(id: i64) -> Self {
        Self { id, latest: None, link: None, report: None, late: None }
    }
}

impl History {
    /// A recorder for a room. Without a store it only logs the ends of calls.
    pub(super) fn new(store: Store, room: &str) -> Self {
        Self { store, room: room.to_owned(), samples: true, call: None }
    }

    /// A recorder for a room whose clients report nothing: it only logs the ends of calls.
    pub(super) fn without_samples(room: &str) -> Self {
        Self { samples: false, ..Self::new(Store::none(), room) }
    }

    /// The call as data.
    pub(super) fn freeze(&self, now: Instant) -> Option<FrozenCall> {
        let call = self.call.as_ref()?;
        let member = |(id, member): (&ParticipantId, &Member)| (id.clone(), member.id);
        Some(FrozenCall {
            id: call.id,
            seconds: now.saturating_duration_since(call.began).as_secs(),
            joined: call.joined,
            members: call.members.iter().map(member).collect(),
        })
    }

    /// Goes on with a call of an earlier process.
    pub(super) fn resume(&mut self, now: Instant, frozen: FrozenCall) {
        let member = |(id, number)| (id, Member::new(number));
        self.call = Some(Call {
            id: frozen.id,
            began: now.checked_sub(Duration::from_secs(frozen.seconds)).unwrap_or(now),
            joined: frozen.joined,
            members: frozen.members.into_iter().take(MAX_PARTICIPANTS).map(member).collect(),
            flush_at: now + INTERVAL,
        });
    }

    /// Takes in the current participants. The first begins a call, the last ends it.
    pub(super) fn update<'a>(
        &mut self,
        moment: Moment,
        present: impl Iterator<Item = (&'a ParticipantId, &'a str)>,
    ) {
        let present: BTreeMap<_, _> = present.take(MAX_PARTICIPANTS).collect();
        if present.is_empty() {
            return self.end(moment);
        }
        let at = moment.milliseconds();
        let call = self.call.get_or_insert_with(|| {
            let call = Call {
                id: moment.id(),
                began: moment.now,
                joined: 0,
                members: BTreeMap::new(),
                flush_at: moment.now + INTERVAL,
            };
            let began = CallBegan { id: call.id, room: self.room.clone(), at };
            self.store.write(Importance::Record, move |store| calls::begin(store, &began));
            call
        });
        let store = &self.store;
        call.members.retain(|id, member| {
            let stays = present.contains_key(id);
            if !stays {
                let member = member.id;
                store.write(Importance::Record, move |store| calls::leave(store, member, at));
            }
            stays
        });
        for (id, name) in present {
            if call.members.contains_key(id) {
                continue;
            }
            let member = Member::new(moment.id());
            let joined =
                ParticipantJoined { id: member.id, call: call.id, name: name.to_owned(), at };
            store.write(Importance::Record, move |store| calls::join(store, &joined));
            call.members.insert(id.clone(), member);
            call.joined += 1;
        }
    }

    /// Takes in the media server's view of a participant's link.
    pub(super) fn on_link(
        &mut self,
        id: &ParticipantId,
        link: LinkQuality,
        transport: LinkTransport,
    ) {
        let member = self.call.as_mut().and_then(|call| call.members.get_mut(id));
        if let Some(member) = member {
            member.link = Some((link, transport));
        }
    }

    /// Takes in a page's report.
    pub(super) fn on_report(&mut self, id: &ParticipantId, mut report: ReportRequest) {
        report.seen.truncate(MAX_REPORTED);
        report.still.truncate(MAX_REPORTED);
        let member = self.call.as_mut().and_then(|call| call.members.get_mut(id));
        if let Some(member) = member {
            member.report = Some(report);
        }
    }

    /// Time of the next [`Self::handle_timeout`].
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.call.as_ref().filter(|_| self.samples).map(|call| call.flush_at)
    }

    /// The last sample of a participant, of the ten seconds before the last [`Self::handle_timeout`].
    pub(super) fn latest(&self, id: &ParticipantId) -> Option<Sample> {
        self.call.as_ref()?.members.get(id)?.latest
    }

    /// Writes the samples if they are due. `server_busy`: thousandths.
    pub(super) fn handle_timeout(&mut self, moment: Moment, server_busy: Option<u16>) {
        let Some(call) = self.call.as_mut().filter(|call| call.flush_at <= moment.now) else {
            return;
        };
        call.flush_at = moment.now + INTERVAL;
        let samples = call.take_samples(moment, server_busy);
        if !samples.is_empty() {
            self.store.write(Importance::Sample, move |store| calls::add_samples(store, &samples));
        }
    }

    /// Ends the call, if there is one.
    pub(super) fn end(&mut self, moment: Moment) {
        let Some(call) = self.call.take() else { return };
        let at = moment.milliseconds();
        for member in call.members.into_values() {
            self.store.write(Importance::Record, move |store| calls::leave(store, member.id, at));
        }
        self.store.write(Importance::Record, move |store| calls::end(store, call.id, at));
        tracing::info!(
            call = calls::shown_id(call.id),
            room = log_privacy::name(&self.room),
            participants = call.joined,
            seconds = moment.now.saturating_duration_since(call.began).as_secs(),
            "call ended"
        );
    }
}

impl Call {
    /// The samples of the last interval, of members of which anything is known.
    fn take_samples(&mut self, moment: Moment, server_busy: Option<u16>) -> Vec<(i64, Sample)> {
        let seconds = i64::from(SECONDS);
        // All participants of a room have the same times.
        let at = (moment.seconds() - seconds).div_euclid(seconds) * seconds;
        let mut viewers = BTreeMap::<ParticipantId, (u16, u16)>::new();
        for (viewer, member) in &self.members {
            let Some(report) = &member.report else { continue };
            let loss_down = member.link.as_ref().and_then(|(link, _)| permille(link.sent.loss()));
            if !is_witness(report.late, loss_down) {
                continue;
            }
            let still: BTreeSet<_> = report.still.iter().collect();
            let seen: BTreeSet<_> = report.seen.iter().filter(|id| *id != viewer).collect();
            for id in seen {
                let (all, stalled) = viewers.entry(id.clone()).or_default();
                *all += 1;
                *stalled += u16::from(still.contains(id));
            }
        }
        let mut samples = Vec::new();
        for (id, member) in &mut self.members {
            let (link, report) = (member.link.take(), member.report.take());
            let late = match &report {
                Some(report) => {
                    member.late = report.late;
                    report.late
                }
                None => member.late.take(),
            };
            if link.is_none() && report.is_none() {
                member.latest = None;
                continue;
            }
            let mut sample = Sample { at, seconds: SECONDS, server_busy, ..Sample::default() };
            report.iter().for_each(|report| add_report(&mut sample, report));
            // The server's view counts more than a page's.
            link.iter().for_each(|(link, transport)| add_link(&mut sample, link, *transport));
            if is_overloaded(late) {
                sample.encoder_limit = Some(EncoderLimit::Overload);
            }
            if let Some((all, stalled)) = viewers.get(id) {
                (sample.viewers, sample.stalled_viewers) = (Some(*all), Some(*stalled));
            }
            member.latest = Some(sample);
            samples.push((member.id, sample));
        }
        samples
    }
}

fn add_report(sample: &mut Sample, report: &ReportRequest) {
    sample.transport = report.transport.map(|transport| match transport {
        ReportedTransport::Udp => Transport::Udp,
        ReportedTransport::Tcp => Transport::Tcp,
        ReportedTransport::RelayUdp => Transport::RelayUdp,
        ReportedTransport::RelayTcp => Transport::RelayTcp,
    });
    sample.round_trip_ms = report.round_trip;
    sample.jitter_ms = report.jitter;
    sample.loss_up = report.loss_up.map(|loss| loss.min(1000));
    sample.loss_down = report.loss_down.map(|loss| loss.min(1000));
    (sample.kbps_up, sample.kbps_down) = (report.kbps_up, report.kbps_down);
    (sample.frames_up, sample.frames_down) = (report.frames_up, report.frames_down);
    sample.encoder_limit = report.limit.map(|limit| match limit {
        ReportedLimit::None => EncoderLimit::None,
        ReportedLimit::Cpu => EncoderLimit::Cpu,
        ReportedLimit::Bandwidth => EncoderLimit::Bandwidth,
        ReportedLimit::Other => EncoderLimit::Other,
    });
    sample.concealed = report.concealed.map(|concealed| concealed.min(1000));
    sample.pictures = u16::try_from(report.seen.len()).ok();
    sample.stalled = u16::try_from(report.still.len()).ok();
}

fn add_link(sample: &mut Sample, link: &LinkQuality, transport: LinkTransport) {
    sample.transport = match transport {
        LinkTransport::Udp => Some(Transport::Udp),
        LinkTransport::Tcp => Some(Transport::Tcp),
        LinkTransport::RelayUdp | LinkTransport::RelayDtls => Some(Transport::RelayUdp),
        LinkTransport::RelayTcp | LinkTransport::RelayTls => Some(Transport::RelayTcp),
        LinkTransport::Relay => Some(Transport::Relay),
        LinkTransport::None => sample.transport,
    };
    let ms = |time: Duration| u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
    sample.round_trip_ms = link.round_trip.map(ms).or(sample.round_trip_ms);
    sample.jitter_ms = link.jitter.map(ms).or(sample.jitter_ms);
    sample.loss_up = permille(link.received.loss()).or(sample.loss_up);
    sample.loss_down = permille(link.sent.loss()).or(sample.loss_down);
    let interval = link.interval.as_millis().max(1);
    let kbps = |bytes: u64| u32::try_from(u128::from(bytes) * 8 / interval).unwrap_or(u32::MAX);
    sample.kbps_up = Some(kbps(link.received_bytes));
    sample.kbps_down = Some(kbps(link.sent_bytes));
    let estimate = link.estimate.map(|estimate| estimate / 1000);
    sample.estimate_kbps = estimate.and_then(|kbps| u32::try_from(kbps).ok());
    sample.pictures = Some(link.videos);
    sample.height = link.min_height;
    sample.paused_bandwidth = Some(link.paused_for_bandwidth);
    sample.paused_hidden = Some(link.paused_hidden);
    sample.paused_limit = Some(link.paused_by_limit);
    sample.interrupted = link.interrupted;
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share is between 0 and 1"
)]
fn permille(share: Option<f64>) -> Option<u16> {
    share.map(|share| (share.clamp(0.0, 1.0) * 1000.0).round() as u16)
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use quality::{Language, Participant, judge};

    use super::*;
    use crate::{
        data::DataFolder,
        store::{Retention, open_to_read},
    };

    fn id(n: usize) -> ParticipantId {
        serde_json::from_value(format!("p{n}").into()).unwrap()
    }

    fn store(samples_days: u32) -> (tempfile::TempDir, Store) {
        let parent = tempfile::tempdir().unwrap();
        let data = DataFolder::open(parent.path()).unwrap();
        let store = Store::open(&data, Retention { samples_days }).unwrap();
        (parent, store)
    }

    fn moment(start: Instant, seconds: u64) -> Moment {
        // Recent, so that the upkeep deletes nothing.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let unix = Duration::from_secs((now.as_secs() - 2_000) / 1_000 * 1_000 + seconds);
        Moment { now: start + Duration::from_secs(seconds), unix }
    }

    #[tokio::test]
    async fn call_is_written_with_who_saw_whom_stand_still() {
        let (folder, store) = store(7);
        let start = Instant::now();
        let mut history = History::new(store.clone(), "daily");
        let ids: Vec<_> = (0..3).map(id).collect();
        let present = || ids.iter().zip(["Ann", "Ben", "Cy"]);
        history.update(moment(start, 0), present());
        for second in [10, 20, 30] {
            for viewer in [0, 2] {
                let report = ReportRequest {
                    // One's own picture, and one named twice, count for nothing.
                    seen: vec![ids[1].clone(), ids[1].clone(), ids[viewer].clone()],
                    still: vec![ids[1].clone()],
                    ..ReportRequest::default()
                };
                history.on_report(&ids[viewer], report);
            }
            let report = ReportRequest { loss_up: Some(60_000), ..ReportRequest::default() };
            history.on_report(&ids[1], report);
            history.handle_timeout(moment(start, second), Some(230));
            let latest = history.latest(&ids[1]).unwrap();
            assert_eq!((latest.viewers, latest.loss_up), (Some(2), Some(1000)), "shown at once");
        }
        history.update(moment(start, 31), std::iter::empty());
        store.flush(Duration::from_secs(20));
        let mut database = open_to_read(folder.path()).unwrap().unwrap();
        let call = calls::list(&mut database, 0, 10).unwrap().pop().unwrap();
        assert_eq!((call.room.as_str(), call.participants), ("daily", 3));
        assert!(call.ended.is_some_and(|ended| ended - call.began == 31_000));
        assert_eq!(calls::parse_id(&calls::shown_id(call.id)), Some(call.id));
        assert_eq!(calls::find(&mut database, call.id).unwrap(), Some(call.clone()));
        let found = calls::participations(&mut database, call.id, 0, i64::MAX).unwrap();
        let of = |found: &crate::store::calls::Participation| {
            (found.name.clone(), found.samples.len(), found.departed.is_some())
        };
        let expected = ["Ann", "Ben", "Cy"].map(|name| (name.to_owned(), 3, true));
        assert_eq!(found.iter().map(of).collect::<Vec<_>>(), expected);
        let ben = found[1].samples[0];
        assert_eq!((ben.viewers, ben.stalled_viewers), (Some(2), Some(2)));
        assert_eq!(ben.loss_up, Some(1000), "bounded");
        let participants: Vec<_> =
            found.iter().map(|it| Participant { name: &it.name, samples: &it.samples }).collect();
        let findings = judge(&participants, 0, i64::MAX);
        assert_eq!(findings.len(), 1, "{findings:?}");
        let sentence = Language::English.sentence(&findings[0], "Ben", |at| at.to_string());
        assert!(sentence.contains("for all two others. Ben's upload lost 100 %"), "{sentence}");
    }

    fn link() -> LinkQuality {
        LinkQuality {
            peer: sfu::PeerId(1),
            interval: INTERVAL,
            transport: sfu::Transport::Udp,
            remote: "192.0.2.1:5000".parse().unwrap(),
            round_trip: None,
            jitter: None,
            sent: sfu::PacketCounts::default(),
            received: sfu::PacketCounts::default(),
            sent_bytes: 0,
            received_bytes: 0,
            estimate: None,
            videos: 1,
            paused_for_bandwidth: 0,
            paused_hidden: 0,
            paused_by_limit: 0,
            min_height: None,
            sends_video: true,
            keyframe_requests: 0,
            interrupted: false,
        }
    }

    #[tokio::test]
    async fn overloaded_page_is_named_also_while_it_reports_late_and_is_no_witness() {
        let (_folder, store) = store(7);
        let start = Instant::now();
        let mut history = History::new(store, "daily");
        let ids: Vec<_> = (0..2).map(id).collect();
        history.update(moment(start, 0), ids.iter().zip(["Ann", "Cy"]));
        let report = |late, seen: usize| ReportRequest {
            late,
            seen: vec![ids[seen].clone()],
            still: vec![ids[seen].clone()],
            limit: Some(ReportedLimit::None),
            ..ReportRequest::default()
        };
        let mut limits = Vec::new();
        // Cy's page: overloaded, then silent twice, then as usual.
        for (second, late) in [(10, Some(Some(400))), (20, None), (30, None), (40, Some(Some(20)))]
        {
            history.on_report(&ids[0], report(Some(10), 1));
            late.into_iter().for_each(|late| history.on_report(&ids[1], report(late, 0)));
            history.on_link(&ids[1], link(), LinkTransport::Udp);
            history.handle_timeout(moment(start, second), Some(230));
            let [ann, cy] = [0, 1].map(|of| history.latest(&ids[of]).unwrap());
            assert_eq!(ann.viewers, (late == Some(Some(20))).then_some(1), "at {second}");
            limits.push((cy.encoder_limit, cy.stalled_viewers));
        }
        let overload = Some(EncoderLimit::Overload);
        let expected = [
            (overload, Some(1)),
            (overload, Some(1)),
            (None, Some(1)),
            (Some(EncoderLimit::None), Some(1)),
        ];
        assert_eq!(limits, expected);
    }

    /// Acceptance check W4: the history of 1,000 participants costs less than 1 % of a core, and
    /// the disk takes what the documentation says.
    #[tokio::test]
    async fn thousand_participants_cost_less_than_a_hundredth_of_a_core() {
        const ROOMS: usize = 125;
        const PEOPLE: usize = 8;
        const SAMPLES: u64 = 30;
        let (folder, store) = store(7);
        let start = Instant::now();
        let ids: Vec<_> = (0..PEOPLE).map(id).collect();
        let mut rooms: Vec<_> =
            (0..ROOMS).map(|room| History::new(store.clone(), &format!("room {room}"))).collect();
        let cpu = || {
            let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
            let (seconds, nanos) = (time.tv_sec.try_into(), time.tv_nsec.try_into());
            Duration::new(seconds.unwrap(), nanos.unwrap())
        };
        for room in &mut rooms {
            room.update(moment(start, 0), ids.iter().map(|id| (id, "Somebody")));
        }
        store.flush(Duration::from_secs(20));
        let before = cpu();
        for sample in 1..=SAMPLES {
            for room in &mut rooms {
                for id in &ids {
                    let report = ReportRequest {
                        round_trip: Some(40),
                        jitter: Some(4),
                        loss_up: Some(3),
                        loss_down: Some(2),
                        kbps_up: Some(1800),
                        kbps_down: Some(4400),
                        frames_up: Some(30),
                        frames_down: Some(190),
                        seen: ids.clone(),
                        ..ReportRequest::default()
                    };
                    room.on_report(id, report);
                }
                room.handle_timeout(moment(start, sample * 10), Some(150));
            }
            store.flush(Duration::from_secs(20));
        }
        let spent = cpu() - before;
        assert_eq!(store.counts(), crate::store::StoreCounts::default());
        let covered = Duration::from_secs(SAMPLES * 10);
        let share = spent.as_secs_f64() / covered.as_secs_f64();
        // Without optimization the code is several times as slow.
        let limit = if cfg!(debug_assertions) { 0.05 } else { 0.01 };
        assert!(share < limit, "{share} of a core");
        let size = |name: &str| {
            std::fs::metadata(folder.path().join(name)).map_or(0, |metadata| metadata.len())
        };
        let rows = SAMPLES * (ROOMS * PEOPLE) as u64;
        drop((rooms, store));
        let copy = folder.path().join("copy.db");
        crate::store::copy_database(&folder.path().join("moim.db"), &copy).unwrap();
        let bytes_per_row = size("copy.db") / rows;
        eprintln!("{:.3} % of a core, {bytes_per_row} bytes a sample", share * 100.0);
        assert!(bytes_per_row <= 100, "{bytes_per_row} bytes a sample");
    }
}
