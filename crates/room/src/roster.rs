//! Members of a room, ordered by joining and indexed by connection and id.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Instant,
};

use crate::{
    audience::{Audience, MemberKey},
    device::DeviceSecret,
    log::Entry,
    name::{DisplayName, Skeleton},
    participant::Participant,
    pass::Pass,
    protocol::ParticipantId,
    request::Connection,
    rights::Sources,
    token::Secret,
};

/// Connection state of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Connected.
    Here(Connection),
    /// Disconnected; removed at this time.
    Lost(Instant),
    /// Disconnected and not expected back; may be removed earlier to free its place.
    GoingAway(Instant),
}

/// A participant and its internal state.
pub(crate) struct Member {
    pub(crate) participant: Participant,
    pub(crate) secret: Secret,
    pub(crate) presence: Presence,
    /// Equal for confusable names (UTS #39).
    pub(crate) skeleton: Skeleton,
    /// Number of the newest event before it joined.
    pub(crate) joined: u64,
    /// Number of its newest event that the log dropped; 0 before the first.
    pub(crate) forgotten: u64,
    /// Highest serial number of its chat messages; 0 before the first.
    pub(crate) chatted: u64,
    /// Sources muted by a host that the client has not turned off yet.
    pub(crate) unacknowledged: Sources,
    /// A host lowered its hand, which the client still announces as raised.
    pub(crate) hand_lowered: bool,
    /// Secret of its device, if it told one.
    pub(crate) device: Option<DeviceSecret>,
    /// What its token or invitation permits.
    pub(crate) pass: Option<Box<Pass>>,
    /// Numbers of the last events from the media server.
    pub(crate) sfu: SfuEventNumbers,
}

impl Member {
    /// Its connection, if it is connected.
    pub(crate) fn connection(&self) -> Option<Connection> {
        match self.presence {
            Presence::Here(connection) => Some(connection),
            Presence::Lost(_) | Presence::GoingAway(_) => None,
        }
    }
}

/// Numbers of the last events from the media server by kind; 0 before the first. A newer event
/// supersedes the older one of its kind: an offer follows the answer to the previous one, and lists
/// of sections or encodings are always complete. One rejection stands for several.
#[derive(Debug, Default)]
pub(crate) struct SfuEventNumbers {
    pub(crate) offer: u64,
    pub(crate) answer: u64,
    pub(crate) subscribed: u64,
    pub(crate) wanted_camera: u64,
    pub(crate) wanted_screen: u64,
    pub(crate) refused_link: u64,
    pub(crate) refused_tracks: u64,
}

/// Members of a room.
#[derive(Default)]
pub(crate) struct Roster {
    members: BTreeMap<MemberKey, Member>,
    by_connection: HashMap<Connection, MemberKey>,
    by_id: HashMap<ParticipantId, MemberKey>,
    next: u64,
}

impl Roster {
    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Adds a member with this connection.
    pub(crate) fn add(
        &mut self,
        connection: Connection,
        participant: Participant,
        secret: Secret,
        device: Option<DeviceSecret>,
        joined: u64,
    ) -> MemberKey {
        let key = MemberKey(self.next);
        self.next += 1;
        self.by_connection.insert(connection, key);
        self.by_id.insert(participant.id.clone(), key);
        let presence = Presence::Here(connection);
        let member = Member {
            skeleton: participant.name.skeleton(),
            participant,
            secret,
            presence,
            joined,
            forgotten: 0,
            chatted: 0,
            unacknowledged: Sources::NONE,
            hand_lowered: false,
            device,
            pass: None,
            sfu: SfuEventNumbers::default(),
        };
        self.members.insert(key, member);
        key
    }

    /// All members, in the order they joined.
    pub(crate) fn members(&self) -> impl Iterator<Item = (MemberKey, &Member)> {
        self.members.iter().map(|(key, member)| (*key, member))
    }

    /// The key of the next member.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// A roster of these disconnected members.
    pub(crate) fn restore(
        members: impl IntoIterator<Item = (MemberKey, Member)>,
        next: u64,
    ) -> Self {
        let members: BTreeMap<_, _> = members.into_iter().collect();
        let by_id = members.iter().map(|(key, member)| (member.participant.id.clone(), *key));
        let by_id = by_id.collect();
        // Keys are never reused.
        let next = members.last_key_value().map_or(next, |(last, _)| next.max(last.0 + 1));
        Self { members, by_connection: HashMap::new(), by_id, next }
    }

