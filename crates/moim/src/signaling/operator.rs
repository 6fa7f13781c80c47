//! What the server's operator asks of rooms, by the API.

use std::{collections::BTreeSet, net::Ipv4Addr, time::Duration};

use room::{
    Address, Inviting, Operation, Reply,
    name::RoomName,
    password::Password,
    protocol::{ErrorBody, Policy, RoomSummary, TopologyChoice},
};
use tokio::{sync::oneshot, time::timeout};

use super::{
    Signaling,
    details::RoomDetails,
    kept::Unwritten,
    operating::{OperateError, Operating},
    room_message::RoomMessage,
    rooms::Creation,
    wall_clock::milliseconds_since_1970,
};
use crate::net::client_prefix::ClientPrefix;

/// Time for a room to answer. It is busy no longer than some milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// A room to be created by the operator.
#[derive(Debug)]
pub(crate) struct NewRoom {
    pub(crate) name: RoomName,
    pub(crate) capacity: Option<u32>,
    pub(crate) password: Option<Password>,
    pub(crate) topology: Option<TopologyChoice>,
    pub(crate) policy: Option<Policy>,
    /// Name of a template, for what is absent.
    pub(crate) template: Option<String>,
    /// Text of the application that embeds it.
    pub(crate) metadata: String,
    /// Time for which it stays open while empty; the server's default if absent.
    pub(crate) stays_empty: Option<Duration>,
}

impl Signaling {
    /// The open native rooms, in no order.
    pub(crate) fn rooms(&self) -> Vec<RoomSummary> {
        self.hub.lobby.native()
    }

    /// The first listed rooms, for other servers.
    pub(crate) fn listed_rooms(&self) -> Vec<RoomSummary> {
        self.hub.lobby.listed()
    }

    /// Sets the listed rooms of other servers.
    pub(crate) fn set_rooms_elsewhere(&self, rooms: Vec<RoomSummary>) {
        self.hub.lobby.set_elsewhere(rooms);
    }

    /// Returns whether a client wants the list of rooms.
    pub(crate) fn is_room_list_wanted(&self) -> bool {
        self.hub.lobby.has_subscribers()
    }

    /// Names of the native rooms, in their order: the open ones, and those that are kept from before
    /// a restart.
    pub(crate) fn room_names(&self) -> Vec<RoomName> {
        let open = self.rooms().into_iter().map(|room| room.name);
        let names: BTreeSet<_> = open.chain(self.hub.kept.names()).collect();
        names.into_iter().collect()
    }

    /// Creates a room. Where everybody may create rooms, whoever joins first without a token is its
    /// host.
    ///
    /// # Errors
    /// The rejections of a client's request.
    pub(crate) async fn create_room(&self, room: NewRoom) -> Result<RoomSummary, ErrorBody> {
        let NewRoom { name, capacity, password, topology, policy, template, .. } = room;
        let NewRoom { metadata, stays_empty, .. } = room;
        self.hub
            .create(Creation {
                listed: None,
                template,
                name,
                capacity,
                password,
                topology,
                policy,
                metadata,
                creator: None,
                stays_empty,
                // The limits of clients don't apply.
                opener: ClientPrefix::from(std::net::IpAddr::from(Ipv4Addr::LOCALHOST)),
            })
            .await
    }

    /// A room's state.
    ///
    /// # Errors
    /// There is none, or it does not answer.
    pub(crate) async fn describe_room(&self, name: &RoomName) -> Result<RoomDetails, OperateError> {
        let (sender, details) = oneshot::channel();
        match self.ask(name, RoomMessage::Describe(sender), details).await {
            Err(OperateError::NotOpen) => {
                let room = self.hub.kept.describe(name).ok_or(OperateError::NoRoom)?;
                let policy = room.policy.filter(|_| self.hub.config.hosts.is_some());
                Ok(RoomDetails { policy, ..room })
            }
            asked => asked,
        }
    }

    /// Forgets a room that is kept from before a restart. Returns false if there is none.
    ///
    /// # Errors
    /// A crash may bring it back.
    pub(crate) async fn forget_kept(&self, name: &RoomName) -> Result<bool, OperateError> {
        if self.hub.kept.describe(name).is_none() {
            return Ok(false);
        }
        let unsaved = self.hub.kept.forget(name);
        let writing = self.hub.kept.write(name, unsaved);
        writing.wait().await.map_err(|Unwritten| OperateError::NotSaved)?;
        Ok(true)
    }

    /// Carries out a request; returns the revision of the settings. What must not be undone by a
    /// crash is written by then.
    ///
    /// # Errors
    /// The reason for which nothing was changed, or a crash may undo it.
    pub(crate) async fn operate(
        &self,
        name: &RoomName,
        operating: Operating,
    ) -> Result<String, OperateError> {
        let (done, result) = oneshot::channel();
        let done = self.ask(name, RoomMessage::Operate { operating, done }, result).await??;
        done.writing.wait().await.map_err(|Unwritten| OperateError::NotSaved)?;
        Ok(done.revision)
    }

    /// Makes, revokes or lists invitations of a room.
    ///
    /// # Errors
    /// The reason for which nothing was changed, or a crash may undo it.
    pub(crate) async fn invite(
        &self,
        name: &RoomName,
        asked: Inviting,
    ) -> Result<Reply, OperateError> {
        let (done, result) = oneshot::channel();
        let operation = Operation::Inviting { at: milliseconds_since_1970(), asked };
        let operating = Operating { operation, revision: None };
        let done = self.ask(name, RoomMessage::Operate { operating, done }, result).await??;
        done.writing.wait().await.map_err(|Unwritten| OperateError::NotSaved)?;
        Ok(done.reply)
    }

    async fn ask<T>(
        &self,
        name: &RoomName,
        message: RoomMessage,
        answer: oneshot::Receiver<T>,
    ) -> Result<T, OperateError> {
        let Some(room) = self.hub.directory.find(&Address::native(name)) else {
            let is_kept = self.hub.kept.describe(name).is_some();
            return Err(if is_kept { OperateError::NotOpen } else { OperateError::NoRoom });
        };
        let asked = async {
            room.send(Box::new(message)).await.map_err(|_| OperateError::NoRoom)?;
            // A room that closes drops the other end.
            answer.await.map_err(|_| OperateError::NoRoom)
        };
        timeout(PATIENCE, asked).await.unwrap_or(Err(OperateError::Busy))
    }
}
