//! Panics, into the log: where, but not of what.
//!
//! A message made at run time may quote what a stranger has sent, or name addresses of memory, so
//! only those that stand in the program as they are get into the log. Somebody who has found one
//! panic can cause it again and again: each place is logged once.

use std::{
    collections::HashSet,
    panic::{self, PanicHookInfo},
    sync::{Mutex, PoisonError},
    thread,
};

/// Places that are remembered, and so logged.
const MAX_PLACES: usize = 64;

/// A place in the program.
type Place = (String, u32);

/// The places where there was a panic.
static SEEN: Mutex<Option<HashSet<Place>>> = Mutex::new(None);

/// Has panics logged.
pub(crate) fn log() {
    panic::set_hook(Box::new(|info| {
        if let Some(place) = place(info).filter(is_first) {
            let (file, line) = place;
            let thread = thread::current().name().unwrap_or("unnamed").to_owned();
            tracing::error!(file, line, thread, why = why(info), "panic; told once for each place");
        }
    }));
}

fn place(info: &PanicHookInfo<'_>) -> Option<Place> {
    info.location().map(|location| (short(location.file()).to_owned(), location.line()))
}

/// A file's path from its crate on: where it was built is of no interest.
fn short(path: &str) -> &str {
    let file = path.rsplit_once("/src/").map_or(0, |(krate, _)| krate.len());
    let start = path.get(..file).and_then(|krate| krate.rfind('/')).map_or(0, |at| at + 1);
    path.get(start..).unwrap_or(path)
}

fn is_first(place: &Place) -> bool {
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let seen = seen.get_or_insert_default();
    seen.len() < MAX_PLACES && seen.insert(place.clone())
}

/// The message, where it was written by us or by the library.
fn why(info: &PanicHookInfo<'_>) -> &'static str {
    info.payload().downcast_ref::<&'static str>().copied().unwrap_or("not shown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_told_once_and_places_without_end_are_not() {
        let at = |line| ("a_place_is_told_once.rs".to_owned(), line);
        assert!(is_first(&at(1)) && !is_first(&at(1)) && is_first(&at(2)));
        let told = (3..1000).filter(|line| is_first(&at(*line))).count();
        assert!(told <= MAX_PLACES, "{told}");
    }

    #[test]
    fn a_path_is_told_from_its_crate_on() {
        let registry = "/home/x/.cargo/registry/src/index-1/str0m-0.25.0/src/rtp/rtcp/twcc.rs";
        assert_eq!(short(registry), "str0m-0.25.0/src/rtp/rtcp/twcc.rs");
        assert_eq!(short("crates/sfu/src/link.rs"), "sfu/src/link.rs");
        assert_eq!(short("build.rs"), "build.rs");
    }
}
