//! S7: the kernel's flag STA_UNSYNC, as systemd reports it.

use doctor::server::{Looked, Skip, clock};

use super::process;

pub(super) fn gather() -> Looked<clock::Facts> {
    let shown = process::output("timedatectl", &["show", "--property=NTPSynchronized", "--value"]);
    // A container has the clock of its host, and can't change it.
    if super::container::engine().is_some() {
        return Err(Skip::Unavailable);
    }
    match shown.as_deref().map(str::trim) {
        Some("yes") => Ok(clock::Facts { synchronised: Some(true), offset: None }),
        Some("no") => Ok(clock::Facts { synchronised: Some(false), offset: None }),
        _ => Err(Skip::Unavailable),
    }
}
