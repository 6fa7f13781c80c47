//! One socket's requests.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use room::{
    Address, Chat, Connection, Departure, Join, Refusal, Request, Resume,
    dialect::at_path,
    protocol::{
        ChatRequest, CreateRoom, DirectRequest, ErrorBody, ErrorCode, HandoverRequest, JoinRoom,
        LeaveRoom, ListRooms, MediaState, PublishRequest, RoomCreated, SdpType, SignalRequest,
        SubscribeRequest,
    },
};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::{
    answer::meet,
    directory::Mail,
    guesses::{Guess, Guesses},
    hub::Hub,
    ice::Found,
    parse::{no_payload, payload},
    place::Place,
    rate::{Bucket, Rate},
    seat::{Client, Seat},
    translate::Translator,
};
use crate::{
    net::client_prefix::ClientPrefix,
    socket::app::{Ack, Events, Gone, Handshake, Incoming, Socket},
};

/// Events of one socket, each counting for one and one more per KiB. Who sends more is read more
/// slowly, and loses nothing.
const EVENTS: Rate = Rate { burst: 1000.0, per_second: 200.0 };
/// Attempts of one socket to list, create and join rooms.
const ENTRIES: Rate = Rate { burst: 30.0, per_second: 1.0 };

/// Messages of one socket to the people in its room.
const CHATS: Rate = Rate { burst: 20.0, per_second: 2.0 };
/// Offers of one socket to the media server: a page makes one for each device that it turns on, and
/// one more for each that crosses the server's.
const OFFERS: Rate = Rate { burst: 20.0, per_second: 2.0 };

/// What answers one socket.
pub(crate) struct Session {
    hub: Arc<Hub>,
    client: Arc<Client>,
    place: Option<Place>,
    events: Bucket,
    entries: Bucket,
    chats: Bucket,
    offers: Bucket,
    /// The path where it connected.
    path: &'static str,
    /// If it speaks another protocol than ours.
    translator: Option<Box<Translator>>,
}

type Args = [Box<RawValue>];

impl Events for Session {
    async fn connected(&mut self) {
        if at_path(self.path).is_none() {
            return;
        }
        let (mut translator, greeting) = Translator::new(&self.hub, &self.client, self.path);
        if let Some(greeting) = greeting {
            translator.run(greeting).await;
        }
        self.translator = Some(Box::new(translator));
    }

    async fn event(&mut self, mut event: Incoming) {
        self.keep_pace(&event).await;
        let mut ack = event.ack.take();
        let args = &event.args;
        let taken = match event.name.as_str() {
            _ if at_path(self.path).is_some() => self.translate(&event).await,
            "room:list" => self.list(args, &mut ack),
            "room:create" => self.create(args, &mut ack),
            "room:join" => self.join(args, &mut ack).await,
            "room:leave" => self.leave(args, &mut ack).await,
            "signal" => self.signal(args, &mut ack).await,
            "media" => self.media(args, &mut ack).await,
            "chat" => self.chat(args, &mut ack).await,
            "direct" => self.put::<DirectRequest>(args, &mut ack).await,
            "publish" => self.put::<PublishRequest>(args, &mut ack).await,
            "subscribe" => self.put::<SubscribeRequest>(args, &mut ack).await,
            "handover" => self.put::<HandoverRequest>(args, &mut ack).await,
            _ => self.translate(&event).await,
        };
        if let Err(error) = taken {
            self.hub.refusals.refuse(ack, error);
        }
    }

    async fn gone(&mut self, why: Gone) {
        self.hub.sockets.remove(self.client.connection);
        self.hub.lobby.unsubscribe(self.client.connection);
        if let Some(mut translator) = self.translator.take() {
            translator.gone().await;
        }
        let Some(place) = self.place.take() else { return };
        let departure = match why {
            Gone::ByClient => Departure::Left,
            Gone::GoingAway => Departure::GoingAway,
            Gone::ByServer | Gone::Lost => Departure::Lost,
        };
        let connection = self.client.connection;
        place.deliver(&self.hub, Mail::Gone { connection, departure }).await;
    }
}

