//! Which part of a track a subscriber gets, and how a way's capacity is shared among tracks.

/// An encoding, and within it the layers up to these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Quality {
    pub(crate) encoding: usize,
    pub(crate) spatial: u8,
    pub(crate) temporal: u8,
}

impl Quality {
    /// All layers of an encoding.
    pub(crate) fn whole(encoding: usize) -> Self {
        Self { encoding, spatial: u8::MAX, temporal: u8::MAX }
    }
}

/// A quality that is to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) quality: Quality,
    /// Bits a second.
    pub(crate) rate: u32,
    /// Pixels of its shorter side.
    pub(crate) height: u16,
}

/// Who comes first when there is not enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    Screen,
    Speaker,
    Other,
}

/// One track that somebody looks at.
#[derive(Debug)]
pub(crate) struct Demand {
    pub(crate) rank: Rank,
    /// Pixels that the page shows of its shorter side.
    pub(crate) shown: u32,
    /// Only the smallest, since the page has not said that it shows it.
    pub(crate) smallest: bool,
    /// From small to large.
    pub(crate) choices: Vec<Choice>,
    /// What it gets at present.
    pub(crate) has: Option<Quality>,
}

impl Demand {
    /// The best choice worth its rate: the first that fills three quarters of what is shown.
    pub(crate) fn best(&self) -> Option<usize> {
        let last = self.choices.len().checked_sub(1)?;
        if self.smallest {
            // A slower variant of the smallest is for need, not for choice.
            let height = self.choices.first()?.height;
            return self.choices.iter().rposition(|choice| choice.height == height);
        }
        let enough = |choice: &Choice| u64::from(choice.height) * 4 >= u64::from(self.shown) * 3;
        let first = self.choices.iter().position(enough);
        let height = first.and_then(|at| self.choices.get(at)).map(|choice| choice.height);
        let at = height.and_then(|height| self.choices.iter().rposition(|it| it.height == height));
        Some(at.unwrap_or(last))
    }

    /// Bits a second of the smallest there is.
    pub(crate) fn least(&self) -> u64 {
        self.rate(Some(0))
    }

    /// Bits a second of a quality; none of what is not to be had.
    pub(crate) fn takes(&self, quality: Option<Quality>) -> u64 {
        self.rate(self.index_of(quality))
    }

    fn index_of(&self, quality: Option<Quality>) -> Option<usize> {
        quality.and_then(|it| self.choices.iter().position(|choice| choice.quality == it))
    }

    fn rate(&self, index: Option<usize>) -> u64 {
        index.and_then(|at| self.choices.get(at)).map_or(0, |choice| u64::from(choice.rate))
    }
}

/// What each demand gets, the sum of it, and what one step more would take.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Allocation {
    pub(crate) given: Vec<Option<Quality>>,
    pub(crate) sum: u64,
    /// The sum if what was refused first were given; as `sum` if nothing was.
    pub(crate) next: u64,
    /// The sum if everybody had the best.
    pub(crate) best: u64,
}

