//! What a shard tells a room.

use sfu::{PeerId, Rejection, Source, Speaker, Subscription};
use tokio::sync::mpsc;

use super::room_commands::Asked;

/// Letters that may wait for a room; beyond, it is not told who speaks, and who can't be told of
/// its own link loses that: its browser notices and starts anew.
const WAITING: usize = 1024;

/// Something a room is to know.
#[derive(Debug)]
pub(crate) enum Letter {
    /// The answer to a peer's offer.
    Answer(PeerId, String),
    /// An offer to a peer.
    Offer(PeerId, String),
    /// Who is on which receiving section of a peer's link.
    Subscribed(PeerId, Vec<Subscription>),
    /// Whether anybody is to get a peer's video, and which encodings of it.
    Wanted(PeerId, Source, bool, Vec<String>),
    /// What a peer asked for was not done.
    Refused(PeerId, Asked, Rejection),
    /// Nothing comes from a peer any more, or something again.
    Interrupted(PeerId, bool),
    /// Who speaks, the loudest first.
    Speakers(Vec<Speaker>),
}

/// The shard's end.
#[derive(Debug, Clone)]
pub(crate) struct News(mpsc::Sender<Letter>);

/// The room's end.
#[derive(Debug)]
pub(crate) struct Reader(mpsc::Receiver<Letter>);

/// A way from a shard to a room.
pub(crate) fn letters() -> (News, Reader) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (News(sender), Reader(receiver))
}

impl News {
    /// Tells the room; false if it can't be told.
    pub(super) fn tell(&self, letter: Letter) -> bool {
        self.0.try_send(letter).is_ok()
    }
}

impl Reader {
    /// The next letter, once there is one; none comes where all peers are gone.
    pub(crate) async fn next(&mut self) -> Option<Letter> {
        self.0.recv().await
    }
}
