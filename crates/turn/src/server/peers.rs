//! An allocation's permissions and channels (RFC 8656 §9, §12).

use crate::channel::ChannelNumber;
use crate::stun::attribute::Family;
use foldhash::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// RFC 8656 §9: 300 seconds, not for anybody to change.
const PERMISSION: Duration = Duration::from_secs(300);
/// RFC 8656 §12: 10 minutes.
const CHANNEL: Duration = Duration::from_secs(600);

/// Whom a client permitted, and the numbers it gave them.
///
/// A channel knows until when its peer is permitted, so relaying over it takes one look-up.
#[derive(Default)]
pub(crate) struct Peers {
    permissions: HashMap<IpAddr, Permission>,
    channels: Vec<Channel>,
    by_number: HashMap<ChannelNumber, usize>,
    by_peer: HashMap<SocketAddr, usize>,
}

/// Data may go to and come from an address.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Permission {
    expires: Instant,
    /// The address is this machine's: only our own relayed addresses there are peers.
    pub(crate) own_relays: bool,
}

impl Permission {
    pub(crate) fn holds(&self, now: Instant) -> bool {
        self.expires > now
    }
}

/// A number that stands for a peer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Channel {
    pub(crate) number: ChannelNumber,
    pub(crate) peer: SocketAddr,
    expires: Instant,
    pub(crate) permission: Permission,
}

/// Why a permission or a channel can't be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotBound {
    /// The number is another peer's, or the peer has another number.
    Taken,
    /// As many as there may be.
    Full,
}

impl Peers {
    /// Permits an address from now on.
    pub(crate) fn permit(
        &mut self,
        now: Instant,
        ip: IpAddr,
        own_relays: bool,
        most: usize,
    ) -> Result<Permission, NotBound> {
        if !self.permissions.contains_key(&ip) && self.permissions.len() >= most {
            self.permissions.retain(|_, permission| permission.holds(now));
            if self.permissions.len() >= most {
                return Err(NotBound::Full);
            }
        }
        let permission = Permission { expires: now + PERMISSION, own_relays };
        self.permissions.insert(ip, permission);
        for channel in self.channels.iter_mut().filter(|channel| channel.peer.ip() == ip) {
            channel.permission = permission;
        }
        Ok(permission)
    }

    /// Whether there is room to permit all of `ips` (each named once).
    pub(crate) fn room_for<'i>(
        &mut self,
        now: Instant,
        ips: impl Iterator<Item = &'i IpAddr> + Clone,
        most: usize,
    ) -> bool {
        let permissions = &mut self.permissions;
        let new = ips.clone().filter(|ip| !permissions.contains_key(*ip)).count();
        if permissions.len() + new <= most {
            return true;
        }
        permissions.retain(|_, permission| permission.holds(now));
        let new = ips.filter(|ip| !permissions.contains_key(*ip)).count();
        permissions.len() + new <= most
    }

    /// Binds a channel, new or again. Binding a channel permits its peer too (RFC 8656 §12).
    pub(crate) fn bind(
        &mut self,
        now: Instant,
        number: ChannelNumber,
        peer: SocketAddr,
        own_relays: bool,
        most: (usize, usize),
    ) -> Result<(), NotBound> {
        let (channels, permissions) = most;
        if self.in_the_way(number, peer, channels) {
            self.keep_channels(|channel| channel.expires > now);
        }
        if self.by_number.get(&number) != self.by_peer.get(&peer) {
            return Err(NotBound::Taken);
        }
        if !self.by_number.contains_key(&number) && self.channels.len() >= channels {
            return Err(NotBound::Full);
        }
        let permission = self.permit(now, peer.ip(), own_relays, permissions)?;
        let channel = Channel { number, peer, expires: now + CHANNEL, permission };
        match self.by_number.get(&number).and_then(|at| self.channels.get_mut(*at)) {
            Some(bound) => *bound = channel,
            None => self.add(channel),
        }
        Ok(())
    }

    /// Permits no peer of a family any longer.
    pub(crate) fn forget(&mut self, family: Family) {
        self.permissions.retain(|ip, _| Family::of(*ip) != family);
        self.keep_channels(|channel| Family::of(channel.peer.ip()) != family);
    }

    fn in_the_way(&self, number: ChannelNumber, peer: SocketAddr, most: usize) -> bool {
        self.by_number.get(&number) != self.by_peer.get(&peer) || self.channels.len() >= most
    }

    fn keep_channels(&mut self, keep: impl Fn(&Channel) -> bool) {
        self.by_number.clear();
        self.by_peer.clear();
        for channel in std::mem::take(&mut self.channels) {
            if keep(&channel) {
                self.add(channel);
            }
        }
    }

    fn add(&mut self, channel: Channel) {
        self.by_number.insert(channel.number, self.channels.len());
        self.by_peer.insert(channel.peer, self.channels.len());
        self.channels.push(channel);
    }

    /// The live channel of a number. Whether its peer is permitted, it says itself.
    pub(crate) fn channel(&self, now: Instant, number: ChannelNumber) -> Option<&Channel> {
        let channel = self.channels.get(*self.by_number.get(&number)?)?;
        (channel.expires > now).then_some(channel)
    }

    /// A peer's live channel.
    pub(crate) fn channel_to(&self, now: Instant, peer: &SocketAddr) -> Option<&Channel> {
        let channel = self.channels.get(*self.by_peer.get(peer)?)?;
        (channel.expires > now).then_some(channel)
    }

    /// An address's live permission.
    pub(crate) fn permission(&self, now: Instant, ip: &IpAddr) -> Option<&Permission> {
        self.permissions.get(ip).filter(|permission| permission.holds(now))
    }
}
