//! Quotas: the allocations and the bandwidth of each user and each client address.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use foldhash::HashMap;

use super::config::Limits;
use crate::{
    bucket::Credit,
    siblings::{Charges, Ledger, Sibling},
};

/// The index of an account, stored by what is charged to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AccountId(u32);

struct Account {
    holder: Box<str>,
    /// Number of allocations on this server.
    held: usize,
    /// The charges of the holder on this server and its siblings.
    charges: Arc<Charges>,
    credit: Credit,
}

/// Accounts of one kind of holder. An account exists while its holder has an allocation or its
/// bucket is not empty, so that releasing all and returning at once yields no additional burst.
struct AccountTable {
    start: Instant,
    /// The counts of all siblings.
    ledger: Arc<Ledger>,
    by_holder: HashMap<Box<str>, AccountId>,
    accounts: Vec<Option<Account>>,
    free: Vec<u32>,
    /// Number of accounts without allocations.
    idle: usize,
    /// Bytes per second; `None` is unlimited.
    per_holder: Option<u64>,
    total: Option<u64>,
    credit: Credit,
}

/// The accounts of users and of client addresses. An allocation is charged to one of each.
pub(crate) struct Accounts {
    users: AccountTable,
    addresses: AccountTable,
    allocations: usize,
    per_user: usize,
    per_address: usize,
}

/// The accounts that an allocation is charged to: its user's, and its client address's unless that
/// is a loopback address, which all clients behind a local proxy have. A client that moves (RFC
/// 8016) stays charged to its first address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Holders {
    user: AccountId,
    address: Option<AccountId>,
}

/// The account can't be charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CheckQuotaError {
    /// The quota of the user or of the address is used up.
    Quota,
    /// The capacity of the server is used up.
    Capacity,
}

/// One client address may hold this fraction (a quarter) of what is free. The next one then finds
/// three times as much, and however many addresses take their share, some capacity remains.
const ADDRESS_SHARE_DIVISOR: usize = 4;
/// Number of allocations that one address may hold even when few are free: what a browser asks for
/// in a call of nine.
const MIN_PER_ADDRESS: usize = 64;

impl Accounts {
    pub(crate) fn new(now: Instant, sibling: &Sibling, limits: &Limits) -> Self {
        let start = sibling.start(now);
        let (per_user, per_address) = (limits.user_bandwidth, limits.address_bandwidth);
        Self {
            users: AccountTable::new(start, sibling.users(), per_user, limits.bandwidth),
            addresses: AccountTable::new(start, sibling.addresses(), per_address, None),
            allocations: limits.allocations,
            per_user: limits.allocations_per_user,
            per_address: limits.allocations_per_address,
        }
    }

    /// Replaces the limits. What is held stays held.
    pub(crate) fn set_limits(&mut self, limits: &Limits) {
        self.allocations = limits.allocations;
        self.per_user = limits.allocations_per_user;
        self.per_address = limits.allocations_per_address;
        self.users.set_rates(limits.user_bandwidth, limits.bandwidth);
        self.addresses.set_rates(limits.address_bandwidth, None);
    }

    /// Checks that `more` allocations may be charged to these accounts.
    pub(crate) fn check(
        &self,
        user: &str,
        client: IpAddr,
        more: usize,
    ) -> Result<(), CheckQuotaError> {
        if self.held_by_user(user) + more > self.per_user {
            return Err(CheckQuotaError::Quota);
        }
        let held = self.users.ledger.total().held();
        let share = self.allocations.saturating_sub(held) / ADDRESS_SHARE_DIVISOR;
        let share = share.max(MIN_PER_ADDRESS).min(self.per_address);
        if self.held_by_address(client) + more > share && prefix(client).is_some() {
            return Err(CheckQuotaError::Quota);
        }
        if held + more > self.allocations { Err(CheckQuotaError::Capacity) } else { Ok(()) }
    }

    pub(crate) fn held_by_user(&self, user: &str) -> usize {
        self.users.held(user)
    }

    pub(crate) fn held_by_address(&self, client: IpAddr) -> usize {
        prefix(client).map_or(0, |prefix| self.addresses.held(&prefix))
    }

    /// Charges one allocation to both accounts.
    pub(crate) fn hold(&mut self, now: Instant, user: &str, client: IpAddr) -> Holders {
        self.users.sweep(now);
        self.addresses.sweep(now);
        let address = prefix(client).map(|prefix| self.addresses.hold(&prefix));
        Holders { user: self.users.hold(user), address }
    }

    /// Charges one more to accounts that are charged already.
    pub(crate) fn hold_more(&mut self, holders: Holders) {
        self.users.hold_more(holders.user);
        if let Some(address) = holders.address {
            self.addresses.hold_more(address);
        }
    }

    /// Releases one from both accounts.
    pub(crate) fn release(&mut self, holders: Holders) {
        self.users.release(holders.user);
        if let Some(address) = holders.address {
            self.addresses.release(address);
        }
    }

