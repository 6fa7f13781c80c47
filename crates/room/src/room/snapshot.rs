//! A room as data, for the next process of its server.
//!
//! A snapshot has what resuming needs: participants, their secrets and the log. Messages of the
//! media server are left out, since its links end with the process. People in the waiting room ask
//! again when they reconnect, and are recognized by their devices.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{
    devices::{Devices, DevicesSnapshot},
    history::ChatHistory,
    invitations::Invitations,
    polls::Polls,
    settings::{Creator, HostRule, Limits, Settings},
    state::Room,
    waiting::{WaiterSnapshot, WaitingRoom},
};
use crate::{
    audience::{Audience, MemberKey},
    chat::ChatText,
    device::DeviceSecret,
    event::{Event, Message},
    log::{Entry, Log},
    name::RoomName,
    participant::Participant,
    pass::Pass,
    password::Password,
    protocol::{
        self, ChatMessage, IceCandidate, ParticipantId, Policy, ResumeToken, SessionDescription,
        SettingsEvent, SharedFile, Topology, TopologyChoice, TrackSource,
    },
    request::{Connection, Effect},
    roster::{Member, Presence, Roster, SfuEventNumbers},
    token::Secret,
};

/// Belongs to no client: their numbers begin with 1.
const NO_CONNECTION: Connection = Connection(0);
/// The most participants of a snapshot that is read; rooms have fewer.
const MAX_MEMBERS: usize = 1 << 16;

/// A room of the native protocol, as data. `Debug` shows neither tokens nor the password.
#[derive(Debug, Serialize, Deserialize)]
pub struct Snapshot {
    name: RoomName,
    capacity: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<Password>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    has_kept_password: bool,
    choice: TopologyChoice,
    topology: Topology,
    stays_empty_ms: u64,
    #[serde(default)]
    hosts: Option<HostRule>,
    #[serde(default)]
    policy: Policy,
    /// The creator's device, if a creator is the first host.
    #[serde(default)]
    creator: Option<CreatorSnapshot>,
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    first_is_host: bool,
    #[serde(default)]
    max_capacity: Option<u32>,
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    listed: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    chat: Vec<ChatMessage>,
    #[serde(default)]
    devices: DevicesSnapshot,
    #[serde(default, skip_serializing_if = "Invitations::is_empty")]
    invitations: Invitations,
    #[serde(default, skip_serializing_if = "Polls::is_empty")]
    polls: Polls,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    waiting: Vec<WaiterSnapshot>,
    #[serde(default)]
    spotlight: Vec<ParticipantId>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    metadata: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    revision: u64,
    #[serde(default)]
    hands: u64,
    #[serde(default)]
    is_new: bool,
    #[serde(default)]
    is_ended: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    awaits_host: bool,
    /// The rest of the time for which the room stays open without an admission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    untouched_ms: Option<u64>,
    members: Vec<MemberSnapshot>,
    next_member: u64,
    log: Vec<EntrySnapshot>,
    newest: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct CreatorSnapshot {
    device: Option<DeviceSecret>,
}

#[derive(Debug, Serialize, Deserialize)]
struct MemberSnapshot {
    key: u64,
    participant: protocol::Participant,
    token: ResumeToken,
    /// Its connection was closed in order, so it is hardly expected back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    going_away: bool,
    joined: u64,
    forgotten: u64,
    chatted: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unacknowledged: Vec<TrackSource>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    hand_lowered: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    device: Option<DeviceSecret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pass: Option<Box<Pass>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct EntrySnapshot {
    number: u64,
    to: Recipients,
    event: LoggedEvent,
    age_ms: u64,
}

/// Recipients by their keys.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Recipients {
    One(u64),
    AllBut(u64),
    All,
}

/// An event that a resuming participant needs.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LoggedEvent {
    Joined(protocol::Participant),
    Updated(protocol::Participant),
    Left(protocol::Participant),
    Chat {
        from: ParticipantId,
        text: ChatText,
        at: u64,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        private: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file: Option<SharedFile>,
    },
    Description {
        from: ParticipantId,
        description: SessionDescription,
    },
    Candidate {
        from: ParticipantId,
        candidate: IceCandidate,
    },
    Topology(Topology),
    Handover {
        from: ParticipantId,
        topology: Topology,
    },
    Muted {
        by: ParticipantId,
        sources: Vec<TrackSource>,
    },
    Settings(SettingsEvent),
    Spotlight(Vec<ParticipantId>),
}

