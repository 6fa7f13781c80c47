//! Events emitted to dialect clients.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::{
    event::{Event, Message},
    opaque::Opaque,
};

/// Events for one or several clients, in order.
pub type Emits<'a> = Vec<Emit<'a>>;

/// One event to emit.
#[derive(Debug, Clone)]
pub enum Emit<'a> {
    /// An event.
    Event(EmittedEvent<'a>),
    /// The [room list](super::Dialect::room_list) at the time of emission.
    RoomList,
}

/// An event and its JSON arguments.
#[derive(Debug, Clone)]
pub struct EmittedEvent<'a> {
    /// The event's name.
    pub event: &'static str,
    /// The arguments, often none.
    pub args: Vec<Cow<'a, RawValue>>,
}

impl<'a> EmittedEvent<'a> {
    /// An event without arguments.
    pub(super) fn new(event: &'static str) -> Self {
        Self { event, args: Vec::new() }
    }

    /// Appends an argument.
    pub(super) fn arg(mut self, argument: &impl Serialize) -> Self {
        // Our arguments consist of strings and JSON, which always serialize.
        let json = to_raw_value(argument).unwrap_or_else(|_| RawValue::NULL.to_owned());
        self.args.push(Cow::Owned(json));
        self
    }
}

impl<'a> From<EmittedEvent<'a>> for Emit<'a> {
    fn from(event: EmittedEvent<'a>) -> Self {
        Self::Event(event)
    }
}

/// A relayed message, unchanged; nothing for other events.
pub(super) fn relayed(event: &Event) -> Emits<'_> {
    match event {
        Event::Message { message: Message::Foreign(foreign), .. } => {
            let payload = foreign.payload.as_ref().map(Opaque::json);
            let args = payload.map(Cow::Borrowed).into_iter().collect();
            vec![EmittedEvent { event: foreign.event, args }.into()]
        }
        _ => Emits::new(),
    }
}