    /// Charges `bytes` of relayed data to both accounts. Returns false if that exceeds a bandwidth
    /// limit.
    #[inline]
    pub(crate) fn admit(&mut self, now: Instant, holders: Holders, bytes: usize) -> bool {
        let address = match holders.address {
            Some(address) => self.addresses.admit(now, address, bytes),
            None => true,
        };
        address && self.users.admit(now, holders.user, bytes)
    }
}

/// The address or prefix of one subscriber, as the name of an account; `None` for loopback.
fn prefix(client: IpAddr) -> Option<String> {
    match client.to_canonical() {
        ip if ip.is_loopback() => None,
        IpAddr::V4(ip) => Some(ip.to_string()),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            Some(format!("{a:x}:{b:x}:{c:x}:{d:x}"))
        }
    }
}

/// Maximum number of accounts that wait, without allocations, for their buckets to drain.
const MAX_IDLE_ACCOUNTS: usize = 1024;

impl AccountTable {
    fn new(
        start: Instant,
        ledger: &Arc<Ledger>,
        per_holder: Option<u64>,
        total: Option<u64>,
    ) -> Self {
        Self {
            start,
            ledger: Arc::clone(ledger),
            by_holder: HashMap::default(),
            accounts: Vec::new(),
            free: Vec::new(),
            idle: 0,
            per_holder: per_holder.map(|rate| rate.max(1)),
            total: total.map(|rate| rate.max(1)),
            credit: Credit::default(),
        }
    }

    fn set_rates(&mut self, per_holder: Option<u64>, total: Option<u64>) {
        self.per_holder = per_holder.map(|rate| rate.max(1));
        self.total = total.map(|rate| rate.max(1));
    }

    /// The count of a holder, on this server and its siblings.
    fn held(&self, holder: &str) -> usize {
        let own = self.by_holder.get(holder).and_then(|id| self.account(*id));
        own.map_or_else(|| self.ledger.held_by(holder), |account| account.charges.held())
    }

    /// Charges one to a holder's account.
    fn hold(&mut self, holder: &str) -> AccountId {
        let id = match self.by_holder.get(holder) {
            Some(id) => *id,
            None => self.open(holder),
        };
        let Some(account) = self.accounts.get_mut(id.0 as usize).and_then(Option::as_mut) else {
            return id;
        };
        self.ledger.hold(&account.charges);
        account.held += 1;
        if account.held == 1 {
            self.idle -= 1;
        }
        id
    }

    /// Charges one more to an account that is charged already.
    fn hold_more(&mut self, id: AccountId) {
        let Some(account) = self.accounts.get_mut(id.0 as usize).and_then(Option::as_mut) else {
            return;
        };
        debug_assert!(account.held > 0, "an account without allocations may be closed");
        self.ledger.hold(&account.charges);
        account.held += 1;
    }

    /// Releases one from an account.
    fn release(&mut self, id: AccountId) {
        let Some(account) = self.accounts.get_mut(id.0 as usize).and_then(Option::as_mut) else {
            return;
        };
        self.ledger.release(&account.charges);
        account.held -= 1;
        if account.held > 0 {
            return;
        }
        self.idle += 1;
        if self.per_holder.is_none() {
            self.close(id);
        }
    }

    /// Charges `bytes` of relayed data to a holder. Returns false if that exceeds a bandwidth
    /// limit.
    #[inline]
    fn admit(&mut self, now: Instant, id: AccountId, bytes: usize) -> bool {
        if self.per_holder.is_none() && self.total.is_none() {
            return true;
        }
        self.charge(now, id, bytes)
    }

    fn charge(&mut self, now: Instant, id: AccountId, bytes: usize) -> bool {
        let now = nanos(now.saturating_duration_since(self.start));
        let cost = |rate: Option<u64>| {
            rate.map_or(0, |rate| (bytes as u64).saturating_mul(1_000_000_000) / rate)
        };
        let (own, all) = (cost(self.per_holder), cost(self.total));
        let account = self.accounts.get_mut(id.0 as usize).and_then(Option::as_mut);
        let Some(account) = account else { return false };
        if !account.credit.covers(account.charges.relayed(), now, own)
            || !self.credit.covers(self.ledger.total().relayed(), now, all)
        {
            return false;
        }
        account.credit.spend(own);
        self.credit.spend(all);
        true
    }

    /// Closes idle accounts whose buckets are empty, or all idle accounts if there are too many.
    fn sweep(&mut self, now: Instant) {
        if self.idle <= MAX_IDLE_ACCOUNTS {
            return;
        }
        let now = nanos(now.saturating_duration_since(self.start));
        for only_empty in [true, false] {
            let idle = |account: &Account| {
                account.held == 0 && (!only_empty || account.charges.relayed().is_empty(now))
            };
            let ids: Vec<_> = (0..)
                .zip(&self.accounts)
                .filter_map(|(id, found)| found.as_ref().is_some_and(idle).then_some(id))
                .collect();
            for id in ids {
                self.close(AccountId(id));
            }
            if self.idle <= MAX_IDLE_ACCOUNTS / 2 {
                return;
            }
        }
    }

