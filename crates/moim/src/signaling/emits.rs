//! Events to dialect clients.

use std::sync::Arc;

use room::{
    Address, Rejection,
    dialect::{Emit, Emits, RoomView, by_name},
};

use super::{
    client::Client,
    room_list_feed::{RoomListFeeds, encode},
};

/// Sends events of a room to clients, each encoded once.
pub(super) fn send<'a>(
    room_lists: &RoomListFeeds,
    room: &Address,
    emits: Emits<'_>,
    clients: &(impl Iterator<Item = &'a Client> + Clone),
) {
    for emit in emits {
        match emit {
            Emit::Event(event) => {
                let packet = encode(&event);
                clients.clone().for_each(|client| client.socket.emit(Arc::clone(&packet)));
            }
            Emit::RoomList => {
                if let Some(feed) = room.dialect().and_then(|dialect| room_lists.get(dialect)) {
                    feed.send_list(clients.clone().map(|client| client.connection));
                }
            }
        }
    }
}

/// Notifies a client that the server can't open the room.
pub(super) fn send_rejection(room_lists: &RoomListFeeds, room: &Address, client: &Client) {
    let Some(dialect) = room.dialect().and_then(by_name) else { return };
    let view = RoomView::new(room.name(), &client.socket.id.0, None);
    let emits = dialect.on_rejected(&view, Rejection::RoomFull);
    send(room_lists, room, emits, &std::iter::once(client));
}
