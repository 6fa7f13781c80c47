//! What clients are told.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::{
    event::{Event, Message},
    opaque::Opaque,
};

/// What one or several clients are told, in this order.
pub type Speech<'a> = Vec<Word<'a>>;

/// One thing to tell.
#[derive(Debug, Clone)]
pub enum Word<'a> {
    /// An event.
    Event(Said<'a>),
    /// The [room list](super::Dialect::room_list) as it is by then.
    RoomList,
}

/// An event with its arguments, JSON each.
#[derive(Debug, Clone)]
pub struct Said<'a> {
    /// Its name.
    pub event: &'static str,
    /// Its arguments, often none.
    pub args: Vec<Cow<'a, RawValue>>,
}

impl<'a> Said<'a> {
    /// An event without arguments.
    pub(super) fn plain(event: &'static str) -> Self {
        Self { event, args: Vec::new() }
    }

    /// With one more argument.
    pub(super) fn with(mut self, argument: &impl Serialize) -> Self {
        // What we say is made of texts and JSON, which always serialize.
        let json = to_raw_value(argument).unwrap_or_else(|_| RawValue::NULL.to_owned());
        self.args.push(Cow::Owned(json));
        self
    }
}

impl<'a> From<Said<'a>> for Word<'a> {
    fn from(said: Said<'a>) -> Self {
        Self::Event(said)
    }
}

/// What a member said, as it was said.
pub(super) fn relayed(event: &Event) -> Speech<'_> {
    match event {
        Event::Message { message: Message::Foreign(foreign), .. } => {
            let payload = foreign.payload.as_ref().map(Opaque::json);
            let args = payload.map(Cow::Borrowed).into_iter().collect();
            vec![Said { event: foreign.event, args }.into()]
        }
        _ => Speech::new(),
    }
}
