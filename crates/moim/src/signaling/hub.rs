//! What all sessions share: the rooms, the lobby, the limits.

use std::{pin::Pin, sync::Arc, time::Duration};

use room::{
    Address, Request, Room, Settings,
    dialect::{DIALECTS, Dialect, named},
    name::RoomName,
    protocol::{CreateRoom, ErrorBody, ErrorCode, RoomSummary, TopologyChoice},
};
use tokio::time::Instant;

use super::{
    answer::Refusals,
    config::Config,
    directory::{Directory, Inbox, Mail, Mailbox, NotOpened, RoomKey},
    guesses::Guesses,
    hall::HallDesk,
    kept_rooms::KeptRooms,
    lobby::LobbyDesk,
    parse::invalid,
    rate::{PerClient, Rate},
    room_task::RoomTask,
    seat::Sockets,
    translate,
};
use crate::{net::client_prefix::ClientPrefix, socket::app::HeldBytes};

/// Rooms opened by one address, whether created or joined.
const CREATIONS: Rate = Rate { burst: 100.0, per_second: 1.0 };
/// Offers to the media server from one address, behind which there may be a whole office.
const OFFERS: Rate = Rate { burst: 1000.0, per_second: 100.0 };
/// How many addresses are remembered for each of these.
const PARTIES: usize = 16_384;

/// The sessions' common ground. Its locks are held for a look-up and never across an await.
pub(super) struct Hub {
    pub(super) config: Config,
    pub(super) sockets: Sockets,
    /// Bytes that clients hold outside of the sockets' queues.
    pub(super) held: Arc<HeldBytes>,
    pub(super) directory: Directory,
    pub(super) kept: KeptRooms,
    pub(super) lobby: LobbyDesk,
    pub(super) halls: Vec<HallDesk>,
    pub(super) creations: PerClient,
    pub(super) offers: PerClient,
    pub(super) refusals: Refusals,
}

impl Hub {
    pub(super) fn new(config: Config) -> Self {
        Self {
            sockets: Sockets::new(),
            held: Arc::default(),
            directory: Directory::new(config.max_rooms, config.max_rooms_per_address),
            kept: KeptRooms::open(config.data.clone(), config.created_stays),
            lobby: LobbyDesk::new(config.lobby_rooms, config.lobby_pace),
            halls: DIALECTS.iter().copied().filter_map(HallDesk::of).collect(),
            creations: PerClient::new(CREATIONS, PARTIES),
            offers: PerClient::new(OFFERS, PARTIES),
            refusals: Refusals::default(),
            config,
        }
    }

    /// Makes a room as asked, which stays open for a while with nobody in it.
    pub(super) fn create(
        self: &Arc<Self>,
        create: CreateRoom,
        creator: ClientPrefix,
    ) -> Result<RoomSummary, ErrorBody> {
        let most = self.config.max_capacity.max(self.config.capacity);
        let capacity = create.capacity.unwrap_or(self.config.capacity);
        if !(1..=most).contains(&capacity) {
            return Err(invalid(format!("capacity: from 1 to {most}")));
        }
        let topology = self.topology(create.topology)?;
        let settings = Settings {
            capacity,
            password: create.password.filter(|password| !password.is_empty()),
            topology,
            stays_empty: self.config.created_stays,
            dialect: None,
        };
        let summary = RoomSummary {
            name: create.name.clone(),
            participants: 0,
            capacity,
            locked: settings.password.is_some(),
            dialect: None,
        };
        let exists = || {
            let message = "a room of that name is open already";
            Err(ErrorBody::new(ErrorCode::RoomExists, message))
        };
        if self.kept.holds(&create.name) {
            return exists();
        }
        match self.open(Address::native(&create.name), settings, creator, None) {
            Ok(_) => Ok(summary),
            Err(NotOpened::Exists(_)) => exists(),
            Err(NotOpened::Full(_)) => Err(server_full()),
            Err(NotOpened::Share(_)) => Err(share_exceeded()),
            Err(NotOpened::TooSoon(_)) => Err(too_many_creations()),
        }
    }

    /// Brings somebody's mail into a room, which a join opens if there is none. A refusal gives
    /// the mail back.
    pub(super) async fn enter(
        self: &Arc<Self>,
        address: &Address,
        mut mail: Box<Mail>,
    ) -> Result<Mailbox, (ErrorBody, Box<Mail>)> {
        loop {
            if let Some(mailbox) = self.directory.find(address) {
                match mailbox.send(mail).await {
                    Ok(()) => return Ok(mailbox),
                    // It closed meanwhile: look again.
                    Err(unsent) => mail = unsent.0,
                }
                continue;
            }
            let (settings, opener) = match self.settings(address, &mail).await {
                Ok(settings) => settings,
                Err(error) => return Err((error, mail)),
            };
            mail = match self.open(address.clone(), settings, opener, mail) {
                Ok(mailbox) => return Ok(mailbox),
                Err(NotOpened::Full(mail)) => return Err((server_full(), mail)),
                Err(NotOpened::Share(mail)) => return Err((share_exceeded(), mail)),
                Err(NotOpened::TooSoon(mail)) => return Err((too_many_creations(), mail)),
                Err(NotOpened::Exists(mail)) => mail,
            };
        }
    }

