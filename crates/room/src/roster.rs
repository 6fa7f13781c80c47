//! Who is in a room, in the order they joined, found by connection or by id.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Instant,
};

use crate::{
    log::{Audience, Entry},
    mint::Secret,
    name::{DisplayName, Skeleton},
    participant::Participant,
    protocol::ParticipantId,
    request::Connection,
};

/// A place in the order of joining; never taken twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Seat(u64);

/// How a participant is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Over this connection.
    Here(Connection),
    /// Not at all, and gone for good at this time.
    Lost(Instant),
    /// As lost, but not expected back: whoever needs the place may have it before.
    GoingAway(Instant),
}

/// A participant and what the room alone knows of it.
pub(crate) struct Member {
    pub(crate) participant: Participant,
    pub(crate) secret: Secret,
    pub(crate) presence: Presence,
    /// Equal for names that look alike.
    pub(crate) skeleton: Skeleton,
    /// The number of the newest event before it joined.
    pub(crate) joined: u64,
    /// The number of the newest event to it that the log gave up, 0 before the first.
    pub(crate) forgotten: u64,
    /// The highest number among its chat messages, 0 before the first.
    pub(crate) chatted: u64,
    /// The numbers of what the media server said to it last.
    pub(crate) sfu: SfuWords,
}

/// The numbers of what the media server said last, 0 before the first. A newer word of a kind
/// makes the older one void: an offer follows upon the answer to the last one, and a list of
/// sections or encodings is always the whole list. One refusal is as good as many.
#[derive(Debug, Default)]
pub(crate) struct SfuWords {
    pub(crate) offer: u64,
    pub(crate) answer: u64,
    pub(crate) subscribed: u64,
    pub(crate) wanted_camera: u64,
    pub(crate) wanted_screen: u64,
    pub(crate) refused_link: u64,
    pub(crate) refused_tracks: u64,
}

/// The members.
#[derive(Default)]
pub(crate) struct Roster {
    members: BTreeMap<Seat, Member>,
    by_connection: HashMap<Connection, Seat>,
    by_id: HashMap<ParticipantId, Seat>,
    next: u64,
}

impl Roster {
    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Seats somebody who comes over `connection`.
    pub(crate) fn add(
        &mut self,
        connection: Connection,
        participant: Participant,
        secret: Secret,
        joined: u64,
    ) -> Seat {
        let seat = Seat(self.next);
        self.next += 1;
        self.by_connection.insert(connection, seat);
        self.by_id.insert(participant.id.clone(), seat);
        let presence = Presence::Here(connection);
        let (skeleton, sfu) = (participant.name.skeleton(), SfuWords::default());
        let (forgotten, chatted) = (0, 0);
        let member =
            Member { participant, secret, presence, skeleton, joined, forgotten, chatted, sfu };
        self.members.insert(seat, member);
        seat
    }

    pub(crate) fn remove(&mut self, seat: Seat) -> Option<Member> {
        let member = self.members.remove(&seat)?;
        self.by_id.remove(&member.participant.id);
        if let Presence::Here(connection) = member.presence {
            self.by_connection.remove(&connection);
        }
        Some(member)
    }

    /// Changes how somebody is reached; gives how it was before.
    pub(crate) fn set_presence(&mut self, seat: Seat, presence: Presence) -> Option<Presence> {
        let member = self.members.get_mut(&seat)?;
        let before = std::mem::replace(&mut member.presence, presence);
        if let Presence::Here(connection) = before {
            self.by_connection.remove(&connection);
        }
        if let Presence::Here(connection) = presence {
            self.by_connection.insert(connection, seat);
        }
        Some(before)
    }

    pub(crate) fn seat_of(&self, connection: Connection) -> Option<Seat> {
        self.by_connection.get(&connection).copied()
    }

    pub(crate) fn seat_named(&self, id: &ParticipantId) -> Option<Seat> {
        self.by_id.get(id).copied()
    }

    pub(crate) fn member(&self, seat: Seat) -> Option<&Member> {
        self.members.get(&seat)
    }

    pub(crate) fn member_mut(&mut self, seat: Seat) -> Option<&mut Member> {
        self.members.get_mut(&seat)
    }

    /// The members, in the order they joined.
    pub(crate) fn participants(&self) -> impl Iterator<Item = &Participant> {
        self.members.values().map(|member| &member.participant)
    }

    /// The members but one, in the order they joined.
    pub(crate) fn others(&self, seat: Seat) -> Vec<Participant> {
        let others = self.members.iter().filter(|(at, _)| **at != seat);
        others.map(|(_, member)| member.participant.clone()).collect()
    }

    /// The place of somebody who comes now among those whose names look alike: the first that is
    /// free, so that who comes back to it bears it again. None for the first.
    pub(crate) fn alike(&self, name: &DisplayName) -> Option<u32> {
        let skeleton = name.skeleton();
        let likes = self.members.values().filter(|member| member.skeleton == skeleton);
        let taken: HashSet<u32> =
            likes.map(|member| member.participant.alike.unwrap_or(1)).collect();
        (1..).find(|place| !taken.contains(place)).filter(|place| *place > 1)
    }

    /// How many can use the media server.
    pub(crate) fn able(&self) -> usize {
        self.members.values().filter(|member| !member.participant.direct).count()
    }

    /// The connections an event goes to; those who are lost will ask for it.
    pub(crate) fn connections(&self, to: Audience) -> Vec<Connection> {
        let reached = |member: &Member| match member.presence {
            Presence::Here(connection) => Some(connection),
            Presence::Lost(_) | Presence::GoingAway(_) => None,
        };
        match to {
            Audience::One(seat) => self.member(seat).and_then(reached).into_iter().collect(),
            Audience::AllBut(_) | Audience::All => {
                let audience = self.members.iter().filter(|(seat, _)| to.includes(**seat));
                audience.filter_map(|(_, member)| reached(member)).collect()
            }
        }
    }

    /// Notes for whom the log no longer holds an event.
    pub(crate) fn forget(&mut self, entry: &Entry) {
        let note = |member: &mut Member| {
            member.forgotten = member.forgotten.max(entry.number);
        };
        match entry.to {
            Audience::One(seat) => {
                if let Some(member) = self.members.get_mut(&seat) {
                    note(member);
                }
            }
            Audience::AllBut(_) | Audience::All => {
                let audience =
                    self.members.iter_mut().filter(|(seat, _)| entry.to.includes(**seat));
                audience.for_each(|(_, member)| note(member));
            }
        }
    }

    /// When the first of the lost is gone for good.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.lost().map(|(until, _)| until).min()
    }

    /// The first of those who are not expected back.
    pub(crate) fn going_away(&self) -> Option<Seat> {
        let mut members = self.members.iter();
        let found = members.find(|(_, member)| matches!(member.presence, Presence::GoingAway(_)));
        found.map(|(seat, _)| *seat)
    }

    /// Those whose grace is over, in the order they joined.
    pub(crate) fn overdue(&self, now: Instant) -> Vec<Seat> {
        self.lost().filter(|(until, _)| *until <= now).map(|(_, seat)| seat).collect()
    }

    fn lost(&self) -> impl Iterator<Item = (Instant, Seat)> {
        self.members.iter().filter_map(|(seat, member)| match member.presence {
            Presence::Lost(until) | Presence::GoingAway(until) => Some((until, *seat)),
            Presence::Here(_) => None,
        })
    }
}
