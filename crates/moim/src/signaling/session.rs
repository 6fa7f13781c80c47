//! Requests of one socket.

use std::sync::Arc;

use access::Token;
use room::{
    Address, Chat, Connection, Credential, Departure, DeviceSecret, Hosting, Inviting, Join, Pass,
    Polling, PresentedInvitation, Rejection, Request, Resume,
    dialect::by_path,
    file::FileSize,
    protocol::{
        AskPoll, ChatRequest, CheckRoom, ClosePoll, CreateRoom, DirectRequest, EndRoom, ErrorBody,
        ErrorCode, FileSignalRequest, FileWithdrawRequest, HandoverRequest, JoinRoom, LeaveRoom,
        ListInvitations, ListRooms, LowerHandsRequest, MediaState, MuteRequest, ParticipantId,
        PublishRequest, ReactionRequest, RemovePoll, RemoveRequest, ReportRequest, RevokeRequest,
        RoleRequest, RoomCreated, SdpType, SettingsRequest, SignalRequest, SpotlightRequest,
        SubscribeRequest, UnmuteRequest, VoteRequest, WaitingRequest,
    },
};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::{
    ack::{Empty, ack_ok},
    client::{Client, MembershipGuard},
    counters::RateLimited,
    credentials::{Credentials, display_name, pass},
    guesses::{Guess, Guesses},
    hub::Hub,
    ice::ReachedHost,
    limits::{
        SOCKET_CHATS, SOCKET_ENTRIES, SOCKET_EVENTS, SOCKET_HOSTING, SOCKET_REPORTS,
        SOCKET_SFU_OFFERS,
    },
    membership::Membership,
    parse::{no_payload, payload},
    rate::Bucket,
    refusal_log,
    room_message::{Permission, RoomMessage},
    rooms::Creation,
    translator::Translator,
    wall_clock::milliseconds_since_1970,
};
use crate::{
    net::client_prefix::ClientPrefix,
    oidc::Person,
    socketio::{Ack, CloseReason, Events, Handshake, Incoming, Socket},
};

/// Event handler of one socket.
pub(crate) struct Session {
    hub: Arc<Hub>,
    client: Arc<Client>,
    membership: Option<Membership>,
    events: Bucket,
    entries: Bucket,
    chats: Bucket,
    hosting: Bucket,
    offers: Bucket,
    reports: Bucket,
    /// Mount path of the connection.
    path: &'static str,
    /// For requests without credentials of their own.
    credentials: Credentials,
    /// Present if the socket speaks a dialect.
    translator: Option<Box<Translator>>,
}

type Args = [Box<RawValue>];

impl Events for Session {
    async fn connected(&mut self) {
        if by_path(self.path).is_none() {
            return;
        }
        let (mut translator, initial) = Translator::new(&self.hub, &self.client, self.path);
        if let Some(action) = initial {
            translator.run(action).await;
        }
        self.translator = Some(Box::new(translator));
    }