impl Room {
    /// The room as data; `None` for a room of a dialect, whose clients can't resume.
    pub fn snapshot(&self, now: Instant) -> Option<Snapshot> {
        self.snapshot_since(now, 0, self.chat.list())
    }

    /// The room as data, but of its events only those after `number`, and of its chat only what they
    /// say. It completes an earlier snapshot, which has the rest: [`Snapshot::followed_by`].
    pub fn changes_since(&self, now: Instant, number: u64) -> Option<Snapshot> {
        let said = self.log.after(number).filter_map(|entry| match &*entry.event {
            Event::Chat { private: false, .. } => Some(()),
            _ => None,
        });
        let chat = self.chat.list();
        // The history has them in the same order, at its end.
        let chat = chat.get(chat.len().saturating_sub(said.count())..).map(<[_]>::to_vec);
        self.snapshot_since(now, number, chat.unwrap_or_default())
    }

    /// Number of the newest event.
    pub fn newest(&self) -> u64 {
        self.log.newest()
    }

    /// Has the next event's number be above this one: those up to it may have been told by an earlier
    /// owner of the room.
    pub fn begin_numbers(&mut self, number: u64) {
        self.log.begin(number);
    }

    fn snapshot_since(
        &self,
        now: Instant,
        number: u64,
        chat: Vec<ChatMessage>,
    ) -> Option<Snapshot> {
        if self.settings.dialect.is_some() {
            return None;
        }
        let member = |(key, member): (MemberKey, &Member)| MemberSnapshot {
            key: key.0,
            participant: member.participant.clone().into(),
            token: member.secret.token(&member.participant.id),
            going_away: matches!(member.presence, Presence::GoingAway(_)),
            joined: member.joined,
            forgotten: member.forgotten,
            chatted: member.chatted,
            unacknowledged: member.unacknowledged.iter().collect(),
            hand_lowered: member.hand_lowered,
            device: member.device.clone(),
            pass: member.pass.clone(),
        };
        let entry = |entry: &Entry| {
            Some(EntrySnapshot {
                number: entry.number,
                to: entry.to.into(),
                event: LoggedEvent::of(&entry.event)?,
                age_ms: milliseconds(now.saturating_duration_since(entry.at)),
            })
        };
        Some(Snapshot {
            name: self.name.clone(),
            capacity: self.settings.capacity,
            password: self.settings.password.clone(),
            has_kept_password: self.settings.has_kept_password,
            choice: self.settings.topology,
            topology: self.topology.current(),
            stays_empty_ms: milliseconds(self.settings.stays_empty),
            hosts: self.settings.hosts,
            policy: self.settings.policy,
            creator: self
                .settings
                .creator
                .as_ref()
                .map(|creator| CreatorSnapshot { device: creator.device.clone() }),
            first_is_host: self.settings.first_is_host,
            max_capacity: Some(self.settings.max_capacity),
            listed: self.settings.listed,
            chat,
            devices: self.devices.snapshot(),
            invitations: self.invitations.clone(),
            polls: self.polls.clone(),
            waiting: self.waiting.snapshot(),
            spotlight: self.spotlight.clone(),
            metadata: self.settings.metadata.clone(),
            revision: self.revision,
            hands: self.hands,
            is_new: self.is_new,
            is_ended: self.is_ended,
            awaits_host: self.awaits_host,
            untouched_ms: self
                .untouched_until
                .map(|until| milliseconds(until.saturating_duration_since(now))),
            members: self.roster.members().map(member).collect(),
            next_member: self.roster.next(),
            log: self.log.after(number).filter_map(entry).collect(),
            newest: self.log.newest(),
        })
    }

