//! Simulcast encodings and scalability layers, and the allocation of bandwidth among them.

use std::cmp::Reverse;

/// An encoding and its highest spatial and temporal layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Quality {
    pub(crate) encoding: usize,
    pub(crate) spatial: u8,
    pub(crate) temporal: u8,
}

impl Quality {
    pub(crate) fn all_layers(encoding: usize) -> Self {
        Self { encoding, spatial: u8::MAX, temporal: u8::MAX }
    }
}

/// A quality that a publisher offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) quality: Quality,
    /// Bits per second.
    pub(crate) bitrate: u32,
    /// Pixels of the shorter side.
    pub(crate) height: u16,
}

/// Priority in the allocation, highest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    ScreenShare,
    Speaker,
    Other,
}

/// One video track that a subscriber shows.
#[derive(Debug)]
pub(crate) struct Demand {
    pub(crate) rank: Rank,
    /// Pixels of the viewport's shorter side.
    pub(crate) viewport: u32,
    /// Limits the demand to the lowest choice: the page has reported no viewport.
    pub(crate) lowest_only: bool,
    /// From low to high.
    pub(crate) choices: Vec<Choice>,
    /// Quality allocated before.
    pub(crate) current: Option<Quality>,
}

impl Demand {
    /// Index of the best choice worth its bitrate: the lowest that fills three quarters of the
    /// viewport.
    pub(crate) fn best(&self) -> Option<usize> {
        let last = self.choices.len().checked_sub(1)?;
        if self.lowest_only {
            // Reduced frame rates of the lowest resolution are for congestion only.
            let height = self.choices.first()?.height;
            return self.choices.iter().rposition(|choice| choice.height == height);
        }
        let fills = |choice: &Choice| u64::from(choice.height) * 4 >= u64::from(self.viewport) * 3;
        let first = self.choices.iter().position(fills);
        let height = first.and_then(|at| self.choices.get(at)).map(|choice| choice.height);
        let best = height
            .and_then(|height| self.choices.iter().rposition(|choice| choice.height == height));
        Some(best.unwrap_or(last))
    }

    /// Bitrate of the lowest choice.
    pub(crate) fn min_bitrate(&self) -> u64 {
        self.bitrate_at(Some(0))
    }

    /// Bitrate of a quality. 0 if it is not offered.
    pub(crate) fn bitrate_of(&self, quality: Option<Quality>) -> u64 {
        self.bitrate_at(self.index_of(quality))
    }

    fn index_of(&self, quality: Option<Quality>) -> Option<usize> {
        quality.and_then(|wanted| self.choices.iter().position(|choice| choice.quality == wanted))
    }

    fn bitrate_at(&self, index: Option<usize>) -> u64 {
        index.and_then(|at| self.choices.get(at)).map_or(0, |choice| u64::from(choice.bitrate))
    }
}

/// Result of [`allocate`]. Bitrates are sums over all demands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Allocation {
    /// Allocated quality of each demand.
    pub(crate) allocated: Vec<Option<Quality>>,
    pub(crate) bitrate: u64,
    /// Bitrate with the first step that did not fit. Equals `bitrate` if all steps fitted.
    pub(crate) next_bitrate: u64,
    /// Bitrate if every demand had its best choice.
    pub(crate) best_bitrate: u64,
}

