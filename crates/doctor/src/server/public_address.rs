//! The server as its visitors name it.

/// The address and port that the findings name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicAddress {
    /// The address by which visitors reach the server, as far as known.
    pub address: String,
    /// The port that visitors use.
    pub port: u16,
}
