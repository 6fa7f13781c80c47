//! What each user holds of the server: allocations, and how much may be relayed for them.

use crate::bucket::{Bucket, Credit};
use crate::siblings::Sibling;
use foldhash::HashMap;
use std::time::{Duration, Instant};

/// A user's place among the accounts, kept by what is on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AccountId(u32);

struct Account {
    user: Box<str>,
    held: usize,
    /// Among those of all siblings.
    place: usize,
    /// What is relayed, where there are no siblings.
    relayed: Bucket,
    credit: Credit,
}

/// All accounts. One is there while its user holds something, or its bucket is not empty yet: who
/// gives everything back and comes again at once has no second's worth more.
pub(crate) struct Accounts {
    start: Instant,
    /// Who knows what is held elsewhere.
    sibling: Sibling,
    by_user: HashMap<Box<str>, AccountId>,
    accounts: Vec<Option<Account>>,
    free: Vec<u32>,
    /// Accounts that hold nothing.
    idle: usize,
    /// Bytes a second; none is no limit.
    per_user: Option<u64>,
    in_all: Option<u64>,
    credit: Credit,
}

/// So many accounts that hold nothing wait for their buckets to empty.
const IDLE: usize = 1024;

impl Accounts {
    pub(crate) fn new(
        start: Instant,
        sibling: Sibling,
        per_user: Option<u64>,
        in_all: Option<u64>,
    ) -> Self {
        Self {
            start: sibling.start(start),
            sibling,
            by_user: HashMap::default(),
            accounts: Vec::new(),
            free: Vec::new(),
            idle: 0,
            per_user: per_user.map(|rate| rate.max(1)),
            in_all: in_all.map(|rate| rate.max(1)),
            credit: Credit::default(),
        }
    }

    /// How much a user holds, of this server and its siblings.
    pub(crate) fn held(&self, user: &str) -> usize {
        let found = self.by_user.get(user).and_then(|id| self.account(*id));
        self.sibling.held_by(user, found.map_or(0, |account| account.held))
    }

    /// Puts one more thing on a user's account.
    pub(crate) fn hold(&mut self, user: &str) -> AccountId {
        let id = match self.by_user.get(user) {
            Some(id) => *id,
            None => self.open(user),
        };
        self.sibling.hold(user);
        if let Some(account) = self.account_mut(id) {
            account.held += 1;
            if account.held == 1 {
                self.idle -= 1;
            }
        }
        id
    }

    /// Takes a thing off an account.
    pub(crate) fn release(&mut self, id: AccountId) {
        let Some(account) = self.accounts.get_mut(id.0 as usize).and_then(Option::as_mut) else {
            return;
        };
        self.sibling.release(&account.user);
        account.held -= 1;
        if account.held > 0 {
            return;
        }
        self.idle += 1;
        if self.per_user.is_none() {
            self.close(id);
        }
    }

    /// Whether `bytes` more may be relayed for a user at this time; if so they are counted.
    #[inline]
    pub(crate) fn admit(&mut self, now: Instant, id: AccountId, bytes: usize) -> bool {
        if self.per_user.is_none() && self.in_all.is_none() {
            return true;
        }
        self.weigh(now, id, bytes)
    }

    fn weigh(&mut self, now: Instant, id: AccountId, bytes: usize) -> bool {
        let now = nanos(now.saturating_duration_since(self.start));
        let cost = |rate: Option<u64>| {
            rate.map_or(0, |rate| (bytes as u64).saturating_mul(1_000_000_000) / rate)
        };
        let (own, all) = (cost(self.per_user), cost(self.in_all));
        let account = self.accounts.get_mut(id.0 as usize).and_then(Option::as_mut);
        let Some(account) = account else { return false };
        let relayed = self.sibling.relayed_for(account.place).unwrap_or(&account.relayed);
        if !account.credit.covers(relayed, now, own)
            || !self.credit.covers(self.sibling.relayed(), now, all)
        {
            return false;
        }
        account.credit.spend(own);
        self.credit.spend(all);
        true
    }

    /// Closes accounts that hold nothing and whose buckets are empty; all that hold nothing once
    /// they are too many.
    pub(crate) fn sweep(&mut self, now: Instant) {
        if self.idle <= IDLE {
            return;
        }
        let now = nanos(now.saturating_duration_since(self.start));
        for only_empty in [true, false] {
            let idle = |account: &Account| {
                account.held == 0 && (!only_empty || account.relayed.is_empty(now))
            };
            let ids: Vec<_> = (0..)
                .zip(&self.accounts)
                .filter_map(|(id, found)| found.as_ref().is_some_and(idle).then_some(id))
                .collect();
            for id in ids {
                self.close(AccountId(id));
            }
            if self.idle <= IDLE / 2 {
                return;
            }
        }
    }

