//! Rooms that have not ended, and their chat.

use super::sql::{Database, Row, SqlResult, values};

/// Messages of one room's chat that are kept.
const MAX_CHAT: i64 = 200;

/// A room. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredRoom {
    /// Rises in the order in which rooms are opened.
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) template: Option<String>,
    pub(crate) capacity: u32,
    /// JSON.
    pub(crate) state: String,
    pub(crate) opened: i64,
    pub(crate) changed: i64,
}

/// A message of a room's chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredMessage {
    /// Rises within the room.
    pub(crate) number: i64,
    /// JSON.
    pub(crate) message: String,
}

/// A room with its chat.
pub(crate) type RoomRows = (StoredRoom, Vec<StoredMessage>);

/// Writes a room, new or changed, and new messages of its chat. An earlier room of the same name is
/// deleted.
pub(crate) fn set(
    database: &mut dyn Database,
    room: &StoredRoom,
    chat: &[StoredMessage],
) -> SqlResult<()> {
    let sql = "DELETE FROM room WHERE name = ?1 AND id <> ?2";
    database.execute(sql, values![&room.name, room.id])?;
    let sql = "INSERT INTO room (id, name, template, capacity, state, opened, changed)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        ON CONFLICT (id) DO UPDATE SET template = excluded.template,
            capacity = excluded.capacity, state = excluded.state, changed = excluded.changed";
    let values = values![
        room.id,
        &room.name,
        room.template.as_ref(),
        room.capacity,
        &room.state,
        room.opened,
        room.changed,
    ];
    database.execute(sql, values)?;
    let Some(last) = chat.last() else { return Ok(()) };
    let sql = "INSERT INTO chat (room, number, message) VALUES (?1, ?2, ?3)
        ON CONFLICT (room, number) DO NOTHING";
    for message in chat {
        database.execute(sql, values![room.id, message.number, &message.message])?;
    }
    let sql = "DELETE FROM chat WHERE room = ?1 AND number <= ?2";
    database.execute(sql, values![room.id, last.number - MAX_CHAT]).map(drop)
}

/// Deletes a room and its chat.
pub(crate) fn remove(database: &mut dyn Database, id: i64) -> SqlResult<()> {
    database.execute("DELETE FROM room WHERE id = ?1", values![id]).map(drop)
}

/// All rooms with their chat, in the order of their ids.
pub(crate) fn all(database: &mut dyn Database) -> SqlResult<Vec<RoomRows>> {
    let sql = "SELECT id, name, template, capacity, state, opened, changed FROM room ORDER BY id";
    let rooms = database.query(sql, &[])?.into_iter().map(room);
    let mut rooms: Vec<RoomRows> =
        rooms.map(|room| Ok((room?, Vec::new()))).collect::<SqlResult<_>>()?;
    let sql = "SELECT room, number, message FROM chat ORDER BY room, number";
    for mut row in database.query(sql, &[])? {
        let room: i64 = row.take()?;
        let message = StoredMessage { number: row.take()?, message: row.take()? };
        if let Ok(at) = rooms.binary_search_by_key(&room, |(room, _)| room.id)
            && let Some((_, chat)) = rooms.get_mut(at)
        {
            chat.push(message);
        }
    }
    Ok(rooms)
}

fn room(mut row: Row) -> SqlResult<StoredRoom> {
    Ok(StoredRoom {
        id: row.take()?,
        name: row.take()?,
        template: row.take()?,
        capacity: row.take()?,
        state: row.take()?,
        opened: row.take()?,
        changed: row.take()?,
    })
}
