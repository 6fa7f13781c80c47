//! The kinds of requests that an SFU service may refuse.

/// The kind of a request, for its refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestKind {
    Offer,
    Answer,
    Publish,
    Subscribe,
}