    async fn event(&mut self, mut event: Incoming) {
        self.throttle(&event).await;
        let mut ack = event.ack.take();
        let args = &event.args;
        let result = match event.name.as_str() {
            _ if by_path(self.path).is_some() => self.translate(&event).await,
            // Boxed, since they are large and rare: the future of each socket has room for the
            // largest of these.
            "room:list" => Box::pin(self.list(args, &mut ack)).await,
            "room:create" => Box::pin(self.create(args, &mut ack)).await,
            "room:check" => self.check(args, &mut ack),
            "room:join" => Box::pin(self.join(args, &mut ack)).await,
            "room:leave" => self.leave(args, &mut ack).await,
            "signal" => self.signal(args, &mut ack).await,
            "media" => self.media(args, &mut ack).await,
            "chat" => self.chat(args, &mut ack).await,
            "report" => self.report(args, &mut ack).await,
            "file:signal" => self.forward::<FileSignalRequest>(args, &mut ack).await,
            "file:withdraw" => self.withdraw(args, &mut ack).await,
            "direct" => self.forward::<DirectRequest>(args, &mut ack).await,
            "publish" => self.forward::<PublishRequest>(args, &mut ack).await,
            "subscribe" => self.forward::<SubscribeRequest>(args, &mut ack).await,
            "handover" => self.forward::<HandoverRequest>(args, &mut ack).await,
            "reaction" => self.react(args, &mut ack).await,
            "poll:ask" => self.poll::<AskPoll>(args, &mut ack).await,
            "poll:vote" => self.vote(args, &mut ack).await,
            "poll:close" => self.poll::<ClosePoll>(args, &mut ack).await,
            "poll:remove" => self.poll::<RemovePoll>(args, &mut ack).await,
            "room:mute" => self.host::<MuteRequest>(args, &mut ack).await,
            "room:unmute" => self.host::<UnmuteRequest>(args, &mut ack).await,
            "room:lower_hands" => self.host::<LowerHandsRequest>(args, &mut ack).await,
            "room:remove" => self.host::<RemoveRequest>(args, &mut ack).await,
            "room:admit" => self.decide(args, &mut ack, Hosting::Admit).await,
            "room:deny" => self.decide(args, &mut ack, Hosting::Deny).await,
            "room:role" => self.host::<RoleRequest>(args, &mut ack).await,
            "room:settings" => self.host::<SettingsRequest>(args, &mut ack).await,
            "room:spotlight" => self.host::<SpotlightRequest>(args, &mut ack).await,
            "room:end" => self.host::<EndRoom>(args, &mut ack).await,
            "room:invite" => self.invite(args, &mut ack, Inviting::Invite).await,
            "room:revoke" => {
                let revoke = |RevokeRequest { invitation }| Inviting::Revoke(invitation);
                self.invite(args, &mut ack, revoke).await
            }
            "room:invitations" => {
                self.invite(args, &mut ack, |ListInvitations {}| Inviting::List).await
            }
            _ => self.translate(&event).await,
        };
        if let Err(error) = result {
            self.hub.rejections.reject(ack, error);
        }
    }

    async fn gone(&mut self, why: CloseReason) {
        self.hub.sockets.remove(self.client.connection);
        self.hub.lobby.unsubscribe(self.client.connection);
        if let Some(mut translator) = self.translator.take() {
            translator.handle_gone().await;
        }
        let Some(membership) = self.membership.take() else { return };
        let departure = match why {
            CloseReason::ByClient => Departure::Left,
            CloseReason::GoingAway => Departure::GoingAway,
            CloseReason::ByServer | CloseReason::Lost => Departure::Lost,
        };
        let connection = self.client.connection;
        let message = Box::new(RoomMessage::Gone { connection, departure });
        membership.send(&self.hub.directory, &self.hub.rejections, message).await;
    }
}

/// Each request takes the acknowledgement if it or the room replies. Otherwise its error is the
/// reply.
impl Session {
    pub(super) fn new(
        hub: Arc<Hub>,
        connection: Connection,
        socket: Socket,
        handshake: &Handshake,
    ) -> Self {
        let host = ReachedHost::new(&hub.config, handshake);
        let prefix = ClientPrefix::from(handshake.address);
        let now = Instant::now();
        Self {
            hub,
            client: Arc::new(Client { connection, socket, host, prefix, door: handshake.door }),
            membership: None,
            events: Bucket::full(SOCKET_EVENTS, now),
            entries: Bucket::full(SOCKET_ENTRIES, now),
            chats: Bucket::full(SOCKET_CHATS, now),
            hosting: Bucket::full(SOCKET_HOSTING, now),
            offers: Bucket::full(SOCKET_SFU_OFFERS, now),
            reports: Bucket::full(SOCKET_REPORTS, now),
            path: handshake.path,
            credentials: Credentials::of(handshake),
            translator: None,
        }
    }

    /// Returns whether the native protocol has an event of this name.
    pub(crate) fn is_native(name: &str) -> bool {
        let single = ["signal", "media", "chat", "report", "direct", "publish", "subscribe"];
        let more = ["handover", "reaction"];
        let is_of_group = name.starts_with("room:") || name.starts_with("poll:");
        is_of_group || single.contains(&name) || more.contains(&name)
    }

    /// Returns whether the socket is in a room, or about to enter one.
    pub(crate) fn is_member(&self) -> bool {
        self.membership.as_ref().is_some_and(Membership::is_active)
    }

