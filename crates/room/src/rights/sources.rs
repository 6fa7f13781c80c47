//! Sets of track sources.

use crate::protocol::TrackSource;

/// A set of track sources.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Sources(u8);

impl Sources {
    /// No source.
    pub const NONE: Self = Self(0);
    /// All sources.
    pub const ALL: Self = Self((1 << TrackSource::COUNT) - 1);

    /// Returns whether the set has this source.
    pub fn has(self, source: TrackSource) -> bool {
        self.0 & bit(source) != 0
    }

    /// Returns whether the set has no source.
    pub fn is_empty(self) -> bool {
        self == Self::NONE
    }

    /// Sources of either set.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Sources of both sets.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Sources of this set that are not in the other.
    #[must_use]
    pub fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The sources, in the order of [`TrackSource::ALL`].
    pub fn iter(self) -> impl Iterator<Item = TrackSource> {
        TrackSource::ALL.into_iter().filter(move |source| self.has(*source))
    }
}

fn bit(source: TrackSource) -> u8 {
    1 << source as u8
}

impl FromIterator<TrackSource> for Sources {
    fn from_iter<I: IntoIterator<Item = TrackSource>>(sources: I) -> Self {
        Self(sources.into_iter().fold(0, |set, source| set | bit(source)))
    }
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
