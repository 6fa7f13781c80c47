//! Muting: what a participant may send, and what a host has silenced.

use std::time::Instant;

use super::{actor::Actor, state::Room};
use crate::{
    audience::{Audience, MemberKey},
    event::Event,
    protocol::{MediaState, ParticipantId, TrackSource},
    rejection::Rejection,
    request::Effect,
    rights::{MediaRights, Right, Sources},
    sfu_message::ToSfu,
};

impl Room {
    /// Media state that a member may have: sources without the right, or muted, are off.
    pub(super) fn allowed_media(&self, key: MemberKey, media: MediaState) -> MediaState {
        let Some(member) = self.roster.member(key) else { return media };
        let allowed = self.rights(key).sources().difference(member.participant.muted);
        MediaState {
            mic: media.mic && allowed.has(TrackSource::Microphone),
            camera: media.camera && allowed.has(TrackSource::Camera),
            screen: media.screen && allowed.has(TrackSource::Screen),
            ..media
        }
    }

    /// What the media server may forward of a member, and whether it may send it anything.
    pub(super) fn permitted(&self, key: MemberKey) -> MediaRights {
        let muted = self.roster.member(key).map(|member| member.participant.muted);
        let media = self.rights(key).media();
        MediaRights { publish: media.publish.difference(muted.unwrap_or_default()), ..media }
    }

    /// Tells the media server what a member may send and receive.
    pub(super) fn send_permitted(&mut self, key: MemberKey) {
        if !self.topology.may_use_sfu() {
            return;
        }
        let permitted = self.permitted(key);
        if let Some(member) = self.roster.member(key) {
            let from = member.participant.id.clone();
            self.effects.push_back(Effect::Sfu { from, permitted, message: ToSfu::Permit });
        }
    }

    /// Applies a media state that a client announces. A muted source counts as turned on again only
    /// after the client has turned it off, so that an announcement on its way does not unmute.
    pub(super) fn announce_media(&mut self, key: MemberKey, media: MediaState) {
        let before = self.permitted(key);
        let is_hand_up = self.announce_hand(key, media.hand);
        let Some(member) = self.roster.member_mut(key) else { return };
        let on = sources_on(media);
        member.unacknowledged = member.unacknowledged.intersection(on);
        let unmuted = member.participant.muted.intersection(on).difference(member.unacknowledged);
        member.participant.muted = member.participant.muted.difference(unmuted);
        let media = self.allowed_media(key, MediaState { hand: is_hand_up, ..media });
        if let Some(member) = self.roster.member_mut(key) {
            member.participant.media = media;
        }
        if self.permitted(key) != before {
            self.send_permitted(key);
        }
    }

    pub(super) fn mute(
        &mut self,
        now: Instant,
        actor: Actor,
        ids: Option<&[ParticipantId]>,
        sources: Sources,
    ) -> Result<(), Rejection> {
        self.permit(actor, Right::Mute)?;
        let by = self.id_of(actor)?;
        let targets = match ids {
            None => {
                let is_above =
                    |other: &MemberKey| self.outranks(*other, actor) || self.equals(*other, actor);
                self.roster.keys().filter(|other| !is_above(other)).collect()
            }
            Some(ids) => self.targets(actor, ids)?,
        };
        self.done(actor);
        let sources = with_screen_audio(sources);
        for target in targets {
            self.mute_one(now, target, &by, sources);
        }
        Ok(())
    }

    fn mute_one(&mut self, now: Instant, target: MemberKey, by: &ParticipantId, sources: Sources) {
        let Some(member) = self.roster.member_mut(target) else { return };
        let sources = sources.difference(member.participant.muted);
        if sources.is_empty() {
            return;
        }
        let on = sources_on(member.participant.media).intersection(sources);
        member.unacknowledged = member.unacknowledged.union(on);
        member.participant.muted = member.participant.muted.union(sources);
        self.send_permitted(target);
        self.refresh(now, target);
        self.send(now, Audience::One(target), Event::Muted { by: by.clone(), sources });
    }

    /// Turns off what a member may no longer send, and tells all of its new state.
    pub(super) fn refresh(&mut self, now: Instant, key: MemberKey) {
        self.turn_off_forbidden(key);
        self.send_updated(now, key);
    }

    /// Turns off what a member may no longer send; returns whether any of it was on.
    pub(super) fn turn_off_forbidden(&mut self, key: MemberKey) -> bool {
        let Some(member) = self.roster.member(key) else { return false };
        let media = self.allowed_media(key, member.participant.media);
        let Some(member) = self.roster.member_mut(key) else { return false };
        std::mem::replace(&mut member.participant.media, media) != media
    }

    pub(super) fn send_updated(&mut self, now: Instant, key: MemberKey) {
        let Some(member) = self.roster.member(key) else { return };
        let participant = member.participant.clone();
        self.send(now, Audience::All, Event::Updated(participant));
    }
}

fn sources_on(media: MediaState) -> Sources {
    let on = [
        (media.mic, TrackSource::Microphone),
        (media.camera, TrackSource::Camera),
        (media.screen, TrackSource::Screen),
        (media.screen, TrackSource::ScreenAudio),
    ];
    on.into_iter().filter_map(|(is_on, source)| is_on.then_some(source)).collect()
}

/// A muted screen is muted with its audio.
fn with_screen_audio(sources: Sources) -> Sources {
    if sources.has(TrackSource::Screen) {
        return sources.union([TrackSource::ScreenAudio].into_iter().collect());
    }
    sources
}
