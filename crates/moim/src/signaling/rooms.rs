//! Opening of rooms and delivery of joins.

use std::{pin::Pin, sync::Arc, time::Duration};

use room::{
    Address, Creator, HostRule, Join, MAX_METADATA_BYTES, Reopening, Request, Room, Settings,
    dialect::{Dialect, by_name},
    name::RoomName,
    password::Password,
    protocol::{CreateRoom, ErrorBody, ErrorCode, Policy, RoomSummary, TopologyChoice},
    rights::Role,
};
use tokio::time::Instant;

use super::{
    client::Client,
    counters::RateLimited,
    directory::{OpenRoomError, RoomKey},
    emits,
    hub::{Hub, NewTask, native_name, seed},
    keeping::{Keeping, restored},
    parse::invalid,
    refusal_log,
    room_defaults::RoomDefaults,
    room_message::{Permission, RoomMessage, RoomReceiver, RoomSender},
};
use crate::{
    access::PolicyError, cluster::Place, config::RoomTemplate, net::client_prefix::ClientPrefix,
};

/// A room to be created.
pub(super) struct Creation {
    pub(super) name: RoomName,
    pub(super) capacity: Option<u32>,
    pub(super) password: Option<Password>,
    pub(super) topology: Option<TopologyChoice>,
    pub(super) policy: Option<Policy>,
    /// Name of a template, for what is absent.
    pub(super) template: Option<String>,
    /// It is in the public list; so it is if absent.
    pub(super) listed: Option<bool>,
    /// The first host; `None`: whoever joins first, where everybody may create rooms.
    pub(super) creator: Option<Creator>,
    /// Text of the application that embeds the room.
    pub(super) metadata: String,
    /// Time for which it stays open while empty; the server's default if absent.
    pub(super) stays_empty: Option<Duration>,
    /// Whose limits apply.
    pub(super) opener: ClientPrefix,
}

impl Creation {
    /// The room that a client asks for.
    pub(super) fn of(create: CreateRoom, client: &Client) -> Self {
        let creator = Creator { connection: client.connection, device: create.device };
        Self {
            name: create.name,
            capacity: create.capacity,
            password: create.password,
            topology: create.topology,
            policy: create.policy,
            template: create.template,
            listed: create.listed,
            creator: Some(creator),
            metadata: String::new(),
            stays_empty: None,
            opener: client.prefix,
        }
    }
}

/// A room that is about to be opened.
enum Claimed {
    /// It is open by now.
    Open,
    /// The server belongs to no cluster.
    Alone,
    /// This node owns it, and its events begin after this number.
    New(Box<Keeping>, u64),
}

/// What a room begins with.
struct Opening {
    settings: Settings,
    /// Devices and chat that were kept over a restart.
    kept: Option<Reopening>,
    /// Log of a room in a cluster, and the number after which its events begin.
    keeping: Option<(Box<Keeping>, u64)>,
}

impl From<Settings> for Opening {
    fn from(settings: Settings) -> Self {
        Self { settings, kept: None, keeping: None }
    }
}

impl Hub {
    /// Creates a room, which stays open for a while even if empty.
    pub(super) async fn create(
        self: &Arc<Self>,
        create: Creation,
    ) -> Result<RoomSummary, ErrorBody> {
        if self.config.drain.has_begun() {
            return Err(draining());
        }
        let RoomDefaults { capacity, max_capacity, .. } = **self.defaults.load();
        let max = max_capacity.max(capacity);
        let template = self.template(create.template.as_deref())?;
        let capacity = create.capacity.or(template.capacity).unwrap_or(capacity);
        if !(1..=max).contains(&capacity) {
            return Err(invalid(format!("capacity: must be between 1 and {max}")));
        }
        let topology = self.topology(create.topology.or(template.topology))?;
        let policy = create.policy.unwrap_or_else(|| template.policy.applied_to(Policy::default()));
        if policy.newcomers > Role::Speaker {
            return Err(invalid("policy: newcomers are viewers or speakers"));
        }
        if create.policy.is_some() && self.config.hosts.is_none() {
            return Err(invalid("policy: rooms of this server have no hosts"));
        }
        if create.metadata.len() > MAX_METADATA_BYTES {
            let text = format!("metadata: has more than {MAX_METADATA_BYTES} bytes");
            return Err(invalid(text));
        }
        let settings = Settings {
            password: create.password.filter(|password| !password.is_empty()),
            topology,
            stays_empty: create.stays_empty.unwrap_or(self.config.created_stays),
            hosts: self.host_rule(&template),
            policy,
            creator: create.creator,
            first_is_host: self.config.access.is_first_host(),
            max_capacity: max,
            listed: create.listed.or(template.listed).unwrap_or(true),
            metadata: create.metadata,
            ..Settings::new(capacity)
        };
        let summary = RoomSummary {
            name: create.name.clone(),
            participants: 0,
            capacity,
            locked: settings.password.is_some(),
            dialect: None,
            unlisted: !settings.listed,
        };
        let exists = || {
            let message = "a room with this name is already open";
            Err(ErrorBody::new(ErrorCode::RoomExists, message))
        };
        if self.kept.holds(&create.name) {
            return exists();
        }
        let address = Address::native(&create.name);
        let keeping = match self.claim(&address).await? {
            Claimed::Open => return exists(),
            Claimed::Alone => None,
            Claimed::New(keeping, first) => Some((keeping, first)),
        };
        let opening = Opening { settings, kept: None, keeping };
        match self.open(address, opening, create.opener, None) {
            Ok(_) => Ok(summary),
            Err(OpenRoomError::Exists(_)) => exists(),
            Err(OpenRoomError::Full(_)) => Err(server_full()),
            Err(OpenRoomError::Share(_)) => Err(self.share_exceeded()),
            Err(OpenRoomError::RateLimited(_)) => Err(self.too_many_creations()),
        }
    }

