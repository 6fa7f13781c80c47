//! Who acts on a room.

use crate::request::Connection;

/// Who requests something that not everybody may do.
#[derive(Debug, Clone, Copy)]
pub(super) enum Actor {
    /// The member of a connection, with the rights of its role.
    Member(Connection),
    /// The server's operator, with all rights.
    Operator,
}
