//! Containment of panics in str0m.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{dtls_keys, received};

/// Calls a function that may panic. Returns `None` if it does. The values it was changing must not
/// be used again.
pub(crate) fn contained<T>(call: impl FnOnce() -> T) -> Option<T> {
    let result = catch_unwind(AssertUnwindSafe(call)).ok();
    if result.is_none() {
        // Discards the notes about this link, so that the next one does not take them.
        dtls_keys::take();
        received::take();
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panic_is_contained_and_discards_notes() {
        assert_eq!(contained(|| 7), Some(7));
        let panicked = contained(|| {
            received::note_authentic();
            let empty: [u8; 0] = [];
            empty.first().copied().unwrap()
        });
        assert_eq!(panicked, None);
        assert_eq!(received::take(), received::Received::default());
    }
}
