//! Panics of str0m.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{dtls_keys, received};

/// Calls what may panic; none if it did. What it had in its hands is of no more use then.
pub(crate) fn contained<T>(call: impl FnOnce() -> T) -> Option<T> {
    let done = catch_unwind(AssertUnwindSafe(call)).ok();
    if done.is_none() {
        // What was noted of this link is not for the next one.
        dtls_keys::take();
        received::take();
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_comes_to_nothing_and_leaves_no_notes() {
        assert_eq!(contained(|| 7), Some(7));
        let panics = contained(|| {
            received::note_for_tests();
            let empty: [u8; 0] = [];
            empty.first().copied().unwrap()
        });
        assert_eq!(panics, None);
        assert_eq!(received::take(), received::Received::default());
    }
}