    fn open(&mut self, user: &str) -> AccountId {
        let account = Account {
            user: user.into(),
            held: 0,
            place: self.sibling.place(user),
            relayed: Bucket::default(),
            credit: Credit::default(),
        };
        let index = self.free.pop().unwrap_or_else(|| {
            self.accounts.push(None);
            u32::try_from(self.accounts.len() - 1).unwrap_or(u32::MAX)
        });
        let id = AccountId(index);
        if let Some(slot) = self.accounts.get_mut(index as usize) {
            *slot = Some(account);
            self.by_user.insert(user.into(), id);
            self.idle += 1;
        }
        id
    }

    fn close(&mut self, id: AccountId) {
        let Some(slot) = self.accounts.get_mut(id.0 as usize) else { return };
        let Some(account) = slot.take() else { return };
        self.by_user.remove(&account.user);
        self.free.push(id.0);
        self.idle -= 1;
    }

    fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(id.0 as usize)?.as_ref()
    }

    fn account_mut(&mut self, id: AccountId) -> Option<&mut Account> {
        self.accounts.get_mut(id.0 as usize)?.as_mut()
    }
}

fn nanos(since: Duration) -> u64 {
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alone() -> Sibling {
        Sibling::alone(1..=2)
    }

    #[allow(clippy::disallowed_methods)]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn an_account_is_closed_with_the_last_thing_on_it() {
        let mut accounts = Accounts::new(start(), alone(), None, None);
        for round in 0..1000 {
            let user = format!("user {}", round % 7);
            let (first, second) = (accounts.hold(&user), accounts.hold(&user));
            assert_eq!((first, accounts.held(&user)), (second, 2));
            accounts.release(first);
            accounts.release(second);
            assert_eq!(accounts.held(&user), 0);
        }
        assert_eq!((accounts.by_user.len(), accounts.accounts.len(), accounts.idle), (0, 1, 0));
    }

    #[test]
    fn a_user_has_a_second_at_once_and_then_the_rate() {
        let start = start();
        let mut accounts = Accounts::new(start, alone(), Some(1000), Some(5000));
        let id = accounts.hold("ann");
        let sent = |accounts: &mut Accounts, now| {
            (0..100).filter(|_| accounts.admit(now, id, 100)).count()
        };
        assert_eq!(sent(&mut accounts, start), 10);
        let later = start + Duration::from_millis(500);
        assert_eq!(sent(&mut accounts, later), 5);
        // Whoever comes again is the same.
        accounts.release(id);
        let id = accounts.hold("ann");
        assert!(!accounts.admit(later, id, 100));
    }

    #[test]
    fn a_user_of_two_servers_has_the_rate_once() {
        let start = start();
        let family = Sibling::family(&(1000..=2000), 2);
        let of = |sibling: &Sibling| Accounts::new(start, sibling.clone(), Some(1000), Some(1500));
        let [mut one, mut other] = [0, 1].map(|index| of(&family[index]));
        let (here, there) = (one.hold("ann"), other.hold("ann"));
        let mut sent = |now| {
            let both = (0..100).map(|_| [one.admit(now, here, 100), other.admit(now, there, 100)]);
            both.flatten().filter(|sent| *sent).count()
        };
        assert_eq!(sent(start), 10);
        assert_eq!(sent(start + Duration::from_secs(1)), 10);
        // Nor has another user more than there is in all.
        let bob = other.hold("bob");
        let later = start + Duration::from_secs(1);
        let left = (0..100).filter(|_| other.admit(later, bob, 100)).count();
        assert_eq!(left, 5);
    }

    #[test]
    fn all_users_share_what_there_is_in_all() {
        let start = start();
        let mut accounts = Accounts::new(start, alone(), Some(1000), Some(1500));
        let (ann, bob) = (accounts.hold("ann"), accounts.hold("bob"));
        let sent = [ann, bob].map(|id| (0..100).filter(|_| accounts.admit(start, id, 100)).count());
        assert_eq!(sent, [10, 5]);
    }

    #[test]
    fn users_that_hold_nothing_are_forgotten_in_the_end() {
        let start = start();
        let mut accounts = Accounts::new(start, alone(), Some(1), None);
        for user in 0..10_000 {
            let id = accounts.hold(&user.to_string());
            assert!(accounts.admit(start, id, 1));
            accounts.release(id);
            accounts.sweep(start);
        }
        assert!(accounts.accounts.len() <= IDLE + 2);
    }
}
