//! One socket's requests.

use std::sync::{Arc, Weak};

use room::{
    Connection, Departure, Join, Refusal, Request, Resume,
    name::RoomName,
    protocol::{
        CreateRoom, ErrorBody, ErrorCode, JoinRoom, LeaveRoom, ListRooms, MediaState, RoomCreated,
        SignalRequest,
    },
};
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::{
    answer::meet,
    directory::{Mail, Mailbox},
    hub::Hub,
    ice::Found,
    parse::{no_payload, payload},
    rate::{Bucket, Party, Rate},
    seat::{Client, Seat},
};
use crate::socket::app::{Ack, Events, Gone, Handshake, Incoming, Socket};

/// Events of one socket, each counting for one and one more per KiB. Who sends more is read more
/// slowly, and loses nothing.
const EVENTS: Rate = Rate { burst: 1000.0, per_second: 200.0 };
/// Attempts of one socket to list, create and join rooms.
const ENTRIES: Rate = Rate { burst: 30.0, per_second: 1.0 };

/// What answers one socket.
pub(crate) struct Session {
    hub: Arc<Hub>,
    client: Arc<Client>,
    place: Option<Place>,
    events: Bucket,
    entries: Bucket,
}

/// The room this socket is in, or just asked to be let into.
struct Place {
    name: RoomName,
    mailbox: Mailbox,
    seat: Weak<Seat>,
}

type Args = [Box<RawValue>];

impl Events for Session {
    async fn event(&mut self, event: Incoming) {
        self.keep_pace(&event).await;
        let Incoming { name, args, mut ack, .. } = event;
        let taken = match name.as_str() {
            "room:list" => self.list(&args, &mut ack),
            "room:create" => self.create(&args, &mut ack),
            "room:join" => self.join(&args, &mut ack).await,
            "room:leave" => self.leave(&args, &mut ack).await,
            "signal" => self.signal(&args, &mut ack).await,
            "media" => self.media(&args, &mut ack).await,
            _ => Err(ErrorBody::new(ErrorCode::UnknownEvent, "there is no event of that name")),
        };
        if let Err(error) = taken {
            self.hub.refusals.refuse(ack, error);
        }
    }

    async fn gone(&mut self, why: Gone) {
        self.hub.sockets.remove(self.client.connection);
        self.hub.lobby.unsubscribe(self.client.connection);
        let Some(place) = self.place.take() else { return };
        let departure = match why {
            Gone::ByClient => Departure::Left,
            Gone::ByServer | Gone::Lost => Departure::Lost,
        };
        self.deliver(&place, Mail::Gone { connection: self.client.connection, departure }).await;
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
        let party = Party::from(handshake.address);
        let client = Arc::new(Client { connection, socket, found, party });
        let now = Instant::now();
        let (events, entries) = (Bucket::full(EVENTS, now), Bucket::full(ENTRIES, now));
        Self { hub, client, place: None, events, entries }
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
        if !self.hub.creations.take(self.client.party, Instant::now()) {
            return Err(rate_limited("too many rooms from this address; try again later"));
        }
        let room = self.hub.create(create)?;
        meet(ack.take(), &RoomCreated { room });
        Ok(())
    }

    async fn join(&mut self, args: &Args, ack: &mut Option<Ack>) -> Result<(), ErrorBody> {
        let join: JoinRoom = payload(args)?;
        if let Some(place) = self.place.as_ref().filter(|place| place.is_held()) {
            // Asked again, since the answer is late; the room knows.
            return match request(join) {
                (name, resume @ Request::Resume(_)) if name == place.name => {
                    self.ask(resume, ack).await
                }
                _ => Err(Refusal::AlreadyJoined.into()),
            };
        }
        self.count_entry()?;
        let guess = join.resume.is_none() && join.password.is_some();
        if guess && !self.hub.guesses.take(self.client.party, Instant::now()) {
            return Err(rate_limited("too many wrong passwords; try again later"));
        }
        let (name, request) = request(join);
        let seat = Arc::new(Seat(Arc::clone(&self.client)));
        let held = Arc::downgrade(&seat);
        let mail = Mail::Enter { seat, request, ack: ack.take(), guess };
        match self.hub.enter(&name, Box::new(mail)).await {
            Ok(mailbox) => {
                // Who is in a call has no use for the list of rooms.
                self.hub.lobby.unsubscribe(self.client.connection);
                self.place = Some(Place { name, mailbox, seat: held });
            }
            Err((error, mail)) => self.hub.turn_away(error, *mail),
        }
        Ok(())
    }

    async fn leave(&mut self, args: &Args, ack: &mut Option<Ack>) -> Result<(), ErrorBody> {
        let LeaveRoom {} = no_payload(args)?;
        self.ask(Request::Leave, ack).await?;
        self.place = None;
        Ok(())
    }

    async fn signal(&mut self, args: &Args, ack: &mut Option<Ack>) -> Result<(), ErrorBody> {
        let signal: SignalRequest = payload(args)?;
        self.ask(signal.try_into()?, ack).await
    }

    async fn media(&mut self, args: &Args, ack: &mut Option<Ack>) -> Result<(), ErrorBody> {
        let media: MediaState = payload(args)?;
        self.ask(Request::Media(media), ack).await
    }

    /// Asks the room this socket is in; the room answers.
    async fn ask(&self, request: Request, ack: &mut Option<Ack>) -> Result<(), ErrorBody> {
        let place = self.place.as_ref().filter(|place| place.is_held());
        let place = place.ok_or(Refusal::NotJoined)?;
        let from = self.client.connection;
        self.deliver(place, Mail::Ask { from, request, ack: ack.take() }).await;
        Ok(())
    }

    async fn deliver(&self, place: &Place, mail: Mail) {
        let Err(unsent) = place.mailbox.send(Box::new(mail)).await else { return };
        // The room we asked to be let into closed and opened anew before we were.
        let mail = match self.hub.directory.find(&place.name) {
            Some(mailbox) => match mailbox.send(unsent.0).await {
                Ok(()) => return,
                Err(unsent) => unsent.0,
            },
            None => unsent.0,
        };
        if let Mail::Ask { ack, .. } = *mail {
            self.hub.refusals.refuse(ack, Refusal::NotJoined.into());
        }
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

impl Place {
    fn is_held(&self) -> bool {
        self.seat.strong_count() > 0
    }
}

/// A join as the room takes it: with a token it is a resume.
fn request(join: JoinRoom) -> (RoomName, Request) {
    let JoinRoom { room, name, password, media, resume, last } = join;
    let request = match resume {
        Some(token) => Request::Resume(Resume { token, last }),
        None => Request::Join(Join { name, password, media: media.unwrap_or_default() }),
    };
    (room, request)
}

fn rate_limited(message: &str) -> ErrorBody {
    ErrorBody::new(ErrorCode::RateLimited, message)
}
