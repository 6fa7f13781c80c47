//! Every order of the things that may happen in a small world.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::{BuildHasher, RandomState},
};

use testnet::Clock;

use crate::{
    checker::Violation,
    engine::Fault,
    world::{Action, Budget, World},
};

/// The longest sequences, from a room that has an owner. Each further step takes several times as
/// long; `MOIM_EXPLORE_STEPS=12` takes minutes.
const STEPS: u8 = 7;

/// A broken rule, and what led to it.
type Counterexample = (Violation, Vec<Action>);

/// Worlds that were seen, with the steps that were left.
struct Explorer {
    seen: HashMap<u64, u8>,
    hasher: RandomState,
    path: Vec<Action>,
    most_owners: usize,
}

impl Explorer {
    fn new() -> Self {
        let (seen, hasher) = (HashMap::new(), RandomState::new());
        Self { seen, hasher, path: Vec::new(), most_owners: 0 }
    }

    fn explore(&mut self, world: &World, steps: u8) -> Result<(), Counterexample> {
        match self.seen.entry(self.hasher.hash_one(world)) {
            Entry::Occupied(seen) if *seen.get() >= steps => return Ok(()),
            Entry::Occupied(mut seen) => {
                seen.insert(steps);
            }
            Entry::Vacant(new) => {
                new.insert(steps);
            }
        }
        self.most_owners = self.most_owners.max(world.owners());
        if steps == 0 {
            return Ok(());
        }
        for action in world.actions() {
            let mut next = world.clone();
            self.path.push(action);
            next.act(action).map_err(|violation| (violation, self.path.clone()))?;
            self.explore(&next, steps - 1)?;
            self.path.pop();
        }
        Ok(())
    }
}

fn steps() -> u8 {
    let steps = std::env::var("MOIM_EXPLORE_STEPS").ok();
    steps.map_or(STEPS, |steps| steps.parse().unwrap())
}

const BUDGET: Budget = Budget { events: 2, losses: 2, waits: 2, faults: 1 };

/// The first broken rule with a planted fault.
fn find(fault: Fault, budget: Budget) -> Violation {
    let clock = Clock::new();
    let world = match World::with_owner(&clock, budget, Some(fault)) {
        Ok(world) => world,
        Err(violation) => return violation,
    };
    let mut explorer = Explorer::new();
    // Short sequences first, so that the shortest is found.
    for steps in 1..=9 {
        if let Err((violation, path)) = explorer.explore(&world, steps) {
            eprintln!("{fault:?}: {violation:?} after {path:?}");
            return violation;
        }
    }
    panic!("no rule is broken by {fault:?}, in {} worlds", explorer.seen.len());
}

#[test]
fn rules_hold_in_every_world_of_a_room_with_an_owner() {
    let clock = Clock::new();
    let world = World::with_owner(&clock, BUDGET, None).unwrap();
    assert!(world.is_settled());
    let mut explorer = Explorer::new();
    if let Err((violation, path)) = explorer.explore(&world, steps()) {
        panic!("{violation:?} after {path:#?}");
    }
    eprintln!("{} worlds", explorer.seen.len());
    assert!(explorer.seen.len() > 10_000, "{} worlds", explorer.seen.len());
    assert!(explorer.most_owners > 1, "no world in which a former owner does not know yet");
}

#[test]
fn rules_hold_in_every_world_of_a_room_that_is_opened() {
    let clock = Clock::new();
    let budget = Budget { events: 1, ..BUDGET };
    let world = World::new(&clock, budget, None);
    let mut explorer = Explorer::new();
    if let Err((violation, path)) = explorer.explore(&world, steps()) {
        panic!("{violation:?} after {path:#?}");
    }
    assert!(explorer.seen.len() > 10_000, "{} worlds", explorer.seen.len());
}

/// A fault to plant, and the rule that it breaks.
type Planted = (Fault, fn(&Violation) -> bool);

const PLANTED: &[Planted] = &[
    (Fault::Unfenced, |found| matches!(found, Violation::FormerOwnerWrote(_))),
    (Fault::BlindClaim, |found| matches!(found, Violation::BlindClaim(_))),
    (Fault::SameEpoch, |found| matches!(found, Violation::TwoWriters(..))),
    (Fault::Forgetful, |found| matches!(found, Violation::KeptIsMissing(_))),
    (Fault::Hasty, |found| matches!(found, Violation::KeptIsMissing(_))),
    (Fault::Deaf, |found| matches!(found, Violation::SpokeWhenFenced(_))),
    (Fault::Stuttering, |found| matches!(found, Violation::NumberFell(_))),
    (Fault::Blank, |found| matches!(found, Violation::SuccessorLacks(_))),
    (Fault::Careless, |found| matches!(found, Violation::LogRestoresOtherRoom(_))),
];

#[test]
fn each_planted_fault_breaks_its_rule() {
    for (fault, is_its_rule) in PLANTED {
        // Without losses and faults of the engine the sequences of these are short enough.
        let is_deep = matches!(fault, Fault::Unfenced | Fault::Blank);
        let budget = if is_deep { Budget { losses: 0, faults: 0, ..BUDGET } } else { BUDGET };
        let found = find(*fault, budget);
        assert!(is_its_rule(&found), "{fault:?}: {found:?}");
    }
}