/// Each takes the acknowledgement where it or the room answers; otherwise its error does.
impl Session {
    pub(super) fn new(
        hub: Arc<Hub>,
        connection: Connection,
        socket: Socket,
        handshake: &Handshake,
    ) -> Self {
        let found = Found::new(&hub.config, handshake);
        let prefix = ClientPrefix::from(handshake.address);
        let client = Arc::new(Client { connection, socket, found, prefix });
        let now = Instant::now();
        let (events, entries) = (Bucket::full(EVENTS, now), Bucket::full(ENTRIES, now));
        let (chats, offers) = (Bucket::full(CHATS, now), Bucket::full(OFFERS, now));
        let (place, translator, path) = (None, None, handshake.path);
        Self { hub, client, place, events, entries, chats, offers, path, translator }
    }

    fn list(&mut self, args: &Args, ack: &mut Option<Ack>) -> Result<(), ErrorBody> {
        let ListRooms {} = no_payload(args)?;
        self.count_entry()?;
        let client = &self.client;
        let list = self.hub.lobby.subscribe(client.connection, client.socket.clone());
        meet(ack.take(), &list);
        Ok(())
    }

    fn create(&mut self, args: &Args, ack: &mut Option<Ack>) -> Result<(), ErrorBody> {
        let create: CreateRoom = payload(args)?;
        self.count_entry()?;
        let room = self.hub.create(create, self.client.prefix)?;
        meet(ack.take(), &RoomCreated { room });
        Ok(())
    }

    async fn join(&mut self, args: &Args, ack: &mut Option<Ack>) -> Result<(), ErrorBody> {
        let join: JoinRoom = payload(args)?;
        if let Some(place) = self.place.as_ref().filter(|place| place.is_held()) {
            // Asked again, since the answer is late; the room knows.
            return match request(join) {
                (address, resume @ Request::Resume(_)) if address == place.address => {
                    self.ask(resume, ack).await
                }
                _ => Err(Refusal::AlreadyJoined.into()),
            };
        }
        self.count_entry()?;
        let has_password = join.resume.is_none() && join.password.is_some();
        let (address, request) = request(join);
        let guesses = has_password.then(|| self.hub.guesses(&address)).flatten();
        let guess = match guesses {
            Some(guesses) => Some(self.wait_for_guess(&guesses).await?),
            None => None,
        };
        let seat = Arc::new(Seat(Arc::clone(&self.client)));
        let held = Arc::downgrade(&seat);
        let mail = Mail::Enter { seat, request, ack: ack.take(), guess };
        match self.hub.enter(&address, Box::new(mail)).await {
            Ok(mailbox) => {
                // Who is in a call has no use for the list of rooms.
                self.hub.lobby.unsubscribe(self.client.connection);
                self.place = Some(Place { address, mailbox, seat: held });
            }
            Err((error, mail)) => self.hub.turn_away(&address, error, *mail),
        }
        Ok(())
    }

    /// Waits until the password may be tried. Only this socket waits, and none of its room.
    async fn wait_for_guess(&self, guesses: &Arc<Guesses>) -> Result<Guess, ErrorBody> {
        let (guess, wait) = guesses
            .take(self.client.prefix, Instant::now())
            .ok_or_else(|| rate_limited("too many wrong passwords; try again later"))?;
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        Ok(guess)
    }

    async fn leave(&mut self, args: &Args, ack: &mut Option<Ack>) -> Result<(), ErrorBody> {
        let LeaveRoom {} = no_payload(args)?;
        self.ask(Request::Leave, ack).await?;
        self.place = None;
        Ok(())
    }

    /// Puts to the room what the payload says.
    async fn put<T>(&mut self, args: &Args, ack: &mut Option<Ack>) -> Result<(), ErrorBody>
    where
        T: DeserializeOwned + TryInto<Request>,
        Refusal: From<T::Error>,
    {
        let asked: T = payload(args)?;
        let request = asked.try_into().map_err(Refusal::from)?;
        self.ask(request, ack).await
    }

