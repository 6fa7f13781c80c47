//! Polls of a room and their votes, bounded in number.

use std::{
    collections::{BTreeSet, HashSet},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::{
    device::DeviceHash,
    name::DisplayName,
    poll::PollText,
    protocol::{AskPoll, ParticipantId, Poll, PollId, PollOption},
    rejection::Rejection,
};

/// Maximum number of polls of a room; beyond it the oldest closed one is removed.
pub const MAX_POLLS: usize = 10;
/// Maximum number of options of a poll.
pub const MAX_POLL_OPTIONS: usize = 10;
/// Maximum number of voters of a poll.
pub const MAX_POLL_VOTERS: usize = 500;
/// Votes within this time are told in one event.
const PACE: Duration = Duration::from_millis(250);
/// Approximate size of a poll or a vote beyond its texts, in bytes.
const OVERHEAD: usize = 64;

/// A voter, who counts once: a page that reloads or joins again is the same voter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Voter {
    /// Identity of a token.
    Identity(String),
    /// Device of a participant without a token.
    Device(DeviceHash),
    /// A participant that told no device.
    Participant(ParticipantId),
}

/// Polls, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Polls {
    polls: Vec<Kept>,
    asked: u32,
}

/// A poll.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    id: PollId,
    question: PollText,
    options: Vec<PollText>,
    multiple: bool,
    named: bool,
    by: DisplayName,
    at: u64,
    votes: Votes,
}

/// Votes of a poll.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Votes {
    /// They may be changed.
    Open(Vec<Vote>),
    /// The result, without who chose what: nobody needs it any more.
    Closed { counts: Vec<u32>, names: Vec<Vec<DisplayName>>, voters: u32 },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Vote {
    voter: Voter,
    name: DisplayName,
    /// Positions of the options, at least one.
    options: Vec<u8>,
}

impl Polls {
    pub(super) fn is_empty(&self) -> bool {
        self.polls.is_empty() && self.asked == 0
    }

    /// Opens a poll, if necessary in the place of the oldest closed one, whose id is returned, too.
    pub(super) fn ask(
        &mut self,
        ask: AskPoll,
        by: DisplayName,
        at: u64,
    ) -> Result<(PollId, Option<PollId>), Rejection> {
        let AskPoll { question, options, multiple, named } = ask;
        if !(2..=MAX_POLL_OPTIONS).contains(&options.len()) {
            return Err(Rejection::Invalid("options: a poll has 2 to 10 of them"));
        }
        let different: HashSet<_> = options.iter().collect();
        if different.len() != options.len() {
            return Err(Rejection::Invalid("options: two are the same"));
        }
        let mut replaced = None;
        if self.polls.len() >= MAX_POLLS {
            let closed = |poll: &Kept| matches!(poll.votes, Votes::Closed { .. });
            let oldest = self.polls.iter().position(closed);
            let oldest = oldest.ok_or(Rejection::Invalid("ten polls are open: close one first"))?;
            replaced = Some(self.polls.remove(oldest).id);
        }
        self.asked = self.asked.saturating_add(1);
        let id = PollId(self.asked);
        let votes = Votes::Open(Vec::new());
        self.polls.push(Kept { id, question, options, multiple, named, by, at, votes });
        Ok((id, replaced))
    }

    /// Replaces a voter's vote. Returns whether the result changed.
    pub(super) fn vote(
        &mut self,
        id: PollId,
        voter: Voter,
        name: DisplayName,
        options: Vec<u8>,
    ) -> Result<bool, Rejection> {
        let poll = self.get_mut(id)?;
        let Votes::Open(votes) = &mut poll.votes else { return Err(Rejection::NoSuchPoll) };
        if options.iter().any(|option| usize::from(*option) >= poll.options.len()) {
            return Err(Rejection::Invalid("options: the poll has no such option"));
        }
        let options: BTreeSet<u8> = options.into_iter().collect();
        if options.len() > 1 && !poll.multiple {
            return Err(Rejection::Invalid("options: one can be chosen"));
        }
        let options: Vec<u8> = options.into_iter().collect();
        let before = votes.iter().find(|vote| vote.voter == voter);
        if before.map_or(&[][..], |vote| &vote.options) == options {
            return Ok(false);
        }
        if before.is_none() && votes.len() >= MAX_POLL_VOTERS {
            return Err(Rejection::Invalid("too many have voted in this poll"));
        }
        votes.retain(|vote| vote.voter != voter);
        if !options.is_empty() {
            votes.push(Vote { voter, name, options });
        }
        Ok(true)
    }

