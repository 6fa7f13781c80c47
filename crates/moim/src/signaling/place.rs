//! A socket's place in a room, as its session keeps it.

use std::sync::Weak;

use room::{Address, Refusal};

use super::{
    directory::{Mail, Mailbox},
    hub::Hub,
    seat::Seat,
};

/// The room a socket is in, or just asked to be let into.
pub(super) struct Place {
    pub(super) address: Address,
    pub(super) mailbox: Mailbox,
    pub(super) seat: Weak<Seat>,
}

impl Place {
    /// Whether the socket is in the room, or may be any moment.
    pub(super) fn is_held(&self) -> bool {
        self.seat.strong_count() > 0
    }

    /// Sends the room what somebody in it asks, or that it is gone.
    pub(super) async fn deliver(&self, hub: &Hub, mail: Mail) {
        let Err(unsent) = self.mailbox.send(Box::new(mail)).await else { return };
        // The room we asked to be let into closed and opened anew before we were.
        let mail = match hub.directory.find(&self.address) {
            Some(mailbox) => match mailbox.send(unsent.0).await {
                Ok(()) => return,
                Err(unsent) => unsent.0,
            },
            None => unsent.0,
        };
        if let Mail::Ask { ack, .. } = *mail {
            hub.refusals.refuse(ack, Refusal::NotJoined.into());
        }
    }
}
