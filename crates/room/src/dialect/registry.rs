//! The table of dialects.

use super::{
    codelab::Codelab, conference::Conference, one_to_one::OneToOne,
    perfect_negotiation::PerfectNegotiation, translation::Dialect, video_chat::VideoChat,
};

/// All dialects, in order of precedence: an event that fits several dialects of a socket belongs to
/// the first, so dialects that accept any payload come last.
pub static DIALECTS: &[&dyn Dialect] =
    &[&VideoChat, &PerfectNegotiation, &Conference, &OneToOne, &Codelab];

/// Returns the dialect that owns a path.
pub fn by_path(path: &str) -> Option<&'static dyn Dialect> {
    DIALECTS.iter().copied().find(|dialect| dialect.path() == Some(path))
}

/// Returns the dialect with this name.
pub fn by_name(name: &str) -> Option<&'static dyn Dialect> {
    DIALECTS.iter().copied().find(|dialect| dialect.name() == name)
}