    /// Claims a room that is about to be opened, in a cluster. One that another node had is opened at
    /// once, as it was.
    async fn claim(self: &Arc<Self>, address: &Address) -> Result<Claimed, ErrorBody> {
        let Some((cluster, name)) = self.config.cluster.as_ref().zip(native_name(address)) else {
            return Ok(Claimed::Alone);
        };
        let key = cluster.key_of(name.as_str());
        loop {
            if let Some((claim, held)) = cluster.take_claim(key) {
                let room = restored(&claim.log);
                let first = claim.first.to_wire();
                let keeping = Box::new(Keeping::new(Arc::clone(cluster), claim, held));
                let Some(room) = room else { return Ok(Claimed::New(keeping, first)) };
                if !self.reopen(room, Some(keeping), first) {
                    tracing::warn!("a room was not restored: its address is in use");
                }
                cluster.note_opened();
                return Ok(Claimed::Open);
            }
            match cluster.place(key).await {
                // It is open here, or closes.
                Ok(Place::Here) if self.directory.find(address).is_some() => {
                    return Ok(Claimed::Open);
                }
                Ok(Place::Here) => {
                    cluster.until_open(key, || self.directory.find(address).is_some()).await;
                }
                Ok(Place::There(..)) | Err(_) => return Err(elsewhere()),
            }
        }
    }

    /// Delivers a join or resume; a join opens the room if needed. An error returns the message.
    pub(super) async fn enter(
        self: &Arc<Self>,
        address: &Address,
        mut message: Box<RoomMessage>,
    ) -> Result<RoomSender, (ErrorBody, Box<RoomMessage>)> {
        loop {
            if let Some(room) = self.directory.find(address) {
                if let Err(error) = self.check_kept_password(address, &mut message).await {
                    return Err((error, message));
                }
                match room.send(message).await {
                    Ok(()) => return Ok(room),
                    // The room closed in the meantime: retry.
                    Err(unsent) => message = unsent.0,
                }
                continue;
            }
            if self.config.drain.has_begun() && !is_resume(&message) {
                return Err((draining(), message));
            }
            let keeping = match self.claim(address).await {
                Ok(Claimed::Open) => continue,
                Ok(Claimed::Alone) => None,
                Ok(Claimed::New(keeping, first)) => Some((keeping, first)),
                Err(error) => return Err((error, message)),
            };
            let (opening, opener) = match self.opening(address, &message).await {
                Ok(opening) => opening,
                Err(error) => return Err((error, message)),
            };
            let opening = Opening { keeping, ..opening };
            message = match self.open(address.clone(), opening, opener, message) {
                Ok(room) => return Ok(room),
                Err(OpenRoomError::Full(message)) => return Err((server_full(), message)),
                Err(OpenRoomError::Share(message)) => return Err((self.share_exceeded(), message)),
                Err(OpenRoomError::RateLimited(message)) => {
                    return Err((self.too_many_creations(), message));
                }
                Err(OpenRoomError::Exists(message)) => message,
            };
        }
    }