    /// As [`enter`](Self::enter), for mail that came too late for a room that closed.
    pub(super) fn enter_anew(
        self: Arc<Self>,
        address: Address,
        mail: Box<Mail>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            if let Err((error, mail)) = self.enter(&address, mail).await {
                self.turn_away(&address, error, *mail);
            }
        })
    }

    /// The room list of that dialect, if its clients have one.
    pub(super) fn hall(&self, dialect: &str) -> Option<&HallDesk> {
        self.halls.iter().find(|hall| hall.dialect.name() == dialect)
    }

    /// Tells somebody who wanted in that it can't be.
    pub(super) fn turn_away(&self, address: &Address, error: ErrorBody, mail: Mail) {
        if let Mail::Enter { seat, ack, guess, .. } = mail {
            translate::turn_away(self, address, &seat.0);
            if let Some(guess) = guess
                && error.code == ErrorCode::WrongPassword
            {
                // At a room that was not even opened for it.
                guess.was_wrong();
            }
            self.refusals.refuse(ack, error);
        }
    }

    fn open<M: Into<Option<Box<Mail>>>>(
        self: &Arc<Self>,
        address: Address,
        settings: Settings,
        opener: ClientPrefix,
        first: M,
    ) -> Result<Mailbox, NotOpened<M>> {
        let now = Instant::now();
        if !opener.is_loopback() && !self.creations.take(opener, now) {
            return Err(NotOpened::TooSoon(first));
        }
        let start = |key: RoomKey, inbox: Inbox| {
            if let Some(name) = native_name(&key.address) {
                self.kept.keep(&name, &settings);
            }
            let limits = match settings.dialect {
                None => self.config.room_limits(),
                Some(_) => room::Limits::FORGETFUL,
            };
            let name = RoomName::legible(key.address.name());
            let room = Room::new(Instant::now().into_std(), name, settings, limits, seed());
            tokio::spawn(RoomTask::new(Arc::clone(self), key, room).run(inbox));
        };
        let opened = self.directory.open(address, opener, first, start);
        if opened.is_err() && !opener.is_loopback() {
            self.creations.put_back(opener, now);
        }
        opened
    }

    /// Who decides how media travels in a room whose maker asked for this.
    fn topology(&self, asked: Option<TopologyChoice>) -> Result<TopologyChoice, ErrorBody> {
        match (asked, self.config.media.is_some()) {
            (Some(TopologyChoice::Sfu), false) => {
                Err(invalid("topology: this server has no media server"))
            }
            (_, false) => Ok(TopologyChoice::Mesh),
            (asked, true) => Ok(asked.unwrap_or(self.config.topology)),
        }
    }

    /// By what a room opens for a join: as it was before a restart, or as usual.
    async fn settings(
        &self,
        address: &Address,
        mail: &Mail,
    ) -> Result<(Settings, ClientPrefix), ErrorBody> {
        let (by_default, opener) = self
            .settings_by_default(address, mail)
            .ok_or_else(|| ErrorBody::from(room::Refusal::ResumeExpired))?;
        let Some(name) = native_name(address) else { return Ok((by_default, opener)) };
        let given = by_default.password.as_ref();
        let kept = self.kept.reopen(&name, given).await?;
        Ok((kept.unwrap_or(by_default), opener))
    }

    /// The wrong passwords at a room, if it is open or is kept over a restart.
    pub(super) fn guesses(&self, address: &Address) -> Option<Arc<Guesses>> {
        let open = self.directory.guesses(address);
        open.or_else(|| self.kept.guesses(&native_name(address)?))
    }

    /// A room made by joining is as usual, and locked if its first member came with a password:
    /// one who has it expects that the others need it too. Nobody can resume in a new room.
    fn settings_by_default(
        &self,
        address: &Address,
        mail: &Mail,
    ) -> Option<(Settings, ClientPrefix)> {
        let Mail::Enter { request: Request::Join(join), seat, .. } = mail else { return None };
        let dialect = address.dialect().and_then(named);
        let most = self.config.max_capacity;
        let capacity = dialect.map(|dialect| dialect.capacity().unwrap_or(most));
        let settings = Settings {
            capacity: capacity.unwrap_or(self.config.capacity),
            password: join.password.clone().filter(|password| !password.is_empty()),
            topology: match dialect {
                // Those clients know of no other.
                Some(_) => TopologyChoice::Mesh,
                None => self.topology(None).unwrap_or(TopologyChoice::Mesh),
            },
            stays_empty: Duration::ZERO,
            dialect: dialect.map(Dialect::name),
        };
        Some((settings, seat.0.prefix))
    }
}

/// The name of a room of the native protocol.
pub(super) fn native_name(address: &Address) -> Option<RoomName> {
    address.dialect().is_none().then(|| RoomName::new(address.name()).ok()).flatten()
}

fn share_exceeded() -> ErrorBody {
    let message = "your network has as many rooms open as it may; try again when one has closed";
    ErrorBody::new(ErrorCode::RateLimited, message)
}

fn too_many_creations() -> ErrorBody {
    let message = "too many rooms from this address; try again later";
    ErrorBody::new(ErrorCode::RateLimited, message)
}

fn server_full() -> ErrorBody {
    ErrorBody::new(ErrorCode::ServerFull, "the server holds as many rooms as it may")
}

/// From the operating system. Without randomness there are no secrets, so there is no going on:
/// the one socket that asked is dropped.
#[expect(clippy::expect_used, reason = "no system we run on fails here after its start")]
fn seed() -> [u8; 32] {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).expect("the operating system gives randomness");
    seed
}