    async fn list(&mut self, args: &Args, ack: &mut Option<Ack>) -> Result<(), ErrorBody> {
        let ListRooms { token } = no_payload(args)?;
        self.count_entry()?;
        let token = self.verify(token.as_ref()).await?;
        self.hub.config.access.may_list(self.person().is_some(), token.as_ref())?;
        let client = &self.client;
        let mut list = self.hub.lobby.subscribe(client.connection, client.socket.clone());
        let templates = self.hub.config.access.template_names();
        list.templates = Some(templates).filter(|names| !names.is_empty());
        ack_ok(ack.take(), &list);
        Ok(())
    }

    async fn create(&mut self, args: &Args, ack: &mut Option<Ack>) -> Result<(), ErrorBody> {
        let create: CreateRoom = payload(args)?;
        self.count_entry()?;
        let token = self.verify(create.token.as_ref()).await?;
        let person = self.person();
        self.hub.config.access.may_create(person.is_some(), token.as_ref())?;
        let create =
            CreateRoom { device: self.device_of(person.as_ref(), create.device), ..create };
        let name = create.name.clone();
        let created = self.hub.create(Creation::of(create, &self.client)).await;
        let room = created.inspect_err(|error| {
            refusal_log::log(error.code, name.as_str(), None, self.client.prefix);
        })?;
        ack_ok(ack.take(), &RoomCreated { room });
        Ok(())
    }

    fn check(&mut self, args: &Args, ack: &mut Option<Ack>) -> Result<(), ErrorBody> {
        let CheckRoom { room } = payload(args)?;
        self.count_entry()?;
        let checked = self.hub.check(&room, self.client.prefix)?;
        ack_ok(ack.take(), &checked);
        Ok(())
    }

    async fn join(&mut self, args: &Args, ack: &mut Option<Ack>) -> Result<(), ErrorBody> {
        let join: JoinRoom = payload(args)?;
        if let Some(membership) =
            self.membership.as_ref().filter(|membership| membership.is_active())
        {
            // Repeated because the reply is late; the room recognizes it.
            return match parse_join(join, None, self.client.prefix) {
                (address, resume @ Request::Resume(_)) if address == membership.address => {
                    self.request(resume, ack).await
                }
                _ => Err(Rejection::AlreadyJoined.into()),
            };
        }
        self.count_entry()?;
        let since = Instant::now();
        let (token, has_expired) = match &join.resume {
            Some(_) => (None, false),
            None => self.verify_entry(&join).await?,
        };
        let pass = token.as_ref().map(|token| pass(token, &join.room)).transpose()?;
        let person = self.person();
        let opening = self.hub.config.access.may_open(person.is_some(), token.as_ref());
        let template = token.as_ref().and_then(|token| token.template());
        let is_host = person.is_some();
        let opening =
            opening.map(|()| Permission { template: template.map(str::to_owned), is_host });
        let name = display_name(token.as_ref(), join.name.clone());
        let device = self.device_of(person.as_ref(), join.device);
        let join = JoinRoom { name, device, ..join };
        let is_guess = join.password.is_some() || join.invitation.is_some();
        let is_guess = is_guess && join.resume.is_none() && pass.is_none();
        let (address, mut request) = parse_join(join, pass, self.client.prefix);
        if let Request::Join(join) = &mut request {
            join.has_expired = has_expired;
        }
        let guesses = is_guess.then(|| self.hub.guesses(&address)).flatten();
        let guess = match guesses {
            Some(guesses) => Some(self.wait_for_guess(&guesses).await?),
            None => None,
        };
        let guard = Arc::new(MembershipGuard(Arc::clone(&self.client)));
        let weak = Arc::downgrade(&guard);
        let ack = ack.take();
        let message = RoomMessage::Enter { guard, request, ack, guess, since, opening };
        match self.hub.enter(&address, Box::new(message)).await {
            Ok(room) => {
                // A client in a call does not need the list of rooms.
                self.hub.lobby.unsubscribe(self.client.connection);
                self.membership = Some(Membership { address, room, guard: weak });
            }
            Err((error, message)) => self.hub.reject_entry(&address, error, *message),
        }
        Ok(())
    }

