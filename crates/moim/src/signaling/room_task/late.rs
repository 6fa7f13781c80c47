//! Messages to a room that has closed, or that another node has.

use std::sync::Arc;

use room::Rejection;

use super::RoomTask;
use crate::signaling::room_message::RoomMessage;

impl RoomTask {
    /// Handles a message of a sender that found the room before.
    pub(super) async fn handle_late(&self, message: Box<RoomMessage>) {
        match *message {
            // Its client comes again, and to the room's new owner.
            RoomMessage::Enter { guard, .. } if self.frozen => guard.0.socket.cut(),
            RoomMessage::Enter { .. } => {
                Arc::clone(&self.hub).enter_again(self.key.address.clone(), message).await;
            }
            RoomMessage::Request { ack, .. } => {
                self.hub.rejections.reject(ack, Rejection::NotJoined.into());
            }
            // Dropping the sender says that the room is gone.
            RoomMessage::Operate { .. }
            | RoomMessage::Describe(_)
            | RoomMessage::Report { .. }
            | RoomMessage::Gone { .. }
            | RoomMessage::ForgetLog
            | RoomMessage::Give(_)
            | RoomMessage::LeaveNode(_)
            | RoomMessage::Freeze(_) => {}
        }
    }
}
