//! What the server's operator does to a room by its API. Clients see the events of a host's
//! requests.

use std::{collections::BTreeSet, time::Instant};

use super::{actor::Actor, state::Room, waiting::bounded};
use crate::{
    audience::{Audience, MemberKey},
    event::Event,
    protocol::{ParticipantId, Policy, Topology, TopologyChoice, Waiting},
    rejection::Rejection,
    request::{Operation, Reply},
    rights::Rights,
    roster::Presence,
};

/// Maximum size of the application's data, in bytes of base64.
const MAX_DATA_BYTES: usize = 48 << 10;
/// Maximum size of the name of a kind of data, in bytes.
const MAX_TOPIC_BYTES: usize = 128;

impl Room {
    /// Carries out a request of the operator.
    ///
    /// # Errors
    /// The reason for which nothing was changed.
    pub fn operate(&mut self, now: Instant, operation: Operation) -> Result<Reply, Rejection> {
        match operation {
            Operation::Inviting { at, asked } => {
                return self.carry_out_inviting(Actor::Operator, at, asked);
            }
            Operation::Host(hosting) => self.host(now, Actor::Operator, hosting),
            Operation::Settings { settings, metadata } => {
                self.change_settings(now, Actor::Operator, settings, metadata)
            }
            Operation::Subscribe { participant, may } => self.let_subscribe(now, &participant, may),
            Operation::Send { data, .. } if data.data.len() > MAX_DATA_BYTES => {
                Err(Rejection::TooLarge("data"))
            }
            Operation::Send { data, .. } if data.topic.len() > MAX_TOPIC_BYTES => {
                Err(Rejection::TooLarge("topic"))
            }
            Operation::Send { to: None, data } => {
                self.send_unlogged(Audience::All, Event::Data(data));
                Ok(())
            }
            Operation::Send { to: Some(ids), data } => {
                let find = |id| self.target(Actor::Operator, id);
                let ids = bounded(Some(&ids))?.unwrap_or_default();
                // Each once, however often it is named.
                let keys = ids.iter().map(find).collect::<Result<BTreeSet<MemberKey>, _>>()?;
                for key in keys {
                    self.send_unlogged(Audience::One(key), Event::Data(data.clone()));
                }
                Ok(())
            }
        }
        .map(|()| Reply::Done)
    }

    /// Lets a participant receive media, or not.
    fn let_subscribe(
        &mut self,
        now: Instant,
        id: &ParticipantId,
        may: bool,
    ) -> Result<(), Rejection> {
        let key = self.target(Actor::Operator, id)?;
        let before = self.permitted(key);
        let member = self.roster.member_mut(key).ok_or(Rejection::NoSuchParticipant)?;
        member.participant.unsubscribed = !may;
        if self.permitted(key) != before {
            self.send_permitted(key);
            self.send_updated(now, key);
        }
        Ok(())
    }

    /// Number of changes of the settings.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Text of the application that embeds the room.
    pub fn metadata(&self) -> &str {
        &self.settings.metadata
    }

    /// Rules; `None` in a room without hosts.
    pub fn rules(&self) -> Option<Policy> {
        self.policy()
    }

    /// The topology that was chosen.
    pub fn topology_choice(&self) -> TopologyChoice {
        self.settings.topology
    }

    /// The topology just now.
    pub fn topology(&self) -> Topology {
        self.topology.current()
    }

    /// Whoever waits to be admitted.
    pub fn waiting(&self) -> Vec<Waiting> {
        self.waiting.list()
    }

    /// The identity of a participant's token, if it joined with one.
    pub fn identity(&self, id: &ParticipantId) -> Option<&str> {
        let member = self.roster.key_by_id(id).and_then(|key| self.roster.member(key))?;
        let identity = member.pass.as_ref()?.identity.as_deref()?;
        // After its issuer.
        identity.split_once('\n').map(|(_, identity)| identity)
    }

    /// Rights of a participant: those of its role, within its token.
    pub fn rights_of(&self, id: &ParticipantId) -> Rights {
        self.roster.key_by_id(id).map_or(Rights::NONE, |key| self.rights(key))
    }

    /// Returns whether a participant is in the room, connected or awaited.
    pub fn has(&self, id: &ParticipantId) -> bool {
        self.roster.key_by_id(id).is_some()
    }

    /// Returns whether a participant is connected.
    pub fn is_connected(&self, id: &ParticipantId) -> bool {
        let member = self.roster.key_by_id(id).and_then(|key| self.roster.member(key));
        member.is_some_and(|member| matches!(member.presence, Presence::Here(_)))
    }
}
