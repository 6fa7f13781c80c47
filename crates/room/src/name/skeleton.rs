//! Confusable names.

/// Confusability skeleton of a name (UTS #39 §4). Confusable names have the same skeleton.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Skeleton(Box<str>);

impl Skeleton {
    pub(super) fn of(name: &str) -> Self {
        Self(unicode_security::skeleton(name).collect())
    }
}
