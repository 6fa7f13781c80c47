//! Names that look alike.

/// The look of a name (UTS #39 §4): two that could be taken for each other have the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Skeleton(Box<str>);

impl Skeleton {
    pub(super) fn of(name: &str) -> Self {
        Self(unicode_security::skeleton(name).collect())
    }
}