    /// The room of a snapshot. Its participants are disconnected, and their grace begins now.
    /// `seed` must come from the operating system's random number generator.
    pub fn restore(now: Instant, snapshot: Snapshot, limits: Limits, seed: [u8; 32]) -> Self {
        let settings = snapshot.settings();
        let mut room = Self::new(now, snapshot.name, settings, limits, seed);
        let members = snapshot.members.into_iter().take(MAX_MEMBERS);
        let members = members.filter_map(|member| member.restore(now, &room.limits));
        room.roster = Roster::restore(members, snapshot.next_member);
        let entries = snapshot.log.into_iter().map(|entry| entry.restore(now));
        room.log =
            Log::new(room.limits.log_bytes, room.limits.log_age).restore(entries, snapshot.newest);
        room.topology.restore(snapshot.topology);
        room.update_topology(now);
        room.devices = Devices::restore(snapshot.devices);
        room.invitations = snapshot.invitations;
        room.polls = snapshot.polls;
        room.waiting = WaitingRoom::restore(snapshot.waiting, now + room.limits.grace);
        room.chat =
            ChatHistory::restore(snapshot.chat, room.limits.chat_messages, room.limits.chat_bytes);
        room.spotlight = snapshot.spotlight;
        room.revision = snapshot.revision;
        room.hands = snapshot.hands;
        room.is_new = snapshot.is_new;
        room.is_ended = snapshot.is_ended;
        room.awaits_host = snapshot.awaits_host;
        if !room.roster.is_empty() {
            room.await_host(now);
        }
        room.untouched_until = snapshot.untouched_ms.map(|rest| now + Duration::from_millis(rest));
        if !room.roster.is_empty() {
            room.empty_since = None;
        }
        // The summary of the empty room.
        room.effects.retain(|effect| !matches!(effect, Effect::Summary(_)));
        room.send_summary();
        room
    }
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_yes(value: &bool) -> bool {
    *value
}

impl Snapshot {
    /// The room's name.
    pub fn name(&self) -> &RoomName {
        &self.name
    }

    /// The room after changes of it, which [`Room::changes_since`] gave.
    #[must_use]
    pub fn followed_by(mut self, changes: Self) -> Self {
        self.log.extend(changes.log);
        self.chat.extend(changes.chat);
        Self { log: self.log, chat: self.chat, ..changes }
    }

    /// Size of the log as JSON, in bytes.
    pub fn log_bytes(&self) -> u64 {
        let mut count = ByteCount(0);
        // What can't be written counts as nothing, and the snapshot can't be written either.
        serde_json::to_writer(&mut count, &self.log).map_or(0, |()| count.0)
    }

    /// Leaves out the log. Participants who have missed an event of it can't resume.
    pub fn shed_log(&mut self) {
        for entry in std::mem::take(&mut self.log) {
            let audience = Audience::from(entry.to);
            for member in &mut self.members {
                if audience.includes(MemberKey(member.key)) {
                    member.forgotten = member.forgotten.max(entry.number);
                }
            }
        }
    }