    /// Verifies the token of a join. Also returns whether it has expired, which does not matter to a
    /// page that reloads: the room knows what its participant may do.
    async fn verify_entry(&self, join: &JoinRoom) -> Result<(Option<Token>, bool), ErrorBody> {
        match self.verify(join.token.as_ref()).await {
            Err(error) if error.code == ErrorCode::TokenExpired && join.replaces.is_some() => {
                Ok((None, true))
            }
            verified => Ok((verified?, false)),
        }
    }

    /// The person who has signed in, in the browser of this socket.
    fn person(&self) -> Option<Person> {
        self.credentials.person(&self.hub.config.people)
    }

    /// Secret by which a room knows a client: that of the person, if one has signed in, otherwise
    /// that of the device.
    fn device_of(
        &self,
        person: Option<&Person>,
        device: Option<DeviceSecret>,
    ) -> Option<DeviceSecret> {
        person.and_then(|person| self.hub.config.people.device(person)).or(device)
    }

    /// Verifies the token of a request, or of the handshake. Delays this socket only.
    async fn verify(&self, token: Option<&Credential>) -> Result<Option<Token>, ErrorBody> {
        self.credentials.verify(&self.hub.config.access, token).await
    }

    /// Waits until the password may be tried. Delays this socket only, never the room.
    async fn wait_for_guess(&self, guesses: &Arc<Guesses>) -> Result<Guess, ErrorBody> {
        let (guess, wait) = guesses
            .take(self.client.prefix, Instant::now())
            .ok_or_else(|| self.limit(RateLimited::Passwords, "too many wrong passwords"))?;
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        Ok(guess)
    }

    async fn leave(&mut self, args: &Args, ack: &mut Option<Ack>) -> Result<(), ErrorBody> {
        let LeaveRoom {} = no_payload(args)?;
        self.request(Request::Leave, ack).await?;
        self.membership = None;
        Ok(())
    }

    /// Forwards a parsed payload to the room.
    async fn forward<T>(&mut self, args: &Args, ack: &mut Option<Ack>) -> Result<(), ErrorBody>
    where
        T: DeserializeOwned + TryInto<Request>,
        Rejection: From<T::Error>,
    {
        let parsed: T = payload(args)?;
        let request = parsed.try_into().map_err(Rejection::from)?;
        self.request(request, ack).await
    }

    /// Relays a description or candidate. Offers to the media server are expensive, so they are
    /// limited per socket and per client prefix. Answers belong to the server's own offers.
    async fn signal(&mut self, args: &Args, ack: &mut Option<Ack>) -> Result<(), ErrorBody> {
        let signal: SignalRequest = payload(args)?;
        let description = signal.description.as_ref().filter(|_| signal.to.is_sfu());
        if description.is_some_and(|description| description.kind == SdpType::Offer)
            && !self.may_offer()
        {
            return Err(self.limit(RateLimited::Offers, "too many offers"));
        }
        let request = signal.try_into()?;
        self.request(request, ack).await
    }

    fn may_offer(&mut self) -> bool {
        let now = Instant::now();
        let prefix = self.client.prefix;
        self.offers.take(SOCKET_SFU_OFFERS, now)
            && (prefix.is_loopback() || self.hub.sfu_offers.take(prefix, now))
    }

    async fn media(&mut self, args: &Args, ack: &mut Option<Ack>) -> Result<(), ErrorBody> {
        let media: MediaState = payload(args)?;
        self.request(Request::Media(media), ack).await
    }

    async fn chat(&mut self, args: &Args, ack: &mut Option<Ack>) -> Result<(), ErrorBody> {
        let ChatRequest { text, to, serial, file } = payload(args)?;
        if !self.chats.take(SOCKET_CHATS, Instant::now()) {
            return Err(self.limit(RateLimited::Chats, "too many messages"));
        }
        self.check_file(file.as_ref().map(|file| file.size))?;
        let chat = Chat { text, to, serial, at: milliseconds_since_1970(), file };
        self.request(Request::Chat(chat), ack).await
    }