/// Allocates `capacity` bits per second: first the lowest choice of every demand, then step by step
/// higher ones in the order of rank. An upgrade must leave a fifth of the capacity free, so that
/// small changes of the estimate do not cause switches.
pub(crate) fn allocate(demands: &[Demand], capacity: u64) -> Allocation {
    let upgrade_capacity = capacity - capacity / 5;
    let mut order: Vec<usize> = (0..demands.len()).collect();
    order.sort_by_key(|at| demands.get(*at).map(|demand| (demand.rank, Reverse(demand.viewport))));
    let mut allocated: Vec<Option<usize>> = vec![None; demands.len()];
    let mut bitrate = 0;
    let mut next_bitrate = None;
    let best_bitrate = demands.iter().map(|demand| demand.bitrate_at(demand.best())).sum();
    let passes = [None, Some(Rank::ScreenShare), Some(Rank::Speaker), Some(Rank::Other)];
    for rank in passes {
        let mut repeat = true;
        while repeat {
            repeat = false;
            for at in &order {
                let (Some(demand), Some(slot)) = (demands.get(*at), allocated.get_mut(*at)) else {
                    continue;
                };
                let step = match (rank, *slot) {
                    (None, None) => 0,
                    (Some(rank), Some(so_far)) if rank == demand.rank => so_far + 1,
                    _ => continue,
                };
                if demand.best().is_none_or(|best| step > best) {
                    continue;
                }
                let is_upgrade =
                    demand.index_of(demand.current).is_none_or(|current| current < step);
                let after = bitrate - demand.bitrate_at(*slot) + demand.bitrate_at(Some(step));
                if after <= if is_upgrade { upgrade_capacity } else { capacity } {
                    *slot = Some(step);
                    bitrate = after;
                    repeat = rank.is_some();
                } else {
                    next_bitrate = next_bitrate.or(Some(after));
                }
            }
        }
    }
    let quality =
        |(at, index): (usize, Option<usize>)| Some(demands.get(at)?.choices.get(index?)?.quality);
    let allocated = allocated.into_iter().enumerate().map(quality).collect();
    Allocation { allocated, bitrate, next_bitrate: next_bitrate.unwrap_or(bitrate), best_bitrate }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(encoding: usize, bitrate: u32, height: u16) -> Choice {
        Choice { quality: Quality::all_layers(encoding), bitrate, height }
    }

    fn demand(rank: Rank, viewport: u32, current: Option<usize>) -> Demand {
        let choices =
            vec![choice(0, 150_000, 180), choice(1, 500_000, 360), choice(2, 1_500_000, 720)];
        let current = current.map(Quality::all_layers);
        Demand { rank, viewport, lowest_only: false, choices, current }
    }

    fn encodings(demands: &[Demand], capacity: u64) -> Vec<Option<usize>> {
        let allocated = allocate(demands, capacity).allocated;
        allocated.into_iter().map(|quality| quality.map(|quality| quality.encoding)).collect()
    }

    #[test]
    fn lowest_encoding_that_fills_the_viewport_is_allocated() {
        for (viewport, encoding) in [(100, 0), (240, 0), (241, 1), (480, 1), (500, 2), (2160, 2)] {
            let demand = demand(Rank::Other, viewport, None);
            assert_eq!(encodings(&[demand], 10_000_000), [Some(encoding)]);
        }
    }

    #[test]
    fn every_track_gets_its_lowest_encoding_before_any_gets_a_higher_one() {
        let all = [demand(Rank::Other, 720, None), demand(Rank::Other, 720, None)];
        assert_eq!(encodings(&all, 400_000), [Some(0), Some(0)]);
        assert_eq!(encodings(&all, 200_000), [Some(0), None], "one is paused if both do not fit");
    }

    #[test]
    fn screen_share_ranks_before_speaker_and_speaker_before_others() {
        let all = [
            demand(Rank::Other, 720, None),
            demand(Rank::Speaker, 720, None),
            demand(Rank::ScreenShare, 720, None),
        ];
        assert_eq!(encodings(&all, 2_300_000), [Some(0), Some(0), Some(2)]);
        assert_eq!(encodings(&all, 2_800_000), [Some(0), Some(1), Some(2)]);
        assert_eq!(encodings(&all, 4_100_000), [Some(0), Some(2), Some(2)]);
    }

    #[test]
    fn upgrade_needs_headroom_and_the_current_encoding_needs_none() {
        assert_eq!(encodings(&[demand(Rank::Other, 720, None)], 1_600_000), [Some(1)]);
        assert_eq!(encodings(&[demand(Rank::Other, 720, Some(2))], 1_600_000), [Some(2)]);
        assert_eq!(encodings(&[demand(Rank::Other, 720, Some(2))], 1_499_999), [Some(1)]);
        assert_eq!(encodings(&[demand(Rank::Other, 720, Some(0))], 160_000), [Some(0)]);
        assert_eq!(encodings(&[demand(Rank::Other, 720, Some(0))], 149_999), [None]);
        let short = allocate(&[demand(Rank::Other, 720, None)], 1_600_000);
        assert_eq!(
            (short.bitrate, short.next_bitrate, short.best_bitrate),
            (500_000, 1_500_000, 1_500_000)
        );
    }
}
