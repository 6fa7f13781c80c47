//! A room's part in media that goes by the media server: who uses it, what it is told, and what
//! it tells.

use std::{sync::Arc, time::Instant};

use super::Room;
use crate::{
    event::{Event, Message},
    log::Audience,
    protocol::{
        ParticipantId, RefusedEvent, SdpType, SessionDescription, Speaker, SubscribedTrack,
        ToldSfu, Topology, TrackSource, WantedEvent,
    },
    request::{Connection, Effect, Refusal, ToSfu},
    roster::Seat,
};

/// What the media server tells a participant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromSfu {
    /// An offer or answer.
    Description(SessionDescription),
    /// Who is on which receiving section.
    Subscribed(Vec<SubscribedTrack>),
    /// Which encodings of a video of its own anybody is to get.
    Wanted(WantedEvent),
    /// What it did not do.
    Refused(RefusedEvent),
}

impl Room {
    /// The media server says something to a participant; nothing comes of it if that one is gone.
    pub fn handle_sfu(&mut self, now: Instant, to: &ParticipantId, said: FromSfu) {
        let Some(seat) = self.roster.seat_named(to) else { return };
        let Some(member) = self.roster.member_mut(seat) else { return };
        let word = match &said {
            FromSfu::Description(SessionDescription { kind: SdpType::Offer, .. }) => {
                &mut member.sfu.offer
            }
            FromSfu::Description(_) => &mut member.sfu.answer,
            FromSfu::Subscribed(_) => &mut member.sfu.subscribed,
            FromSfu::Wanted(WantedEvent { source: TrackSource::Screen, .. }) => {
                &mut member.sfu.wanted_screen
            }
            FromSfu::Wanted(_) => &mut member.sfu.wanted_camera,
            FromSfu::Refused(RefusedEvent { what: ToldSfu::Offer | ToldSfu::Answer, .. }) => {
                &mut member.sfu.refused_link
            }
            FromSfu::Refused(_) => &mut member.sfu.refused_tracks,
        };
        let void = std::mem::replace(word, self.log.newest() + 1);
        self.log.retract(void);
        let event = match said {
            FromSfu::Description(description) => {
                let message = Message::Description(description);
                Event::Message { from: ParticipantId::sfu(), message }
            }
            FromSfu::Subscribed(tracks) => Event::Subscribed(tracks),
            FromSfu::Wanted(wanted) => Event::Wanted(wanted),
            FromSfu::Refused(refused) => Event::Refused(refused),
        };
        self.tell(now, Audience::One(seat), event);
    }

    /// The media server receives nothing from a participant any more, or something again.
    pub fn handle_interrupted(&mut self, now: Instant, id: &ParticipantId, interrupted: bool) {
        let Some(seat) = self.roster.seat_named(id) else { return };
        let Some(member) = self.roster.member_mut(seat) else { return };
        // One that is direct has its media elsewhere.
        let interrupted = interrupted && !member.participant.direct;
        if std::mem::replace(&mut member.participant.interrupted, interrupted) != interrupted {
            let participant = member.participant.clone();
            self.tell(now, Audience::AllBut(seat), Event::Updated(participant));
        }
    }

    /// Who is heard just now, the loudest first. Old news, so nobody is told of it later.
    pub fn handle_speakers(&mut self, speakers: Vec<Speaker>) {
        let to = self.roster.connections(Audience::All);
        if !to.is_empty() {
            let event = Arc::new(Event::Speakers(speakers));
            self.effects.push_back(Effect::Send { to, event, number: None });
        }
    }

    pub(super) fn update_direct(
        &mut self,
        now: Instant,
        from: Connection,
        direct: bool,
    ) -> Result<(), Refusal> {
        let seat = self.seat_of(from)?;
        let member = self.roster.member_mut(seat).ok_or(Refusal::NotJoined)?;
        let changed = member.participant.direct != direct;
        member.participant.direct = direct;
        member.participant.interrupted &= !direct;
        let participant = member.participant.clone();
        self.done(from);
        if changed {
            self.tell(now, Audience::AllBut(seat), Event::Updated(participant));
            if self.count(now) {
                self.tell_topology(now, Audience::All);
            }
        }
        Ok(())
    }

    pub(super) fn hand_over(
        &mut self,
        now: Instant,
        from: Connection,
        to: &ParticipantId,
        topology: Topology,
    ) -> Result<(), Refusal> {
        let sender = self.seat_of(from)?;
        let to = self.other(sender, to)?;
        let from_id = self.participant(sender)?.id.clone();
        self.done(from);
        self.tell(now, Audience::One(to), Event::Handover { from: from_id, topology });
        Ok(())
    }

    pub(super) fn tell_sfu(&mut self, from: Connection, said: ToSfu) -> Result<(), Refusal> {
        let seat = self.seat_of(from)?;
        if !self.switch.knows_sfu() {
            return Err(Refusal::NoSfu);
        }
        let from_id = self.participant(seat)?.id.clone();
        self.done(from);
        let said = match said {
            // Who is shown may have left meanwhile.
            ToSfu::Subscribe(mut tracks) => {
                tracks.retain(|track| self.other(seat, &track.participant).is_ok());
                ToSfu::Subscribe(tracks)
            }
            ToSfu::Nothing => return Ok(()),
            said @ (ToSfu::Description(_) | ToSfu::Publish(_)) => said,
        };
        self.effects.push_back(Effect::Sfu { from: from_id, said });
        Ok(())
    }

    /// Lets the switch know how many there are. True if media travels otherwise now.
    pub(super) fn count(&mut self, now: Instant) -> bool {
        self.switch.count(now, self.roster.len(), self.roster.able())
    }

    pub(super) fn tell_topology(&mut self, now: Instant, audience: Audience) {
        self.tell(now, audience, Event::Topology(self.switch.current()));
    }

    /// Another participant than the one who asks.
    pub(super) fn other(&self, asks: Seat, id: &ParticipantId) -> Result<Seat, Refusal> {
        let seat = self.roster.seat_named(id).filter(|seat| *seat != asks);
        seat.ok_or(Refusal::NoSuchParticipant)
    }
}