    /// Refuses the offer of a file above the server's limit.
    fn check_file(&self, size: Option<FileSize>) -> Result<(), ErrorBody> {
        let max = self.hub.defaults.load().max_file_bytes;
        match size.map(u64::from) {
            Some(_) if max == 0 => {
                Err(ErrorBody::new(ErrorCode::Forbidden, "this server permits no files"))
            }
            Some(size) if size > max => Err(ErrorBody::new(
                ErrorCode::Invalid,
                format!("file: can have at most {max} bytes on this server"),
            )),
            _ => Ok(()),
        }
    }

    /// Takes back the offer of a file, at the rate of chat messages.
    async fn withdraw(&mut self, args: &Args, ack: &mut Option<Ack>) -> Result<(), ErrorBody> {
        let withdraw: FileWithdrawRequest = payload(args)?;
        if !self.chats.take(SOCKET_CHATS, Instant::now()) {
            return Err(self.limit(RateLimited::Chats, "too many messages"));
        }
        self.request(withdraw.into(), ack).await
    }

    /// Reactions are limited like chat messages.
    async fn react(&mut self, args: &Args, ack: &mut Option<Ack>) -> Result<(), ErrorBody> {
        let react: ReactionRequest = payload(args)?;
        if !self.chats.take(SOCKET_CHATS, Instant::now()) {
            return Err(self.limit(RateLimited::Reactions, "too many reactions"));
        }
        self.request(react.into(), ack).await
    }

    /// Votes are limited like chat messages.
    async fn vote(&mut self, args: &Args, ack: &mut Option<Ack>) -> Result<(), ErrorBody> {
        let vote: VoteRequest = payload(args)?;
        if !self.chats.take(SOCKET_CHATS, Instant::now()) {
            return Err(self.limit(RateLimited::Votes, "too many votes"));
        }
        self.ask_about_poll(vote.into(), ack).await
    }

    /// Opens, closes or removes a poll, at the rate of a host's requests.
    async fn poll<T>(&mut self, args: &Args, ack: &mut Option<Ack>) -> Result<(), ErrorBody>
    where
        T: DeserializeOwned + Into<Polling>,
    {
        let parsed: T = payload(args)?;
        self.count_hosting()?;
        self.ask_about_poll(parsed.into(), ack).await
    }

    fn ask_about_poll(
        &self,
        asked: Polling,
        ack: &mut Option<Ack>,
    ) -> impl Future<Output = Result<(), ErrorBody>> {
        self.request(Request::Poll { at: milliseconds_since_1970(), asked }, ack)
    }

    /// Forwards a host's request to the room, which checks the right.
    async fn host<T>(&mut self, args: &Args, ack: &mut Option<Ack>) -> Result<(), ErrorBody>
    where
        T: DeserializeOwned + TryInto<Request>,
        Rejection: From<T::Error>,
    {
        self.count_hosting()?;
        self.forward::<T>(args, ack).await
    }

    /// A host's request about invitations.
    async fn invite<T: DeserializeOwned>(
        &mut self,
        args: &Args,
        ack: &mut Option<Ack>,
        asked: impl FnOnce(T) -> Inviting,
    ) -> Result<(), ErrorBody> {
        let asked = asked(payload(args)?);
        self.count_hosting()?;
        self.request(Request::Inviting { at: milliseconds_since_1970(), asked }, ack).await
    }

    fn count_hosting(&mut self) -> Result<(), ErrorBody> {
        if self.hosting.take(SOCKET_HOSTING, Instant::now()) {
            Ok(())
        } else {
            Err(self.limit(RateLimited::Hosting, "too many requests as a host"))
        }
    }

    /// A decision on people in the waiting room.
    async fn decide(
        &mut self,
        args: &Args,
        ack: &mut Option<Ack>,
        hosting: impl FnOnce(Option<Vec<ParticipantId>>) -> Hosting,
    ) -> Result<(), ErrorBody> {
        let WaitingRequest { participants } = payload(args)?;
        self.count_hosting()?;
        self.request(Request::Host(hosting(participants)), ack).await
    }

