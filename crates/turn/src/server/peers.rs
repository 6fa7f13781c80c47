//! Permissions and channels of an allocation (RFC 8656 §9, §12).

use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use foldhash::HashMap;

use super::{
    config::Limits,
    frozen::{FrozenChannel, FrozenPermission, TimeLeft},
};
use crate::{channel::ChannelNumber, stun::attribute::Family};

/// Fixed by RFC 8656 §9.
const PERMISSION_LIFETIME: Duration = Duration::from_secs(300);
/// RFC 8656 §12.
const CHANNEL_LIFETIME: Duration = Duration::from_secs(600);

/// The permissions and channels of an allocation.
///
/// Each channel holds a copy of its peer's permission, so relaying over it takes one lookup.
#[derive(Default)]
pub(crate) struct Peers {
    permissions: HashMap<IpAddr, Permission>,
    channels: Vec<Channel>,
    by_number: HashMap<ChannelNumber, usize>,
    by_peer: HashMap<SocketAddr, usize>,
}

/// Permission to exchange data with an address.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Permission {
    expires: Instant,
    /// The address is this machine's: only our own relayed addresses on it are peers.
    pub(crate) own_relays: bool,
}

impl Permission {
    pub(crate) fn is_live(&self, now: Instant) -> bool {
        self.expires > now
    }
}

/// A channel number bound to a peer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Channel {
    pub(crate) number: ChannelNumber,
    pub(crate) peer: SocketAddr,
    expires: Instant,
    pub(crate) permission: Permission,
}

/// A permission or a channel could not be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BindChannelError {
    /// The number is bound to another peer, or the peer to another number.
    Conflict,
    /// The limit is reached.
    Full,
}

/// Limits of one allocation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PeerLimits {
    channels: usize,
    permissions: usize,
}

impl From<&Limits> for PeerLimits {
    fn from(limits: &Limits) -> Self {
        Self { channels: limits.channels, permissions: limits.permissions }
    }
}

impl Peers {
    /// Installs or refreshes the permission of an address.
    pub(crate) fn permit(
        &mut self,
        now: Instant,
        ip: IpAddr,
        own_relays: bool,
        limit: usize,
    ) -> Result<Permission, BindChannelError> {
        if !self.permissions.contains_key(&ip) && self.permissions.len() >= limit {
            self.permissions.retain(|_, permission| permission.is_live(now));
            if self.permissions.len() >= limit {
                return Err(BindChannelError::Full);
            }
        }
        let permission = Permission { expires: now + PERMISSION_LIFETIME, own_relays };
        self.permissions.insert(ip, permission);
        for channel in self.channels.iter_mut().filter(|channel| channel.peer.ip() == ip) {
            channel.permission = permission;
        }
        Ok(permission)
    }