    /// Ends the voting, and forgets who chose what. Returns whether it was open.
    pub(super) fn close(&mut self, id: PollId) -> Result<bool, Rejection> {
        let poll = self.get_mut(id)?;
        let was_open = matches!(poll.votes, Votes::Open(_));
        poll.votes = poll.result();
        Ok(was_open)
    }

    pub(super) fn remove(&mut self, id: PollId) -> Result<(), Rejection> {
        self.get_mut(id)?;
        self.polls.retain(|poll| poll.id != id);
        Ok(())
    }

    /// A poll for all.
    pub(super) fn shown(&self, id: PollId) -> Option<Poll> {
        self.polls.iter().find(|poll| poll.id == id).map(|poll| poll.shown(None))
    }

    /// All polls for a voter, the oldest first.
    pub(super) fn list(&self, voter: &Voter) -> Vec<Poll> {
        self.polls.iter().map(|poll| poll.shown(Some(voter))).collect()
    }

    /// Approximate size, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.polls.iter().map(Kept::bytes).sum()
    }

    /// Removes all polls; returns their ids.
    pub(super) fn clear(&mut self) -> Vec<PollId> {
        self.polls.drain(..).map(|poll| poll.id).collect()
    }

    fn get_mut(&mut self, id: PollId) -> Result<&mut Kept, Rejection> {
        self.polls.iter_mut().find(|poll| poll.id == id).ok_or(Rejection::NoSuchPoll)
    }
}

impl Kept {
    /// The votes without the voters.
    fn result(&self) -> Votes {
        let Votes::Open(votes) = &self.votes else { return self.votes.clone() };
        let of = |option: usize| {
            let chose = move |vote: &&Vote| {
                vote.options.iter().any(|chosen| usize::from(*chosen) == option)
            };
            votes.iter().filter(chose)
        };
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let options = 0..self.options.len();
        let names = |option| of(option).map(|vote| vote.name.clone()).collect();
        Votes::Closed {
            counts: options.clone().map(|option| count(of(option).count())).collect(),
            names: if self.named { options.map(names).collect() } else { Vec::new() },
            voters: count(votes.len()),
        }
    }

    fn shown(&self, voter: Option<&Voter>) -> Poll {
        let own = match &self.votes {
            Votes::Open(votes) => votes.iter().find(|vote| Some(&vote.voter) == voter),
            Votes::Closed { .. } => None,
        };
        let (counts, names, voters) = match self.result() {
            Votes::Closed { counts, names, voters } => (counts, names, voters),
            Votes::Open(_) => (Vec::new(), Vec::new(), 0),
        };
        let mut names = names.into_iter();
        let mut counts = counts.into_iter();
        let mut option = |text: &PollText| PollOption {
            text: text.clone(),
            votes: counts.next().unwrap_or_default(),
            names: names.next().unwrap_or_default(),
        };
        Poll {
            id: self.id,
            question: self.question.clone(),
            options: self.options.iter().map(&mut option).collect(),
            multiple: self.multiple,
            named: self.named,
            closed: matches!(self.votes, Votes::Closed { .. }),
            voters,
            by: self.by.clone(),
            at: self.at,
            mine: own.map(|vote| vote.options.clone()).unwrap_or_default(),
        }
    }

    fn bytes(&self) -> usize {
        let texts: usize = self.options.iter().map(|text| text.as_str().len()).sum();
        let votes = match &self.votes {
            Votes::Open(votes) => votes.iter().map(|vote| vote.name.as_str().len()).collect(),
            Votes::Closed { names, .. } => {
                names.iter().flatten().map(|name| name.as_str().len()).collect::<Vec<_>>()
            }
        };
        let votes: usize = votes.into_iter().map(|bytes| OVERHEAD + bytes).sum();
        OVERHEAD + self.question.as_str().len() + texts + votes
    }
}

/// Results that are not told yet.
#[derive(Debug, Default)]
pub(super) struct Tally {
    changed: BTreeSet<PollId>,
    due: Option<Instant>,
}

impl Tally {
    /// A vote changed the result of a poll.
    pub(super) fn change(&mut self, now: Instant, id: PollId) {
        self.changed.insert(id);
        self.due.get_or_insert(now + PACE);
    }

    /// The result of a poll is told otherwise.
    pub(super) fn drop_poll(&mut self, id: PollId) {
        self.changed.remove(&id);
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// Takes the polls whose results are to be told now.
    pub(super) fn take_due(&mut self, now: Instant) -> BTreeSet<PollId> {
        match self.due.take_if(|due| *due <= now) {
            Some(_) => std::mem::take(&mut self.changed),
            None => BTreeSet::new(),
        }
    }
}
