//! Recipients of events.

/// Key of a member, ascending in the order of joining. Never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct MemberKey(pub(crate) u64);

/// Recipients of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// One member.
    One(MemberKey),
    /// All members but one.
    AllBut(MemberKey),
    /// All members.
    All,
}

impl Audience {
    pub(crate) fn includes(self, key: MemberKey) -> bool {
        match self {
            Self::One(one) => one == key,
            Self::AllBut(one) => one != key,
            Self::All => true,
        }
    }
}
