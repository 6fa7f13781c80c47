//! Answers to decisions that must last, such as a ban: sent once a crash of this process can't undo
//! them. The room's task does not wait for that.

use std::sync::Arc;

use room::protocol::{ErrorBody, ErrorCode};

use super::{
    ack::{Empty, ack_ok},
    hub::Hub,
    kept::{Unwritten, Writing},
};
use crate::socketio::Ack;

/// Acknowledges a decision once it is written.
pub(super) fn answer(hub: &Arc<Hub>, ack: Ack, writing: Writing) {
    if let Writing::Over(result) = writing {
        return send(hub, ack, result);
    }
    let answering = Arc::clone(hub);
    hub.runtime.spawn(async move {
        let result = writing.wait().await;
        send(&answering, ack, result);
    });
}

fn send(hub: &Hub, ack: Ack, result: Result<(), Unwritten>) {
    match result {
        Ok(()) => ack_ok(Some(ack), &Empty {}),
        Err(unwritten) => {
            let error = ErrorBody::new(ErrorCode::NotSaved, unwritten.to_string());
            hub.rejections.reject(Some(ack), error);
        }
    }
}
