//! Rights of the participants of a room.
//!
//! A room with hosts gives each participant a [`Role`]; its [`Rights`] follow from the role and the
//! room's [`Policy`]. In a room without hosts everybody has [`Rights::OPEN`].

mod media;
mod role;
mod sources;

pub use media::MediaRights;
pub use role::Role;
pub use sources::Sources;

use serde::{Deserialize, Serialize};

use crate::protocol::{Allowed, Policy, TrackSource};

/// A thing that a participant may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Right {
    /// Send from the microphone.
    PublishMicrophone,
    /// Send from the camera.
    PublishCamera,
    /// Share a screen, with or without its audio.
    PublishScreen,
    /// Receive media.
    Subscribe,
    /// Send chat messages to all, and to hosts and co-hosts privately.
    Chat,
    /// Send descriptions and candidates.
    Signal,
    /// Admit from the waiting room, or deny.
    Admit,
    /// Mute others, ask them to unmute, and put participants in the spotlight.
    Mute,
    /// Remove others from the room.
    Remove,
    /// Lock the room and change its password, capacity and policy.
    Lock,
    /// Change roles.
    Roles,
    /// End the room for all.
    End,
    /// Show reactions.
    React,
    /// Send private messages to anybody. Needs the right to chat, too.
    PrivateChat,
    /// Open, close and remove polls.
    Poll,
    /// Offer and send files. Needs the right to chat, too.
    SendFiles,
}

impl Right {
    /// All rights.
    pub const ALL: [Self; 16] = [
        Self::PublishMicrophone,
        Self::PublishCamera,
        Self::PublishScreen,
        Self::Subscribe,
        Self::Chat,
        Self::Signal,
        Self::Admit,
        Self::Mute,
        Self::Remove,
        Self::Lock,
        Self::Roles,
        Self::End,
        Self::React,
        Self::PrivateChat,
        Self::Poll,
        Self::SendFiles,
    ];

    /// The right to publish a source.
    pub fn to_publish(source: TrackSource) -> Self {
        match source {
            TrackSource::Microphone => Self::PublishMicrophone,
            TrackSource::Camera => Self::PublishCamera,
            TrackSource::Screen | TrackSource::ScreenAudio => Self::PublishScreen,
        }
    }
}

/// A set of rights.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rights(u16);

impl Rights {
    /// No rights.
    pub const NONE: Self = Self(0);
    /// All rights.
    pub const ALL: Self = Self(u16::MAX >> (u16::BITS as usize - Right::ALL.len()));
    /// To receive, to be reached and to react: what nobody in a room lacks, but by its token.
    const MEMBER: Self = Self::NONE.with(Right::Subscribe).with(Right::Signal).with(Right::React);
    /// Rights of everybody in a room without hosts.
    pub const OPEN: Self = Self::SPEAKER.with(Right::Poll);
    const SPEAKER: Self = Self::MEMBER
        .with(Right::PublishMicrophone)
        .with(Right::PublishCamera)
        .with(Right::PublishScreen)
        .with(Right::Chat)
        .with(Right::PrivateChat)
        .with(Right::SendFiles);

    /// This set and one more right.
    #[must_use]
    pub const fn with(self, right: Right) -> Self {
        Self(self.0 | 1 << right as u8)
    }

    /// This set without one right.
    #[must_use]
    pub const fn without(self, right: Right) -> Self {
        Self(self.0 & !(1 << right as u8))
    }

    /// Returns whether the set has this right.
    pub const fn has(self, right: Right) -> bool {
        self.0 & 1 << right as u8 != 0
    }

    /// Rights of both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Rights of a role in a room with this policy.
    pub fn of(role: Role, policy: Policy) -> Self {
        let mut rights = match role {
            Role::Viewer => {
                Self::MEMBER.with(Right::Chat).with(Right::PrivateChat).with(Right::SendFiles)
            }
            Role::Speaker => Self::SPEAKER,
            Role::CoHost | Role::Host => Self::OPEN
                .with(Right::Admit)
                .with(Right::Mute)
                .with(Right::Remove)
                .with(Right::Lock),
        };
        if role == Role::Host {
            rights = rights.with(Right::Roles).with(Right::End);
        }
        if role < Role::CoHost {
            if policy.chat == Allowed::Hosts {
                rights = rights.without(Right::Chat);
            }
            if policy.private == Allowed::Hosts {
                rights = rights.without(Right::PrivateChat);
            }
            if policy.files == Allowed::Hosts || policy.chat == Allowed::Hosts {
                rights = rights.without(Right::SendFiles);
            }
            if policy.screen == Allowed::Hosts {
                rights = rights.without(Right::PublishScreen);
            }
        }
        rights
    }

    /// What may be sent and received.
    pub fn media(self) -> MediaRights {
        MediaRights { publish: self.sources(), subscribe: self.has(Right::Subscribe) }
    }

    /// Sources that may be published.
    pub fn sources(self) -> Sources {
        let may = |source: &TrackSource| self.has(Right::to_publish(*source));
        TrackSource::ALL.into_iter().filter(may).collect()
    }
}

impl std::fmt::Debug for Rights {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(Right::ALL.iter().filter(|right| self.has(**right))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: [Role; 4] = [Role::Viewer, Role::Speaker, Role::CoHost, Role::Host];

    #[test]
    fn each_role_has_all_rights_of_the_one_below() {
        for [below, above] in ROLES.array_windows() {
            let of = |role| Rights::of(role, Policy::default());
            assert!(below < above);
            assert!(
                Right::ALL.iter().all(|right| of(*above).has(*right) || !of(*below).has(*right))
            );
        }
        let host = Rights::of(Role::Host, Policy::default());
        assert!(Right::ALL.iter().all(|right| host.has(*right)));
        assert_eq!(host, Rights::ALL);
    }

    #[test]
    fn policy_binds_all_but_hosts() {
        let hosts = Allowed::Hosts;
        let policy = Policy {
            chat: hosts,
            screen: hosts,
            private: hosts,
            files: hosts,
            ..Policy::default()
        };
        for role in ROLES {
            let rights = Rights::of(role, policy);
            assert_eq!(rights.has(Right::Chat), role >= Role::CoHost, "{role:?}");
            assert_eq!(rights.has(Right::PrivateChat), role >= Role::CoHost, "{role:?}");
            assert_eq!(rights.has(Right::SendFiles), role >= Role::CoHost, "{role:?}");
            assert_eq!(rights.has(Right::PublishScreen), role >= Role::CoHost, "{role:?}");
            assert_eq!(rights.has(Right::PublishMicrophone), role >= Role::Speaker, "{role:?}");
        }
    }

    #[test]
    fn publishable_sources_follow_the_rights() {
        assert_eq!(Rights::OPEN.sources(), Sources::ALL);
        assert_eq!(Rights::of(Role::Viewer, Policy::default()).sources(), Sources::NONE);
        let muted = Rights::OPEN.without(Right::PublishScreen).sources();
        let expected = [TrackSource::Microphone, TrackSource::Camera].into_iter().collect();
        assert_eq!(muted, expected);
    }
}