    /// Returns whether all of `ips`, which are distinct, can be permitted.
    pub(crate) fn has_room_for<'i>(
        &mut self,
        now: Instant,
        ips: impl Iterator<Item = &'i IpAddr> + Clone,
        limit: usize,
    ) -> bool {
        let permissions = &mut self.permissions;
        let new = ips.clone().filter(|ip| !permissions.contains_key(*ip)).count();
        if permissions.len() + new <= limit {
            return true;
        }
        permissions.retain(|_, permission| permission.is_live(now));
        let new = ips.filter(|ip| !permissions.contains_key(*ip)).count();
        permissions.len() + new <= limit
    }

    /// Binds or refreshes a channel, which also permits its peer (RFC 8656 §12).
    pub(crate) fn bind(
        &mut self,
        now: Instant,
        number: ChannelNumber,
        peer: SocketAddr,
        own_relays: bool,
        limits: PeerLimits,
    ) -> Result<(), BindChannelError> {
        let PeerLimits { channels, permissions } = limits;
        if self.may_be_blocked(number, peer, channels) {
            self.keep_channels(|channel| channel.expires > now);
        }
        if self.by_number.get(&number) != self.by_peer.get(&peer) {
            return Err(BindChannelError::Conflict);
        }
        if !self.by_number.contains_key(&number) && self.channels.len() >= channels {
            return Err(BindChannelError::Full);
        }
        let permission = self.permit(now, peer.ip(), own_relays, permissions)?;
        let channel = Channel { number, peer, expires: now + CHANNEL_LIFETIME, permission };
        match self.by_number.get(&number).and_then(|at| self.channels.get_mut(*at)) {
            Some(bound) => *bound = channel,
            None => self.add(channel),
        }
        Ok(())
    }

    /// The live permissions and channels, for the next process.
    pub(crate) fn freeze(&self, now: Instant) -> (Vec<FrozenPermission>, Vec<FrozenChannel>) {
        let permissions = self.permissions.iter().filter_map(|(ip, permission)| {
            let left = TimeLeft::until(permission.expires, now)?;
            Some(FrozenPermission { peer: *ip, left, own_relays: permission.own_relays })
        });
        let channels = self.channels.iter().filter_map(|channel| {
            let left = TimeLeft::until(channel.expires, now)?;
            Some(FrozenChannel { number: channel.number.value(), peer: channel.peer, left })
        });
        (permissions.collect(), channels.collect())
    }

    /// Those of an earlier process that are still live, `elapsed` after they were frozen.
    pub(crate) fn thaw(
        now: Instant,
        elapsed: Duration,
        permissions: &[FrozenPermission],
        channels: &[FrozenChannel],
        limits: PeerLimits,
    ) -> Self {
        let mut peers = Self::default();
        let live = permissions.iter().filter_map(|frozen| {
            let expires = frozen.left.thaw(now, elapsed, PERMISSION_LIFETIME)?;
            Some((frozen.peer, Permission { expires, own_relays: frozen.own_relays }))
        });
        peers.permissions.extend(live.take(limits.permissions));
        for frozen in channels.iter().take(limits.channels) {
            let expires = frozen.left.thaw(now, elapsed, CHANNEL_LIFETIME);
            let (Some(expires), Some(number)) = (expires, ChannelNumber::new(frozen.number)) else {
                continue;
            };
            let peer = frozen.peer;
            let is_free =
                !peers.by_number.contains_key(&number) && !peers.by_peer.contains_key(&peer);
            let expired = Permission { expires: now, own_relays: false };
            let permission = peers.permissions.get(&peer.ip()).copied().unwrap_or(expired);
            if is_free {
                peers.add(Channel { number, peer, expires, permission });
            }
        }
        peers
    }

    /// Removes the permissions and channels of all peers of a family.
    pub(crate) fn forget(&mut self, family: Family) {
        self.permissions.retain(|ip, _| Family::of(*ip) != family);
        self.keep_channels(|channel| Family::of(channel.peer.ip()) != family);
    }

    /// Returns whether other channels, perhaps expired ones, prevent a binding.
    fn may_be_blocked(&self, number: ChannelNumber, peer: SocketAddr, limit: usize) -> bool {
        self.by_number.get(&number) != self.by_peer.get(&peer) || self.channels.len() >= limit
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

    /// The live channel with this number. Its permission may have expired.
    pub(crate) fn channel(&self, now: Instant, number: ChannelNumber) -> Option<&Channel> {
        let channel = self.channels.get(*self.by_number.get(&number)?)?;
        (channel.expires > now).then_some(channel)
    }

    /// The live channel to a peer.
    pub(crate) fn channel_to(&self, now: Instant, peer: &SocketAddr) -> Option<&Channel> {
        let channel = self.channels.get(*self.by_peer.get(peer)?)?;
        (channel.expires > now).then_some(channel)
    }

    /// The live permission of an address.
    pub(crate) fn permission(&self, now: Instant, ip: &IpAddr) -> Option<&Permission> {
        self.permissions.get(ip).filter(|permission| permission.is_live(now))
    }
}