/// Shares `capacity` bits a second: first the smallest for everyone, then better for the screen, the
/// speaker, the others, in steps. What is new must fit with a fifth to spare, so that nothing goes up
/// and down with every breath of the estimate.
pub(crate) fn allocate(demands: &[Demand], capacity: u64) -> Allocation {
    let spare = capacity - capacity / 5;
    let mut order: Vec<usize> = (0..demands.len()).collect();
    order.sort_by_key(|at| demands.get(*at).map(|it| (it.rank, std::cmp::Reverse(it.shown))));
    let mut given: Vec<Option<usize>> = vec![None; demands.len()];
    let (mut sum, mut next) = (0, None);
    let best = demands.iter().map(|it| it.rate(it.best())).sum();
    let ranks = [None, Some(Rank::Screen), Some(Rank::Speaker), Some(Rank::Other)];
    for rank in ranks {
        let mut again = true;
        while again {
            again = false;
            for at in &order {
                let (Some(demand), Some(slot)) = (demands.get(*at), given.get_mut(*at)) else {
                    continue;
                };
                let step = match (rank, *slot) {
                    (None, None) => 0,
                    (Some(rank), Some(now)) if rank == demand.rank => now + 1,
                    _ => continue,
                };
                if demand.best().is_none_or(|best| step > best) {
                    continue;
                }
                let had = demand.index_of(demand.has).is_some_and(|had| had >= step);
                let after = sum - demand.rate(*slot) + demand.rate(Some(step));
                let room = if had { capacity } else { spare };
                if after <= room {
                    (*slot, sum) = (Some(step), after);
                    again = rank.is_some();
                } else {
                    next = next.or(Some(after));
                }
            }
        }
    }
    let quality =
        |(at, index): (usize, Option<usize>)| Some(demands.get(at)?.choices.get(index?)?.quality);
    let given = given.into_iter().enumerate().map(quality).collect();
    Allocation { given, sum, next: next.unwrap_or(sum), best }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(encoding: usize, rate: u32, height: u16) -> Choice {
        Choice { quality: Quality::whole(encoding), rate, height }
    }

    fn demand(rank: Rank, shown: u32, has: Option<usize>) -> Demand {
        let choices =
            vec![choice(0, 150_000, 180), choice(1, 500_000, 360), choice(2, 1_500_000, 720)];
        Demand { rank, shown, smallest: false, choices, has: has.map(Quality::whole) }
    }

    fn encodings(demands: &[Demand], capacity: u64) -> Vec<Option<usize>> {
        let given = allocate(demands, capacity).given;
        given.into_iter().map(|quality| quality.map(|it| it.encoding)).collect()
    }

    #[test]
    fn a_tile_gets_what_fills_it_and_no_more() {
        for (shown, encoding) in [(100, 0), (240, 0), (241, 1), (480, 1), (500, 2), (2160, 2)] {
            assert_eq!(
                encodings(&[demand(Rank::Other, shown, None)], 10_000_000),
                [Some(encoding)]
            );
        }
    }

    #[test]
    fn everyone_is_seen_small_before_anyone_is_seen_large() {
        let all = [demand(Rank::Other, 720, None), demand(Rank::Other, 720, None)];
        assert_eq!(encodings(&all, 400_000), [Some(0), Some(0)]);
        assert_eq!(encodings(&all, 200_000), [Some(0), None], "and if that is too much, one");
    }

    #[test]
    fn screen_goes_before_speaker_and_speaker_before_the_others() {
        let all = [
            demand(Rank::Other, 720, None),
            demand(Rank::Speaker, 720, None),
            demand(Rank::Screen, 720, None),
        ];
        assert_eq!(encodings(&all, 2_300_000), [Some(0), Some(0), Some(2)]);
        assert_eq!(encodings(&all, 2_800_000), [Some(0), Some(1), Some(2)]);
        assert_eq!(encodings(&all, 4_100_000), [Some(0), Some(2), Some(2)]);
    }

    #[test]
    fn what_one_has_needs_no_room_to_spare_but_what_is_new_does() {
        assert_eq!(encodings(&[demand(Rank::Other, 720, None)], 1_600_000), [Some(1)]);
        assert_eq!(encodings(&[demand(Rank::Other, 720, Some(2))], 1_600_000), [Some(2)]);
        assert_eq!(encodings(&[demand(Rank::Other, 720, Some(2))], 1_499_999), [Some(1)]);
        assert_eq!(encodings(&[demand(Rank::Other, 720, Some(0))], 160_000), [Some(0)]);
        assert_eq!(encodings(&[demand(Rank::Other, 720, Some(0))], 149_999), [None]);
        let short = allocate(&[demand(Rank::Other, 720, None)], 1_600_000);
        assert_eq!((short.sum, short.next, short.best), (500_000, 1_500_000, 1_500_000));
    }
}
