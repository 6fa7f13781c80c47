//! One socket's events in a dialect.

use std::sync::Arc;

use room::{
    Address, Refusal, Request,
    dialect::{Errand, Guest, Heard, Said, Scene, Speech, Word, named},
};
use tokio::time::{Instant, sleep};

use super::{
    directory::Mail,
    hub::Hub,
    place::Place,
    rate::{Bucket, Rate},
    seat::{Client, Seat},
};
use crate::socket::app::{Incoming, encode_raw_event};

/// How often one socket may enter, make and list rooms. Dialects have no words for a refusal, so
/// who is faster waits; a page that tries many rooms at once should not.
const VISITS: Rate = Rate { burst: 300.0, per_second: 5.0 };

/// A socket that speaks dialects, and its places.
pub(super) struct Translator {
    hub: Arc<Hub>,
    client: Arc<Client>,
    guest: Guest,
    places: Vec<Place>,
    visits: Bucket,
    /// How many of the guest's dialects have been told of it.
    introduced: usize,
}

impl Translator {
    /// Of a socket that has said nothing yet. It may be in a room from its start.
    pub(super) fn new(hub: &Arc<Hub>, client: &Arc<Client>, path: &str) -> (Self, Option<Errand>) {
        let (guest, greeting) = Guest::new(&client.socket.id.0, path);
        let (hub, client) = (Arc::clone(hub), Arc::clone(client));
        let visits = Bucket::full(VISITS, Instant::now());
        (Self { hub, client, guest, places: Vec::new(), visits, introduced: 0 }, greeting)
    }

    /// Takes in an event; false if it is none of a dialect.
    pub(super) async fn hear(&mut self, event: &Incoming) -> bool {
        let heard = match &event.attachments[..] {
            [] => self.guest.handle(&event.name, &event.args),
            // No client of a dialect sends any, and a payload without them would be a torso.
            _ => Heard::Nothing,
        };
        self.introduce();
        match heard {
            Heard::Unknown => return false,
            Heard::Nothing => self.hub.refusals.ignore(),
            Heard::Errand(errand) => self.run(errand).await,
        }
        true
    }

    /// Does what the guest asks for. Who enters and lists too often waits.
    pub(super) async fn run(&mut self, errand: Errand) {
        if !matches!(errand, Errand::Ask { .. }) {
            let wait = self.visits.owe(VISITS, Instant::now(), 1.0);
            if !wait.is_zero() {
                sleep(wait).await;
            }
        }
        match errand {
            Errand::Enter { address, join } => self.enter(address, Request::Join(join)).await,
            Errand::Ask { address, request } => self.ask(&address, request).await,
            Errand::MakeRoom { dialect, id, title } => {
                if let Some(hall) = self.hub.hall(dialect.name()) {
                    hall.make(&id, &title, self.client.prefix);
                }
            }
            Errand::ListRooms { dialect } => {
                if let Some(hall) = self.hub.hall(dialect.name()) {
                    hall.tell([self.client.connection]);
                }
            }
        }
    }

    /// The socket is gone, which nobody who speaks a dialect comes back from.
    pub(super) async fn gone(&mut self) {
        let connection = self.client.connection;
        for dialect in self.guest.spoken() {
            if let Some(hall) = self.hub.hall(dialect.name()) {
                hall.unsubscribe(connection);
            }
        }
        for place in std::mem::take(&mut self.places) {
            let departure = room::Departure::Left;
            place.deliver(&self.hub, Mail::Gone { connection, departure }).await;
        }
    }

    /// Lets the halls know whom to tell of new rooms.
    fn introduce(&mut self) {
        if self.guest.spoken().count() == self.introduced {
            return;
        }
        self.introduced = self.guest.spoken().count();
        for dialect in self.guest.spoken() {
            if let Some(hall) = self.hub.hall(dialect.name()) {
                hall.subscribe(self.client.connection, self.client.socket.clone());
            }
        }
    }

    async fn enter(&mut self, address: Address, request: Request) {
        let hall = address.dialect().and_then(|dialect| self.hub.hall(dialect));
        if hall.is_some_and(|hall| !hall.knows(address.name())) {
            return self.hub.refusals.ignore();
        }
        for left in self.guest.enter(&address) {
            self.ask(&left, Request::Leave).await;
        }
        let seat = Arc::new(Seat(Arc::clone(&self.client)));
        let held = Arc::downgrade(&seat);
        let mail = Mail::Enter { seat, request, ack: None, guess: None };
        match self.hub.enter(&address, Box::new(mail)).await {
            Ok(mailbox) => {
                self.places.retain(|place| place.address != address && place.is_held());
                self.places.push(Place { address, mailbox, seat: held });
            }
            Err((error, mail)) => self.hub.turn_away(&address, error, *mail),
        }
    }

    async fn ask(&mut self, address: &Address, request: Request) {
        let leaves = matches!(request, Request::Leave);
        let place = self.places.iter().position(|place| place.address == *address);
        let Some((at, place)) = place.and_then(|at| Some((at, self.places.get(at)?))) else {
            return self.hub.refusals.ignore();
        };
        let from = self.client.connection;
        place.deliver(&self.hub, Mail::Ask { from, request, ack: None }).await;
        if leaves {
            self.places.remove(at);
        }
    }
}

/// Tells clients what happened in a room, encoded once for all of them.
pub(super) fn tell<'a>(
    hub: &Hub,
    room: &Address,
    speech: Speech<'_>,
    clients: &(impl Iterator<Item = &'a Client> + Clone),
) {
    for word in speech {
        match word {
            Word::Event(said) => {
                let packet = encode(&said);
                clients.clone().for_each(|client| client.socket.emit(Arc::clone(&packet)));
            }
            Word::RoomList => {
                if let Some(hall) = room.dialect().and_then(|dialect| hub.hall(dialect)) {
                    hall.tell(clients.clone().map(|client| client.connection));
                }
            }
        }
    }
}

/// Tells somebody that the server has no room for the room.
pub(super) fn turn_away(hub: &Hub, room: &Address, client: &Client) {
    let Some(dialect) = room.dialect().and_then(named) else { return };
    let scene = Scene::new(room.name(), &client.socket.id.0, None);
    let speech = dialect.refused(&scene, Refusal::RoomFull);
    tell(hub, room, speech, &std::iter::once(client));
}

/// An event as a packet.
pub(super) fn encode(said: &Said<'_>) -> Arc<str> {
    encode_raw_event(said.event, said.args.iter().map(AsRef::as_ref))
}