    fn open(&mut self, holder: &str) -> AccountId {
        let account = Account {
            holder: holder.into(),
            held: 0,
            charges: self.ledger.open(holder),
            credit: Credit::default(),
        };
        let index = self.free.pop().unwrap_or_else(|| {
            self.accounts.push(None);
            u32::try_from(self.accounts.len() - 1).unwrap_or(u32::MAX)
        });
        let id = AccountId(index);
        if let Some(slot) = self.accounts.get_mut(index as usize) {
            *slot = Some(account);
            self.by_holder.insert(holder.into(), id);
            self.idle += 1;
        }
        id
    }

    fn close(&mut self, id: AccountId) {
        let Some(slot) = self.accounts.get_mut(id.0 as usize) else { return };
        let Some(account) = slot.take() else { return };
        self.by_holder.remove(&account.holder);
        self.ledger.close(&account.holder, account.charges);
        self.free.push(id.0);
        self.idle -= 1;
    }

    fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(id.0 as usize)?.as_ref()
    }
}

fn nanos(since: Duration) -> u64 {
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alone() -> Arc<Ledger> {
        Arc::default()
    }

    #[allow(clippy::disallowed_methods)]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn account_closes_with_its_last_allocation() {
        let mut accounts = AccountTable::new(start(), &alone(), None, None);
        for round in 0..1000 {
            let user = format!("user {}", round % 7);
            let (first, second) = (accounts.hold(&user), accounts.hold(&user));
            assert_eq!((first, accounts.held(&user)), (second, 2));
            accounts.release(first);
            accounts.release(second);
            assert_eq!(accounts.held(&user), 0);
        }
        assert_eq!((accounts.by_holder.len(), accounts.accounts.len(), accounts.idle), (0, 1, 0));
    }

    #[test]
    fn user_bandwidth_allows_a_burst_then_the_rate() {
        let start = start();
        let mut accounts = AccountTable::new(start, &alone(), Some(1000), Some(5000));
        let id = accounts.hold("ann");
        let sent = |accounts: &mut AccountTable, now| {
            (0..100).filter(|_| accounts.admit(now, id, 100)).count()
        };
        assert_eq!(sent(&mut accounts, start), 10);
        let later = start + Duration::from_millis(500);
        assert_eq!(sent(&mut accounts, later), 5);
        // Reopening the account does not refill its allowance.
        accounts.release(id);
        let id = accounts.hold("ann");
        assert!(!accounts.admit(later, id, 100));
    }

    #[test]
    fn user_bandwidth_is_shared_by_siblings() {
        let start = start();
        let family = Sibling::family(&(1000..=2000), 2);
        let of =
            |sibling: &Sibling| AccountTable::new(start, sibling.users(), Some(1000), Some(1500));
        let [mut one, mut other] = [0, 1].map(|index| of(&family[index]));
        let (here, there) = (one.hold("ann"), other.hold("ann"));
        let mut sent = |now| {
            let both = (0..100).map(|_| [one.admit(now, here, 100), other.admit(now, there, 100)]);
            both.flatten().filter(|sent| *sent).count()
        };
        assert_eq!(sent(start), 10);
        assert_eq!(sent(start + Duration::from_secs(1)), 10);
        // Another user is held to the total, too.
        let bob = other.hold("bob");
        let later = start + Duration::from_secs(1);
        let left = (0..100).filter(|_| other.admit(later, bob, 100)).count();
        assert_eq!(left, 5);
    }

    /// However many there are: a count belongs to one holder alone.
    #[test]
    fn siblings_count_each_holder_apart() {
        let family = Sibling::family(&(1000..=2000), 2);
        let of = |sibling: &Sibling| AccountTable::new(start(), sibling.users(), None, None);
        let [mut one, mut other] = [0, 1].map(|index| of(&family[index]));
        let names: Vec<_> = (0..5000).map(|user| user.to_string()).collect();
        let held: Vec<_> =
            names.iter().map(|name| (one.hold(name), other.hold(name), other.hold(name))).collect();
        for table in [&one, &other] {
            assert!(names.iter().all(|name| table.held(name) == 3));
        }
        for (here, there, more) in held {
            one.release(here);
            other.release(there);
            other.release(more);
        }
        assert!(names.iter().all(|name| one.held(name) == 0));
        assert_eq!((one.ledger.total().held(), one.ledger.len()), (0, 0));
    }

    #[test]
    fn total_bandwidth_is_shared_by_users() {
        let start = start();
        let mut accounts = AccountTable::new(start, &alone(), Some(1000), Some(1500));
        let (ann, bob) = (accounts.hold("ann"), accounts.hold("bob"));
        let sent = [ann, bob].map(|id| (0..100).filter(|_| accounts.admit(start, id, 100)).count());
        assert_eq!(sent, [10, 5]);
    }

    #[test]
    fn idle_accounts_are_closed() {
        let start = start();
        let mut accounts = AccountTable::new(start, &alone(), Some(1), None);
        for user in 0..10_000 {
            let id = accounts.hold(&user.to_string());
            assert!(accounts.admit(start, id, 1));
            accounts.release(id);
            accounts.sweep(start);
        }
        assert!(accounts.accounts.len() <= MAX_IDLE_ACCOUNTS + 2);
        assert!(accounts.ledger.len() <= MAX_IDLE_ACCOUNTS + 2);
    }
}
