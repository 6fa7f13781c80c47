//! Media server part of a room: topology switching and relaying to and from the media server.

use std::{sync::Arc, time::Instant};

use super::state::Room;
use crate::{
    audience::{Audience, MemberKey},
    event::{Event, Message},
    protocol::{
        ParticipantId, RefusedEvent, SdpType, SessionDescription, SfuRequestKind, Speaker,
        Topology, TrackSource, WantedEvent,
    },
    rejection::Rejection,
    request::{Connection, Effect},
    rights::Right,
    sfu_message::{FromSfu, ToSfu},
};

impl Room {
    /// Handles a message from the media server; ignored if the participant left.
    pub fn handle_sfu(&mut self, now: Instant, to: &ParticipantId, message: FromSfu) {
        let Some(key) = self.roster.key_by_id(to) else { return };
        let Some(member) = self.roster.member_mut(key) else { return };
        let last = match &message {
            FromSfu::Description(SessionDescription { kind: SdpType::Offer, .. }) => {
                &mut member.sfu.offer
            }
            FromSfu::Description(_) => &mut member.sfu.answer,
            FromSfu::Subscribed(_) => &mut member.sfu.subscribed,
            FromSfu::Wanted(WantedEvent { source: TrackSource::Screen, .. }) => {
                &mut member.sfu.wanted_screen
            }
            FromSfu::Wanted(_) => &mut member.sfu.wanted_camera,
            FromSfu::Refused(RefusedEvent {
                what: SfuRequestKind::Offer | SfuRequestKind::Answer,
                ..
            }) => &mut member.sfu.refused_link,
            FromSfu::Refused(_) => &mut member.sfu.refused_tracks,
        };
        let superseded = std::mem::replace(last, self.log.newest() + 1);
        self.log.retract(superseded);
        let event = match message {
            FromSfu::Description(description) => {
                let message = Message::Description(description);
                Event::Message { from: ParticipantId::sfu(), message }
            }
            FromSfu::Subscribed(tracks) => Event::Subscribed(tracks),
            FromSfu::Wanted(wanted) => Event::Wanted(wanted),
            FromSfu::Refused(refused) => Event::Refused(refused),
        };
        self.send(now, Audience::One(key), event);
    }

    /// Handles the start or end of an interruption of media from a participant.
    pub fn handle_interrupted(&mut self, now: Instant, id: &ParticipantId, interrupted: bool) {
        let Some(key) = self.roster.key_by_id(id) else { return };
        let Some(member) = self.roster.member_mut(key) else { return };
        // Media of direct participants does not pass the media server.
        let interrupted = interrupted && !member.participant.direct;
        if std::mem::replace(&mut member.participant.interrupted, interrupted) != interrupted {
            let participant = member.participant.clone();
            self.send(now, Audience::AllBut(key), Event::Updated(participant));
        }
    }

    /// Sends the active speakers, loudest first. Not logged: a resuming client has no use for them.
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
    ) -> Result<(), Rejection> {
        let key = self.key_of(from)?;
        let member = self.roster.member_mut(key).ok_or(Rejection::NotJoined)?;
        let changed = member.participant.direct != direct;
        member.participant.direct = direct;
        member.participant.interrupted &= !direct;
        let participant = member.participant.clone();
        self.reply_done(from);
        if changed {
            self.send(now, Audience::AllBut(key), Event::Updated(participant));
            if self.update_topology(now) {
                self.send_topology(now, Audience::All);
            }
        }
        Ok(())
    }

    pub(super) fn handover(
        &mut self,
        now: Instant,
        from: Connection,
        to: &ParticipantId,
        topology: Topology,
    ) -> Result<(), Rejection> {
        let sender = self.key_of(from)?;
        let to = self.other(sender, to)?;
        let from_id = self.participant(sender)?.id.clone();
        self.reply_done(from);
        self.send(now, Audience::One(to), Event::Handover { from: from_id, topology });
        Ok(())
    }

    pub(super) fn send_to_sfu(
        &mut self,
        from: Connection,
        message: ToSfu,
    ) -> Result<(), Rejection> {
        let right = match &message {
            ToSfu::Subscribe(_) => Right::Subscribe,
            _ => Right::Signal,
        };
        let key = self.member_with(from, right)?;
        if !self.topology.may_use_sfu() {
            return Err(Rejection::NoSfu);
        }
        let from_id = self.participant(key)?.id.clone();
        self.reply_done(from);
        let message = match message {
            // Publishers may have left in the meantime.
            ToSfu::Subscribe(mut tracks) => {
                tracks.retain(|track| self.other(key, &track.participant).is_ok());
                ToSfu::Subscribe(tracks)
            }
            ToSfu::Nothing => return Ok(()),
            message => message,
        };
        let permitted = self.permitted(key);
        self.effects.push_back(Effect::Sfu { from: from_id, permitted, message });
        Ok(())
    }

    /// Updates the topology for the current members; returns whether it changed.
    pub(super) fn update_topology(&mut self, now: Instant) -> bool {
        self.topology.update(now, self.roster.len(), self.roster.sfu_capable())
    }

    pub(super) fn send_topology(&mut self, now: Instant, audience: Audience) {
        self.send(now, audience, Event::Topology(self.topology.current()));
    }

    /// Returns a participant other than the sender.
    pub(super) fn other(
        &self,
        sender: MemberKey,
        id: &ParticipantId,
    ) -> Result<MemberKey, Rejection> {
        let key = self.roster.key_by_id(id).filter(|key| *key != sender);
        key.ok_or(Rejection::NoSuchParticipant)
    }
}
