//! Reasons for the end of a session.

/// Reason for the end of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// The client closed it.
    ByClient,
    /// The server closed it.
    ByServer,
    /// The WebSocket or the pending poll was cut.
    TransportLost,
    /// No answer to the heartbeat.
    TimedOut,
    /// The client never connected to a namespace.
    NeverConnected,
    /// Two polls at the same time.
    Overlap,
    /// A packet could not be decoded or was out of order.
    Malformed,
    /// A message or packet exceeded the size limit.
    TooLarge,
    /// The client exceeded the packet rate.
    TooFast,
    /// The client did not read what was sent.
    TooSlow,
}
