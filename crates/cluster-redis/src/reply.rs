//! Replies of the scripts, as answers.

use cluster::{Answer, Entry, EntryKind, Epoch, EventNumber, NodeId, OwnerStatus, Payload, Top};
use redis::Value;

use crate::{error::RequestError, seal::Seal};

const UNEXPECTED: RequestError = RequestError::Unreadable("a reply of the server");

/// Parses the parts of a reply.
struct Reader<'a>(std::slice::Iter<'a, Value>);

impl<'a> Reader<'a> {
    fn new(value: &'a Value) -> Result<Self, RequestError> {
        match value {
            Value::Array(values) => Ok(Self(values.iter())),
            _ => Err(UNEXPECTED),
        }
    }

    fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    fn bytes(&mut self) -> Result<&'a [u8], RequestError> {
        match self.0.next() {
            Some(Value::BulkString(bytes)) => Ok(bytes),
            _ => Err(UNEXPECTED),
        }
    }

    fn text(&mut self) -> Result<&'a str, RequestError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| UNEXPECTED)
    }

    fn top(&mut self) -> Result<Top, RequestError> {
        let number = number(self.text()?)?;
        Ok(Top { number, writer: NodeId::parse(self.text()?).ok_or(UNEXPECTED)? })
    }

    fn optional_top(&mut self) -> Result<Option<Top>, RequestError> {
        (!self.is_empty()).then(|| self.top()).transpose()
    }
}

/// An entry's id, as the number that it is.
fn number(text: &str) -> Result<EventNumber, RequestError> {
    let parse = || {
        let (epoch, count) = text.split_once('-')?;
        EventNumber::new(epoch.parse().ok().and_then(Epoch::new)?, count.parse().ok()?)
    };
    parse().ok_or(UNEXPECTED)
}

pub(crate) fn kind(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Claim => "c",
        EntryKind::Event => "e",
        EntryKind::Snapshot => "s",
    }
}

/// The key of an entry's payload: one for each epoch of a room.
pub(crate) fn purpose(room: cluster::RoomKey, number: EventNumber) -> String {
    format!("room {room} {}", number.epoch())
}

/// The place of an entry, from which its payload can't be moved.
pub(crate) fn place(entry: &Entry) -> String {
    format!("{} {} {}", entry.number, entry.writer, kind(entry.kind))
}

pub(crate) fn renewed(reply: &Value) -> Result<Answer, RequestError> {
    match reply {
        Value::Int(1) => Ok(Answer::Renewed),
        Value::Int(0) => Ok(Answer::SlotTaken),
        _ => Err(UNEXPECTED),
    }
}

/// The name of the engine's memory, and the nodes. A card that can't be opened is empty: its node
/// has another secret, but it is there.
pub(crate) fn nodes(seal: &Seal, reply: &Value) -> Result<(String, Answer), RequestError> {
    let mut reader = Reader::new(reply)?;
    let memory = reader.text()?.to_owned();
    let mut nodes = Vec::new();
    while !reader.is_empty() {
        let (slot, lease) = (reader.text()?, reader.bytes()?);
        let (boot, sealed) = lease.split_at_checked(16).ok_or(UNEXPECTED)?;
        let boot = std::str::from_utf8(boot).map_err(|_| UNEXPECTED)?;
        let node = NodeId::parse(&format!("{slot}.{boot}")).ok_or(UNEXPECTED)?;
        let card = seal.open("card", &node.to_string(), sealed).unwrap_or_default();
        nodes.push((node, Payload::from(card)));
    }
    nodes.sort_unstable_by_key(|(node, _)| *node);
    Ok((memory, Answer::Nodes(nodes)))
}

pub(crate) fn owner(reply: &Value) -> Result<Answer, RequestError> {
    let mut reader = Reader::new(reply)?;
    if reader.is_empty() {
        return Ok(Answer::Owner(None));
    }
    let top = reader.top()?;
    let is_leased = match reader.0.next() {
        Some(Value::Int(leased)) => *leased == 1,
        _ => return Err(UNEXPECTED),
    };
    Ok(Answer::Owner(Some(OwnerStatus { top, is_leased })))
}

/// The answer to a claim or an append.
pub(crate) fn written(reply: &Value) -> Result<Answer, RequestError> {
    let mut reader = Reader::new(reply)?;
    match reader.text()? {
        "appended" => Ok(Answer::Appended),
        "soon" => Ok(Answer::TooSoon),
        "claimed" => {
            let epoch = reader.text()?.parse().ok().and_then(Epoch::new).ok_or(UNEXPECTED)?;
            Ok(Answer::Claimed(epoch))
        }
        "occupied" => reader.optional_top().map(Answer::Occupied),
        "diverged" => reader.optional_top().map(Answer::Diverged),
        _ => Err(UNEXPECTED),
    }
}

/// A log, which the script reads backwards.
pub(crate) fn log(
    seal: &Seal,
    room: cluster::RoomKey,
    reply: &Value,
) -> Result<Answer, RequestError> {
    let mut reader = Reader::new(reply)?;
    let mut entries = Vec::with_capacity(reader.0.len());
    while let Some(value) = reader.0.next_back() {
        let mut reader = Reader::new(value)?;
        let Top { number, writer } = reader.top()?;
        let kind = match reader.text()? {
            "c" => EntryKind::Claim,
            "e" => EntryKind::Event,
            "s" => EntryKind::Snapshot,
            _ => return Err(UNEXPECTED),
        };
        let sealed = reader.bytes()?;
        let mut entry = Entry { number, writer, kind, payload: Payload::from([]) };
        if kind != EntryKind::Claim {
            let opened = seal.open(&purpose(room, number), &place(&entry), sealed);
            let unreadable = RequestError::Unreadable("an entry that was sealed with another key");
            entry.payload = Payload::from(opened.map_err(|_| unreadable)?);
        }
        entries.push(entry);
    }
    Ok(Answer::Log(entries))
}
