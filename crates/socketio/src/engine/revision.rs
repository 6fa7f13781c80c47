//! Protocol revisions and transports.

/// Engine.IO revision that the client speaks, from its `EIO` query parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revision {
    /// `EIO=3`: Socket.IO clients 1 and 2. The client pings. It is connected to the main namespace
    /// implicitly, with the session's id as socket id.
    V3,
    /// `EIO=4`: Socket.IO clients 3 and 4. The server pings. The client sends CONNECT and is
    /// assigned a separate socket id.
    V4,
}

impl Revision {
    /// Parses the `EIO` query parameter.
    pub fn from_query(eio: &str) -> Option<Self> {
        match eio {
            "3" => Some(Self::V3),
            "4" => Some(Self::V4),
            _ => None,
        }
    }
}

/// Transport on which a session begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportKind {
    /// `transport=polling`
    Polling,
    /// `transport=websocket`
    WebSocket,
}

impl TransportKind {
    /// Parses the `transport` query parameter.
    pub fn from_query(transport: &str) -> Option<Self> {
        match transport {
            "polling" => Some(Self::Polling),
            "websocket" => Some(Self::WebSocket),
            _ => None,
        }
    }
}