    /// Passes what the page has measured to the room. A hint: beyond the rate it is ignored.
    async fn report(&mut self, args: &Args, ack: &mut Option<Ack>) -> Result<(), ErrorBody> {
        let report: ReportRequest = payload(args)?;
        let membership = self.membership.as_ref().filter(|membership| membership.is_active());
        let membership = membership.ok_or(Rejection::NotJoined)?;
        if self.reports.take(SOCKET_REPORTS, Instant::now()) {
            self.hub.counters.froze(report.freezes.into());
            let from = self.client.connection;
            let message = Box::new(RoomMessage::Report { from, report: Box::new(report) });
            membership.send(&self.hub.directory, &self.hub.rejections, message).await;
        } else {
            self.hub.counters.rate_limited(RateLimited::Reports);
        }
        ack_ok(ack.take(), &Empty {});
        Ok(())
    }

    /// Sends a request to the socket's room, which replies. The future holds the message boxed, since
    /// there is one of each socket.
    fn request(
        &self,
        request: Request,
        ack: &mut Option<Ack>,
    ) -> impl Future<Output = Result<(), ErrorBody>> {
        let membership = self.membership.as_ref().filter(|membership| membership.is_active());
        let from = self.client.connection;
        let sending = membership.map(|membership| {
            let message = Box::new(RoomMessage::Request { from, request, ack: ack.take() });
            membership.send(&self.hub.directory, &self.hub.rejections, message)
        });
        async move {
            sending.ok_or(Rejection::NotJoined)?.await;
            Ok(())
        }
    }

    /// Handles an event that is not of the native protocol.
    async fn translate(&mut self, event: &Incoming) -> Result<(), ErrorBody> {
        let mut translator = self
            .translator
            .take()
            .unwrap_or_else(|| Box::new(Translator::new(&self.hub, &self.client, self.path).0));
        if !translator.handle(event).await {
            let message = "no event has this name";
            return Err(ErrorBody::new(ErrorCode::UnknownEvent, message));
        }
        self.translator = Some(translator);
        Ok(())
    }

    /// Waits until the event rate permits this event.
    async fn throttle(&mut self, event: &Incoming) {
        let bytes: usize = event.args.iter().map(|argument| argument.get().len()).sum();
        #[expect(clippy::cast_precision_loss, reason = "a cost may be rounded")]
        let cost = 1.0 + bytes as f32 / 1024.0;
        let wait = self.events.owe(SOCKET_EVENTS, Instant::now(), cost);
        if !wait.is_zero() {
            self.hub.counters.rate_limited(RateLimited::Events);
            Box::pin(tokio::time::sleep(wait)).await;
        }
    }

    /// Counts a request beyond a rate; returns its error.
    fn limit(&self, what: RateLimited, message: &str) -> ErrorBody {
        self.hub.counters.rate_limited(what);
        ErrorBody::new(ErrorCode::RateLimited, format!("{message}; try again later"))
    }

    fn count_entry(&mut self) -> Result<(), ErrorBody> {
        if self.entries.take(SOCKET_ENTRIES, Instant::now()) {
            Ok(())
        } else {
            Err(self.limit(RateLimited::Entries, "too many requests on this connection"))
        }
    }
}

/// Converts a join payload to a request: a resume if it has a token.
fn parse_join(join: JoinRoom, pass: Option<Pass>, prefix: ClientPrefix) -> (Address, Request) {
    let JoinRoom { room, name, password, media, sfu, replaces, device, resume, last, .. } = join;
    let at = milliseconds_since_1970();
    let invitation = join.invitation.map(|key| PresentedInvitation { key, at });
    let listed = join.listed.unwrap_or(true);
    let pass = pass.map(Box::new);
    let request = match resume {
        Some(token) => Request::Resume(Resume { token, last }),
        None => {
            let media = media.unwrap_or_default();
            let sfu = sfu.unwrap_or_default();
            let prefix = (!prefix.is_loopback()).then(|| prefix.to_bits());
            let (id, profile) = (None, None);
            Request::from(Join {
                id,
                name,
                password,
                is_password_right: false,
                replaces,
                has_expired: false,
                media,
                sfu,
                device,
                pass,
                invitation,
                prefix,
                profile,
                listed,
            })
        }
    };
    (Address::native(&room), request)
}