    pub(crate) fn remove(&mut self, key: MemberKey) -> Option<Member> {
        let member = self.members.remove(&key)?;
        self.by_id.remove(&member.participant.id);
        if let Presence::Here(connection) = member.presence {
            self.by_connection.remove(&connection);
        }
        Some(member)
    }

    /// Sets the connection state; returns the previous one.
    pub(crate) fn set_presence(&mut self, key: MemberKey, presence: Presence) -> Option<Presence> {
        let member = self.members.get_mut(&key)?;
        let before = std::mem::replace(&mut member.presence, presence);
        if let Presence::Here(connection) = before {
            self.by_connection.remove(&connection);
        }
        if let Presence::Here(connection) = presence {
            self.by_connection.insert(connection, key);
        }
        Some(before)
    }

    pub(crate) fn key_of(&self, connection: Connection) -> Option<MemberKey> {
        self.by_connection.get(&connection).copied()
    }

    pub(crate) fn key_by_id(&self, id: &ParticipantId) -> Option<MemberKey> {
        self.by_id.get(id).copied()
    }

    pub(crate) fn member(&self, key: MemberKey) -> Option<&Member> {
        self.members.get(&key)
    }

    pub(crate) fn member_mut(&mut self, key: MemberKey) -> Option<&mut Member> {
        self.members.get_mut(&key)
    }

    /// Keys of all members, in the order they joined.
    pub(crate) fn keys(&self) -> impl DoubleEndedIterator<Item = MemberKey> {
        self.members.keys().copied()
    }

    /// All members, in the order they joined.
    pub(crate) fn participants(&self) -> impl Iterator<Item = &Participant> {
        self.members.values().map(|member| &member.participant)
    }

    /// All members but one, in the order they joined.
    pub(crate) fn others(&self, key: MemberKey) -> Vec<Participant> {
        let others = self.members.iter().filter(|(at, _)| **at != key);
        others.map(|(_, member)| member.participant.clone()).collect()
    }

    /// Number that distinguishes a new member among those with confusable names: the first free
    /// one, so that a returning member gets its number back. `None` for the first.
    pub(crate) fn alike(&self, name: &DisplayName) -> Option<u32> {
        let skeleton = name.skeleton();
        let confusable = self.members.values().filter(|member| member.skeleton == skeleton);
        let taken: HashSet<u32> =
            confusable.map(|member| member.participant.alike.unwrap_or(1)).collect();
        (1..).find(|place| !taken.contains(place)).filter(|place| *place > 1)
    }

    /// Number of members that can use the media server.
    pub(crate) fn sfu_capable(&self) -> usize {
        self.members.values().filter(|member| !member.participant.direct).count()
    }

    /// Connections of the recipients. Disconnected members receive the event on resuming.
    pub(crate) fn connections(&self, to: Audience) -> Vec<Connection> {
        match to {
            Audience::One(key) => {
                self.member(key).and_then(Member::connection).into_iter().collect()
            }
            Audience::AllBut(_) | Audience::All => {
                let audience = self.members.iter().filter(|(key, _)| to.includes(**key));
                audience.filter_map(|(_, member)| member.connection()).collect()
            }
        }
    }

    /// Records for each recipient that the log dropped an event.
    pub(crate) fn forget(&mut self, entry: &Entry) {
        let note = |member: &mut Member| {
            member.forgotten = member.forgotten.max(entry.number);
        };
        match entry.to {
            Audience::One(key) => {
                if let Some(member) = self.members.get_mut(&key) {
                    note(member);
                }
            }
            Audience::AllBut(_) | Audience::All => {
                let audience = self.members.iter_mut().filter(|(key, _)| entry.to.includes(**key));
                audience.for_each(|(_, member)| note(member));
            }
        }
    }

    /// Time at which the first disconnected member expires.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.lost().map(|(until, _)| until).min()
    }

    /// Members that are not expected back, in the order they joined.
    pub(crate) fn going_away(&self) -> impl Iterator<Item = MemberKey> {
        let members = self.members.iter();
        let going = members.filter(|(_, member)| matches!(member.presence, Presence::GoingAway(_)));
        going.map(|(key, _)| *key)
    }

    /// Expired members, in the order they joined.
    pub(crate) fn overdue(&self, now: Instant) -> Vec<MemberKey> {
        self.lost().filter(|(until, _)| *until <= now).map(|(_, key)| key).collect()
    }

    fn lost(&self) -> impl Iterator<Item = (Instant, MemberKey)> {
        self.members.iter().filter_map(|(key, member)| match member.presence {
            Presence::Lost(until) | Presence::GoingAway(until) => Some((until, *key)),
            Presence::Here(_) => None,
        })
    }
}
