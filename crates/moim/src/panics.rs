//! A panic hook that logs the location of a panic, once per location.
//!
//! A formatted message may quote input of remote peers or contain memory addresses, so only static
//! messages are logged. A peer that can provoke a panic can repeat it, hence once per location.

use std::{
    collections::HashSet,
    panic::{self, PanicHookInfo},
    thread,
};

use parking_lot::Mutex;

/// Limit of locations that are remembered; panics at further ones are not logged.
const MAX_LOCATIONS: usize = 64;

/// File and line.
type Location = (String, u32);

/// Locations that have been logged.
static SEEN: Mutex<Option<HashSet<Location>>> = Mutex::new(None);

/// Installs the hook.
pub(crate) fn log() {
    panic::set_hook(Box::new(|info| {
        if let Some(location) = location(info).filter(is_first) {
            let (file, line) = location;
            let thread = thread::current().name().unwrap_or("unnamed").to_owned();
            tracing::error!(
                file,
                line,
                thread,
                payload = message(info),
                "panic; logged once per location"
            );
        }
    }));
}

fn location(info: &PanicHookInfo<'_>) -> Option<Location> {
    info.location().map(|location| (crate_path(location.file()).to_owned(), location.line()))
}

/// A file's path from its crate's folder on, without the build machine's folders.
fn crate_path(path: &str) -> &str {
    let file = path.rsplit_once("/src/").map_or(0, |(krate, _)| krate.len());
    let start = path.get(..file).and_then(|krate| krate.rfind('/')).map_or(0, |at| at + 1);
    path.get(start..).unwrap_or(path)
}

fn is_first(location: &Location) -> bool {
    let mut seen = SEEN.lock();
    let seen = seen.get_or_insert_default();
    seen.len() < MAX_LOCATIONS && seen.insert(location.clone())
}

/// The message, if it is a string literal.
fn message(info: &PanicHookInfo<'_>) -> &'static str {
    info.payload().downcast_ref::<&'static str>().copied().unwrap_or("not shown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_location_is_logged_once_up_to_the_limit() {
        let at = |line| ("panics_test.rs".to_owned(), line);
        assert!(is_first(&at(1)) && !is_first(&at(1)) && is_first(&at(2)));
        let logged = (3..1000).filter(|line| is_first(&at(*line))).count();
        assert!(logged <= MAX_LOCATIONS, "{logged}");
    }

    #[test]
    fn crate_path_omits_the_build_folders() {
        let registry = "/home/x/.cargo/registry/src/index-1/str0m-0.25.0/src/rtp/rtcp/twcc.rs";
        assert_eq!(crate_path(registry), "str0m-0.25.0/src/rtp/rtcp/twcc.rs");
        assert_eq!(crate_path("crates/sfu/src/link.rs"), "sfu/src/link.rs");
        assert_eq!(crate_path("build.rs"), "build.rs");
    }
}