    /// Checks the password of a join to an open room of whose password only the hash is known.
    async fn check_kept_password(
        &self,
        address: &Address,
        message: &mut RoomMessage,
    ) -> Result<(), ErrorBody> {
        let RoomMessage::Enter { request: Request::Join(join), .. } = message else {
            return Ok(());
        };
        if let (Some(given), Some(name)) = (&join.password, native_name(address)) {
            join.is_password_right = self.kept.is_right(&name, given).await?;
        }
        Ok(())
    }

    /// [`enter`](Self::enter) for a message that reached a room after it closed.
    pub(super) fn enter_again(
        self: Arc<Self>,
        address: Address,
        message: Box<RoomMessage>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            if let Err((error, message)) = self.enter(&address, message).await {
                self.reject_entry(&address, error, *message);
            }
        })
    }

    /// Rejects a join or resume.
    pub(super) fn reject_entry(&self, address: &Address, error: ErrorBody, message: RoomMessage) {
        if let RoomMessage::Enter { guard, ack, guess, request, .. } = message {
            let who = match &request {
                Request::Join(join) => Some(join.name.as_str()),
                _ => None,
            };
            refusal_log::log(error.code, address.name(), who, guard.0.prefix);
            emits::send_rejection(&self.room_lists, address, &guard.0);
            if let Some(guess) = guess
                && matches!(error.code, ErrorCode::WrongPassword | ErrorCode::InvalidInvitation)
            {
                // The kept room was not opened.
                guess.was_wrong();
            }
            self.rejections.reject(ack, error);
        }
    }

    fn open<M: Into<Option<Box<RoomMessage>>>>(
        self: &Arc<Self>,
        address: Address,
        opening: Opening,
        opener: ClientPrefix,
        first: M,
    ) -> Result<RoomSender, OpenRoomError<M>> {
        let now = Instant::now();
        if !opener.is_loopback() && !self.creations.take(opener, now) {
            return Err(OpenRoomError::RateLimited(first));
        }
        let start = |key: RoomKey, receiver: RoomReceiver| {
            let Opening { settings, kept, keeping } = opening;
            if let Some(name) = native_name(&key.address) {
                self.kept.opens(&name);
            }
            let limits = match settings.dialect {
                None => self.config.room_limits(),
                Some(_) => room::Limits::FORGETFUL,
            };
            let name = RoomName::sanitize(key.address.name());
            let now = Instant::now().into_std();
            let mut room = match kept {
                None => Room::new(now, name, settings, limits, seed()),
                Some(kept) => Room::reopen(now, name, settings, kept, limits, seed()),
            };
            let (keeping, first_number) = keeping.unzip();
            room.begin_numbers(first_number.unwrap_or_default());
            let (visits, call, links) = (None, None, None);
            let task = NewTask { key, room, visits, call, links, keeping, receiver };
            (self.spawn_room)(Arc::clone(self), task);
        };
        let opened = self.directory.open(address, opener, first, start);
        if let Some(cluster) = &self.config.cluster {
            cluster.note_opened();
        }
        if opened.is_err() && !opener.is_loopback() {
            self.creations.put_back(opener, now);
        }
        opened
    }

    fn share_exceeded(&self) -> ErrorBody {
        self.counters.rate_limited(RateLimited::Rooms);
        let message = "your network has too many open rooms; try again after one has closed";
        ErrorBody::new(ErrorCode::RateLimited, message)
    }

    fn too_many_creations(&self) -> ErrorBody {
        self.counters.rate_limited(RateLimited::Creations);
        let message = "too many rooms created from this address; try again later";
        ErrorBody::new(ErrorCode::RateLimited, message)
    }

    /// Topology of a room for the requested one.
    fn topology(&self, requested: Option<TopologyChoice>) -> Result<TopologyChoice, ErrorBody> {
        match (requested, self.config.media.is_some()) {
            (Some(TopologyChoice::Sfu), false) => {
                Err(invalid("topology: this server has no media server"))
            }
            (_, false) => Ok(TopologyChoice::Mesh),
            (requested, true) => Ok(requested.unwrap_or(self.defaults.load().topology)),
        }
    }

    /// What a room that a join opens begins with, and its opener: what was kept over a restart, or
    /// the defaults.
    async fn opening(
        &self,
        address: &Address,
        message: &RoomMessage,
    ) -> Result<(Opening, ClientPrefix), ErrorBody> {
        let (mut default, opener, permission) = self
            .default_settings(address, message)
            .ok_or_else(|| ErrorBody::from(room::Rejection::ResumeExpired))?;
        let kept = match (native_name(address), join_of(message)) {
            (Some(name), Some(join)) => self.kept.reopen(&name, join).await?,
            _ => None,
        };
        let Some((kept, reopening)) = kept else {
            let Permission { template, is_host } = permission?;
            default.first_is_host |= is_host;
            let template = self.template(template.as_deref())?;
            // Invitations end with their room.
            if join_of(message).is_some_and(|join| join.invitation.is_some() && join.pass.is_none())
            {
                return Err(room::Rejection::InvalidInvitation.into());
            }
            return Ok((self.with_template(default, &template)?.into(), opener));
        };
        let Settings { max_capacity, first_is_host, .. } = default;
        let hosts = default.hosts.map(|rule| kept.hosts.unwrap_or(rule));
        let settings = Settings { hosts, max_capacity, first_is_host, ..kept };
        Ok((Opening { settings, kept: Some(reopening), keeping: None }, opener))
    }

    /// The settings of a template's room that a join opens.
    fn with_template(
        &self,
        default: Settings,
        template: &RoomTemplate,
    ) -> Result<Settings, ErrorBody> {
        Ok(Settings {
            capacity: template.capacity.unwrap_or(default.capacity).min(default.max_capacity),
            topology: match template.topology {
                Some(topology) => self.topology(Some(topology))?,
                None => default.topology,
            },
            policy: template.policy.applied_to(default.policy),
            hosts: default.hosts.map(|rule| template.when_hosts_leave.unwrap_or(rule)),
            listed: template.listed.unwrap_or(default.listed),
            ..default
        })
    }

    /// A template by name, or one without settings.
    fn template(&self, name: Option<&str>) -> Result<RoomTemplate, ErrorBody> {
        let Some(name) = name else { return Ok(RoomTemplate::default()) };
        let unknown = || invalid("template: this server has none of this name");
        self.config.access.template(name).ok_or_else(unknown)
    }

    /// Consequence of the last host leaving a room, if rooms have hosts.
    fn host_rule(&self, template: &RoomTemplate) -> Option<HostRule> {
        let configured =
            template.when_hosts_leave.or_else(|| self.config.access.when_hosts_leave());
        self.config.hosts.map(|default| configured.unwrap_or(default))
    }

    /// Default settings and opener of a room created by a join. It is locked if the first member
    /// gave a password, which the others are expected to need. `None` for a resume, which can't
    /// create a room.
    fn default_settings(
        &self,
        address: &Address,
        message: &RoomMessage,
    ) -> Option<(Settings, ClientPrefix, Result<Permission, PolicyError>)> {
        let RoomMessage::Enter { request: Request::Join(join), guard, opening, .. } = message
        else {
            return None;
        };
        let dialect = address.dialect().and_then(by_name);
        let defaults = **self.defaults.load();
        let max = defaults.max_capacity;
        let capacity = dialect.map(|dialect| dialect.capacity().unwrap_or(max));
        let settings = Settings {
            password: join.password.clone().filter(|password| !password.is_empty()),
            topology: match dialect {
                // Dialect clients support a mesh only.
                Some(_) => TopologyChoice::Mesh,
                None => self.topology(None).unwrap_or(TopologyChoice::Mesh),
            },
            dialect: dialect.map(Dialect::name),
            hosts: self.host_rule(&RoomTemplate::default()).filter(|_| dialect.is_none()),
            first_is_host: self.config.access.is_first_host(),
            max_capacity: max.max(defaults.capacity),
            listed: join.listed,
            ..Settings::new(capacity.unwrap_or(defaults.capacity))
        };
        Some((settings, guard.0.prefix, opening.clone()))
    }
}

fn join_of(message: &RoomMessage) -> Option<&Join> {
    match message {
        RoomMessage::Enter { request: Request::Join(join), .. } => Some(&**join),
        _ => None,
    }
}

fn is_resume(message: &RoomMessage) -> bool {
    matches!(message, RoomMessage::Enter { request: Request::Resume(_), .. })
}

fn draining() -> ErrorBody {
    let message = "the server is about to restart and opens no rooms; try again in a few minutes";
    ErrorBody::new(ErrorCode::ServerDraining, message)
}

fn elsewhere() -> ErrorBody {
    let message = "another server of the cluster has this room, or it can't be reached; try again";
    ErrorBody::new(ErrorCode::ServerFull, message)
}

fn server_full() -> ErrorBody {
    ErrorBody::new(ErrorCode::ServerFull, "the server is at its limit of rooms")
}