    /// The room's settings.
    pub fn settings(&self) -> Settings {
        Settings {
            capacity: self.capacity,
            password: self.password.clone(),
            has_kept_password: self.has_kept_password,
            topology: self.choice,
            stays_empty: Duration::from_millis(self.stays_empty_ms),
            dialect: None,
            hosts: self.hosts,
            policy: self.policy,
            // Numbers of connections belong to the process before.
            creator: self.creator.as_ref().map(|creator| Creator {
                connection: NO_CONNECTION,
                device: creator.device.clone(),
            }),
            first_is_host: self.first_is_host,
            max_capacity: self.max_capacity.unwrap_or(self.capacity),
            metadata: self.metadata.clone(),
            listed: self.listed,
        }
    }
}

/// Counts bytes.
struct ByteCount(u64);

impl io::Write for ByteCount {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MemberSnapshot {
    fn restore(self, now: Instant, limits: &Limits) -> Option<(MemberKey, Member)> {
        let secret = Secret::of(&self.token)?;
        let presence = if self.going_away {
            Presence::GoingAway(now + limits.going_away.min(limits.grace))
        } else {
            Presence::Lost(now + limits.grace)
        };
        let participant = restored(self.participant);
        let member = Member {
            skeleton: participant.name.skeleton(),
            participant,
            secret,
            presence,
            joined: self.joined,
            forgotten: self.forgotten,
            chatted: self.chatted,
            unacknowledged: self.unacknowledged.into_iter().collect(),
            hand_lowered: self.hand_lowered,
            device: self.device,
            pass: self.pass,
            sfu: SfuEventNumbers::default(),
        };
        Some((MemberKey(self.key), member))
    }
}

/// A participant of whom the new media server does not know an interruption.
fn restored(participant: protocol::Participant) -> Participant {
    let protocol::Participant { id, name, media, direct, alike, interrupted: _, .. } = participant;
    let protocol::Participant { role, muted, withheld, unsubscribed, raised, .. } = participant;
    let (muted, withheld) = (muted.into_iter().collect(), withheld.into_iter().collect());
    Participant {
        id,
        name,
        media,
        direct,
        alike,
        interrupted: false,
        role,
        muted,
        withheld,
        unsubscribed,
        raised,
        profile: None,
    }
}

impl EntrySnapshot {
    fn restore(self, now: Instant) -> Entry {
        let at = now.checked_sub(Duration::from_millis(self.age_ms)).unwrap_or(now);
        Entry { number: self.number, to: self.to.into(), event: Arc::new(self.event.into()), at }
    }
}

impl LoggedEvent {
    fn of(event: &Event) -> Option<Self> {
        Some(match event.clone() {
            Event::Joined(participant) => Self::Joined(participant.into()),
            Event::Updated(participant) => Self::Updated(participant.into()),
            Event::Left(participant) => Self::Left(participant.into()),
            Event::Chat { from, text, at, private, file } => {
                Self::Chat { from, text, at, private, file }
            }
            Event::Message { from, .. } if from.is_sfu() => return None,
            Event::Message { from, message: Message::Description(description) } => {
                Self::Description { from, description }
            }
            Event::Message { from, message: Message::Candidate(candidate) } => {
                Self::Candidate { from, candidate }
            }
            Event::Topology(topology) => Self::Topology(topology),
            Event::Handover { from, topology } => Self::Handover { from, topology },
            Event::Muted { by, sources } => Self::Muted { by, sources: sources.iter().collect() },
            Event::Settings(settings) => Self::Settings(settings),
            Event::Spotlight(participants) => Self::Spotlight(participants),
            // The program before could not read these. A transfer whose signaling is lost tries again,
            // and a hand that was lowered stays down.
            Event::FileSignal { .. } | Event::FileWithdrawn { .. } | Event::HandLowered { .. } => {
                return None;
            }
            Event::Unmute { .. }
            | Event::Reaction { .. }
            | Event::Poll(_)
            | Event::PollRemoved(_)
            | Event::Data(_)
            | Event::WaitingJoined(_)
            | Event::WaitingLeft(_)
            | Event::Message { message: Message::Foreign(_), .. }
            | Event::Subscribed(_)
            | Event::Wanted(_)
            | Event::Refused(_)
            | Event::Speakers(_) => return None,
        })
    }
}

impl From<LoggedEvent> for Event {
    fn from(event: LoggedEvent) -> Self {
        match event {
            LoggedEvent::Joined(participant) => Self::Joined(restored(participant)),
            LoggedEvent::Updated(participant) => Self::Updated(restored(participant)),
            LoggedEvent::Left(participant) => Self::Left(restored(participant)),
            LoggedEvent::Chat { from, text, at, private, file } => {
                Self::Chat { from, text, at, private, file }
            }
            LoggedEvent::Description { from, description } => {
                Self::Message { from, message: Message::Description(description) }
            }
            LoggedEvent::Candidate { from, candidate } => {
                Self::Message { from, message: Message::Candidate(candidate) }
            }
            LoggedEvent::Topology(topology) => Self::Topology(topology),
            LoggedEvent::Handover { from, topology } => Self::Handover { from, topology },
            LoggedEvent::Muted { by, sources } => {
                Self::Muted { by, sources: sources.into_iter().collect() }
            }
            LoggedEvent::Settings(settings) => Self::Settings(settings),
            LoggedEvent::Spotlight(participants) => Self::Spotlight(participants),
        }
    }
}

impl From<Audience> for Recipients {
    fn from(audience: Audience) -> Self {
        match audience {
            Audience::One(key) => Self::One(key.0),
            Audience::AllBut(key) => Self::AllBut(key.0),
            Audience::All => Self::All,
        }
    }
}

impl From<Recipients> for Audience {
    fn from(recipients: Recipients) -> Self {
        match recipients {
            Recipients::One(key) => Self::One(MemberKey(key)),
            Recipients::AllBut(key) => Self::AllBut(MemberKey(key)),
            Recipients::All => Self::All,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
