//! What the media server says of itself when asked.

/// What a shard has done and has, or the sum of all.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Report {
    /// Peers there are, and rooms they are in; one on several shards counts on each.
    pub(crate) peers: usize,
    pub(crate) rooms: usize,
    /// Clients over ICE-TCP.
    pub(crate) streams: usize,
    /// Everything the core keeps, counted: none, where nobody is.
    pub(crate) kept: usize,
    /// Media from where peers are that was not theirs, or not new.
    pub(crate) dropped: sfu::Dropped,
    /// Links that ended since the engine panicked in them.
    pub(crate) panics: u64,
    pub(crate) tally: Tally,
}

/// What happened to peers and packets.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    /// Links that came to be.
    pub(crate) connected: u64,
    /// Links that ended without being asked to.
    pub(crate) ended: u64,
    /// Orders that the core refused.
    pub(crate) refused: u64,
    /// Peers given up since their room had too many letters waiting.
    pub(crate) untold: u64,
    /// Datagrams that were a peer's, and those sent to peers.
    pub(crate) came: u64,
    pub(crate) sent: u64,
    /// Handed over to other shards.
    pub(crate) crossed: u64,
    /// Of tracks that are published on other shards.
    pub(crate) relayed: u64,
    /// DTLS and media from addresses that no check has proven.
    pub(crate) unproven: u64,
    /// Not queued, as a client over TCP can't take as much.
    pub(crate) slow: u64,
    /// For a client over TCP that is gone.
    pub(crate) gone: u64,
}

impl Report {
    /// Takes in another shard's.
    pub(crate) fn add(&mut self, other: &Self) {
        self.peers += other.peers;
        self.rooms += other.rooms;
        self.streams += other.streams;
        self.kept += other.kept;
        self.dropped.replayed += other.dropped.replayed;
        self.dropped.forged += other.dropped.forged;
        self.panics += other.panics;
        let (tally, more) = (&mut self.tally, &other.tally);
        tally.connected += more.connected;
        tally.ended += more.ended;
        tally.refused += more.refused;
        tally.untold += more.untold;
        tally.came += more.came;
        tally.sent += more.sent;
        tally.crossed += more.crossed;
        tally.relayed += more.relayed;
        tally.unproven += more.unproven;
        tally.slow += more.slow;
        tally.gone += more.gone;
    }
}
