//! The protocol that a room's members speak.

use room::{
    Address, Event, Participant, Rejection, Reply, Room,
    dialect::{Dialect, RoomView, by_name},
};

use super::{client::Client, emits, room_list_feed::RoomListFeeds};

/// The dialect of a room's members; none for the native protocol.
#[derive(Clone, Copy)]
pub(super) struct RoomDialect(Option<&'static dyn Dialect>);

impl RoomDialect {
    pub(super) fn of(address: &Address) -> Self {
        Self(address.dialect().and_then(by_name))
    }

    pub(super) fn is_native(self) -> bool {
        self.0.is_none()
    }

    /// Sends an event to clients of a dialect.
    pub(super) fn send_event<'a>(
        self,
        feeds: &RoomListFeeds,
        address: &Address,
        event: &Event,
        clients: &(impl Iterator<Item = &'a Client> + Clone),
    ) {
        let Some(dialect) = self.0 else { return };
        emits::send(feeds, address, dialect.on_event(address.name(), event), clients);
    }

    /// Replies to a client of a dialect.
    pub(super) fn reply(
        self,
        feeds: &RoomListFeeds,
        address: &Address,
        room: &Room,
        client: &Client,
        reply: Result<&Reply, &Rejection>,
    ) {
        let Some(dialect) = self.0 else { return };
        let view = || RoomView::new(address.name(), &client.socket.id.0, Some(room));
        let emits = match reply {
            Ok(Reply::Admitted(_)) => dialect.on_joined(&view()),
            Ok(_) => return,
            Err(rejection) => dialect.on_rejected(&view(), *rejection),
        };
        emits::send(feeds, address, emits, &std::iter::once(client));
    }

    /// Updates the members in the dialect's room list.
    pub(super) fn list<'a>(
        self,
        feeds: &RoomListFeeds,
        address: &Address,
        members: impl Iterator<Item = &'a Participant>,
    ) {
        if let Some(feed) = self.0.and_then(|dialect| feeds.get(dialect.name())) {
            feed.set_members(address.name(), members.cloned().collect());
        }
    }
}
