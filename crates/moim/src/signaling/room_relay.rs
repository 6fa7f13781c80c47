//! Relay access of a room's participants.

use std::collections::{HashMap, HashSet};

use room::{
    Connection, Participant,
    protocol::{IceServer, IceServers, ParticipantId, ServerEvent},
};
use tokio::time::Instant;

use super::{
    config::Config,
    ice,
    room_client::{Member, RoomClient},
};
use crate::{
    shard::turn::{RelayAccess, RoomCredentials},
    socketio::encode_event,
};

/// Relay access of the participants, until they left for good. Credentials are refreshed at half of
/// their lifetime.
pub(super) struct RoomRelay {
    access: HashMap<ParticipantId, RelayAccess>,
    /// Time of the next refresh.
    refresh: Option<Instant>,
}

impl RoomRelay {
    /// Gives participants of an earlier process their access back.
    pub(super) fn restore<'a>(
        credentials: &RoomCredentials,
        present: impl Iterator<Item = &'a ParticipantId>,
    ) -> Self {
        let access =
            present.filter_map(|id| Some((id.clone(), credentials.admit(id.as_str())?))).collect();
        Self { access, refresh: None }
    }

    /// Makes a client a member, with access of its own.
    pub(super) fn admit(
        &mut self,
        now: Instant,
        config: &Config,
        client: &mut RoomClient,
        id: &ParticipantId,
    ) -> Vec<IceServer> {
        if !self.access.contains_key(id)
            && let Some(access) = config.credentials.admit(id.as_str())
        {
            self.access.insert(id.clone(), access);
        }
        let refresh = now + config.credential_lifetime / 2;
        client.member = Some(Member { id: id.clone(), refresh });
        self.refresh.get_or_insert(refresh);
        ice::servers(config, &client.guard.0.host, self.access.get(id))
    }

    /// Ends the access of participants that left.
    pub(super) fn revoke_departed<'a>(&mut self, present: impl Iterator<Item = &'a Participant>) {
        if self.access.is_empty() {
            return;
        }
        let present: HashSet<_> = present.map(|present| &present.id).collect();
        self.access.retain(|id, _| present.contains(id));
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.refresh
    }

    /// Sends new credentials to members that are due; schedules the next refresh.
    pub(super) fn handle_timeout(
        &mut self,
        now: Instant,
        config: &Config,
        clients: &mut HashMap<Connection, RoomClient>,
    ) {
        if self.refresh.take_if(|due| *due <= now).is_none() {
            return;
        }
        for RoomClient { guard, member, .. } in clients.values_mut() {
            let Some(member) = member else { continue };
            if member.refresh <= now {
                member.refresh = now + config.credential_lifetime / 2;
                let access = self.access.get(&member.id);
                let ice_servers = ice::servers(config, &guard.0.host, access);
                let event = ServerEvent::IceServers(IceServers { ice_servers });
                guard.0.socket.emit(encode_event(event.name(), &event, None));
            }
        }
        let members = clients.values().filter_map(|client| client.member.as_ref());
        self.refresh = members.map(|member| member.refresh).min();
    }
}