    /// Signals somebody. What the media server is offered takes much of its time, so it is counted,
    /// by socket and by address; answers are to offers of its own.
    async fn signal(&mut self, args: &Args, ack: &mut Option<Ack>) -> Result<(), ErrorBody> {
        let signal: SignalRequest = payload(args)?;
        let description = signal.description.as_ref().filter(|_| signal.to.is_sfu());
        if description.is_some_and(|it| it.kind == SdpType::Offer) && !self.may_offer() {
            return Err(rate_limited("too many offers in too short a time; wait a moment"));
        }
        let request = signal.try_into()?;
        self.ask(request, ack).await
    }

    fn may_offer(&mut self) -> bool {
        let (prefix, now) = (self.client.prefix, Instant::now());
        self.offers.take(OFFERS, now) && (prefix.is_loopback() || self.hub.offers.take(prefix, now))
    }

    async fn media(&mut self, args: &Args, ack: &mut Option<Ack>) -> Result<(), ErrorBody> {
        let media: MediaState = payload(args)?;
        self.ask(Request::Media(media), ack).await
    }

    async fn chat(&mut self, args: &Args, ack: &mut Option<Ack>) -> Result<(), ErrorBody> {
        let ChatRequest { text, serial } = payload(args)?;
        if !self.chats.take(CHATS, Instant::now()) {
            return Err(rate_limited("too many messages in too short a time; wait a moment"));
        }
        self.ask(Request::Chat(Chat { text, serial, at: milliseconds_since_1970() }), ack).await
    }

    /// Asks the room this socket is in; the room answers.
    async fn ask(&self, request: Request, ack: &mut Option<Ack>) -> Result<(), ErrorBody> {
        let place = self.place.as_ref().filter(|place| place.is_held());
        let place = place.ok_or(Refusal::NotJoined)?;
        let from = self.client.connection;
        place.deliver(&self.hub, Mail::Ask { from, request, ack: ack.take() }).await;
        Ok(())
    }

    /// An event that is none of ours is perhaps one of a dialect.
    async fn translate(&mut self, event: &Incoming) -> Result<(), ErrorBody> {
        let mut translator = self
            .translator
            .take()
            .unwrap_or_else(|| Box::new(Translator::new(&self.hub, &self.client, self.path).0));
        if !translator.hear(event).await {
            let message = "there is no event of that name";
            return Err(ErrorBody::new(ErrorCode::UnknownEvent, message));
        }
        self.translator = Some(translator);
        Ok(())
    }

    /// Waits until this event fits the rate.
    async fn keep_pace(&mut self, event: &Incoming) {
        let bytes: usize = event.args.iter().map(|argument| argument.get().len()).sum();
        #[expect(clippy::cast_precision_loss, reason = "a cost may be rounded")]
        let cost = 1.0 + bytes as f32 / 1024.0;
        let wait = self.events.owe(EVENTS, Instant::now(), cost);
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    fn count_entry(&mut self) -> Result<(), ErrorBody> {
        if self.entries.take(ENTRIES, Instant::now()) {
            Ok(())
        } else {
            Err(rate_limited("too many attempts on this connection; try again later"))
        }
    }
}

/// A join as the room takes it: with a token it is a resume.
fn request(join: JoinRoom) -> (Address, Request) {
    let JoinRoom { room, name, password, media, sfu, replaces, resume, last } = join;
    let request = match resume {
        Some(token) => Request::Resume(Resume { token, last }),
        None => {
            let (media, sfu) = (media.unwrap_or_default(), sfu.unwrap_or_default());
            Request::Join(Join { id: None, name, password, replaces, media, sfu, card: None })
        }
    };
    (Address::native(&room), request)
}

/// As people's clocks count, for what people read.
fn milliseconds_since_1970() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn rate_limited(message: &str) -> ErrorBody {
    ErrorBody::new(ErrorCode::RateLimited, message)
}
