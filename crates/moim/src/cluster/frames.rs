//! Messages of a stream between nodes, as they arrive.

use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::frame::{Frame, FrameReader};

/// The messages of a stream.
pub(crate) struct Frames {
    body: Incoming,
    reader: FrameReader,
}

impl Frames {
    pub(crate) fn new(body: Incoming) -> Self {
        Self { body, reader: FrameReader::default() }
    }

    /// The next message; `None` at the end of the stream, or if it is broken. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.reader.poll().ok()? {
                return Some(frame);
            }
            let piece = self.body.frame().await?.ok()?;
            if let Ok(piece) = piece.into_data() {
                self.reader.push(&piece);
            }
        }
    }
}
