//! Dialects on the signaling server, with queues as sockets and a paused clock.
//! crates/room/tests/dialects tests the translation; these tests cover the server.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{Config, Session, Signaling};
use crate::{
    shard::turn::RoomCredentials,
    socketio::{
        Ack, Application, CloseReason, Events, Handshake, Incoming, Outbox, OutboxLimits, Outgoing,
        Socket, SocketId,
    },
};

/// A tutorial page's socket.
struct Page {
    session: Session,
    socket: Socket,
    outbox: Outbox,
}

fn server() -> Arc<Signaling> {
    Signaling::new(Config::new(RoomCredentials::new(b"secret")))
}

async fn connect_at(server: &Signaling, id: &str, path: &'static str) -> Page {
    connect_by(server, id, path, [192, 0, 2, 1]).await
}

async fn connect_from(server: &Signaling, id: &str, address: [u8; 4]) -> Page {
    connect_by(server, id, "/socket.io/", address).await
}

async fn connect_by(server: &Signaling, id: &str, path: &'static str, address: [u8; 4]) -> Page {
    let (socket, outbox) = Socket::new(SocketId(id.into()), OutboxLimits::default());
    let handshake = Handshake {
        open_for: Duration::ZERO,
        address: IpAddr::from(address),
        local: ([10, 0, 0, 2], 4000).into(),
        host: None,
        secure: false,
        path,
        namespace: "/".into(),
        auth: None,
        bearer: None,
        session: None,
        door: None,
    };
    let mut session = server.connect(socket.clone(), handshake).unwrap();
    session.connected().await;
    Page { session, socket, outbox }
}

async fn connect(server: &Signaling, id: &str) -> Page {
    connect_at(server, id, "/socket.io/").await
}

fn read(outgoing: &Outgoing) -> Value {
    let Outgoing::Packet(packet) = outgoing else { panic!("an event, not {outgoing:?}") };
    let json = packet.strip_prefix('2').unwrap_or_else(|| panic!("an event, not {packet}"));
    serde_json::from_str(json).unwrap()
}

impl Page {
    /// Emits `[event, argument…]`.
    async fn emit(&mut self, event: Value) {
        self.emit_with_ack(event, None).await;
    }

    async fn emit_with_ack(&mut self, event: Value, ack: Option<Ack>) {
        let mut args: Vec<_> = serde_json::from_value(event).unwrap();
        let Value::String(name) = args.remove(0) else { panic!("a name") };
        let raw = |value: &Value| serde_json::value::to_raw_value(value).unwrap();
        let args = args.iter().map(raw).collect();
        self.session.event(Incoming { name, args, attachments: Vec::new(), ack }).await;
    }

    /// Receives as many events as expected and compares them.
    async fn expect(&mut self, events: Value) {
        let Value::Array(events) = events else { panic!("a list of events") };
        let mut received = Vec::new();
        while received.len() < events.len() {
            received.extend(self.outbox.take().await.unwrap().iter().map(read));
        }
        assert_eq!(received, events);
    }

    /// Receives all events until the server is idle.
    async fn drain(&mut self) -> Vec<Value> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.outbox.take_now().iter().map(read).collect()
    }

    async fn native_rooms(&mut self) -> Value {
        self.emit_with_ack(
            json!(["room:list", {}]),
            Some(Ack { id: 1, socket: self.socket.clone() }),
        )
        .await;
        let taken = self.outbox.take().await.unwrap();
        let Outgoing::Packet(packet) = &taken[0] else { panic!("{taken:?}") };
        let answer: Vec<Value> = serde_json::from_str(packet.strip_prefix("31").unwrap()).unwrap();
        answer[0]["ok"]["rooms"].clone()
    }
}

#[tokio::test(start_paused = true)]
async fn video_chat_joins_and_exchanges_candidates() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server, "a").await, connect(&server, "b").await);
    let mut cem = connect(&server, "c").await;
    ann.emit(json!(["join", "tea"])).await;
    ann.expect(json!([["created"]])).await;
    ben.emit(json!(["join", "tea"])).await;
    ben.expect(json!([["joined"]])).await;
    cem.emit(json!(["join", "tea"])).await;
    cem.expect(json!([["full"]])).await;
    ben.emit(json!(["ready", "tea"])).await;
    ann.expect(json!([["ready"]])).await;
    ann.emit(json!(["offer", {"sdp": "v=0"}, "tea"])).await;
    ben.expect(json!([["offer", {"sdp": "v=0"}]])).await;
    cem.emit(json!(["offer", {"sdp": "evil"}, "tea"])).await;
    assert_eq!(ben.drain().await, [] as [Value; 0]);
    // Any end of the connection is a leave and frees a place.
    ann.session.gone(CloseReason::Lost).await;
    cem.emit(json!(["join", "tea"])).await;
    cem.expect(json!([["joined"]])).await;
    cem.emit(json!(["join", "tea"])).await;
    cem.expect(json!([["full"]])).await;
    cem.emit(json!(["candidate", 1, "tea"])).await;
    ben.expect(json!([["candidate", 1]])).await;
    assert_eq!(cem.drain().await, [] as [Value; 0], "still a member after another rejection");
}

#[tokio::test(start_paused = true)]
async fn path_enters_its_single_room() {
    let server = server();
    let path = "/webRTC_V0/";
    let mut ann = connect_at(&server, "a", path).await;
    let mut ben = connect_at(&server, "b", path).await;
    let mut elsewhere = connect(&server, "c").await;
    let sent = json!(["webrtc:signaling", {"type": "offer", "data": {}}]);
    ann.emit(sent.clone()).await;
    ben.expect(json!([sent])).await;
    elsewhere.emit(sent.clone()).await;
    ben.emit(json!(["room:join", {"room": "tea", "name": "Ben"}])).await;
    ben.emit(json!(["join", "tea"])).await;
    for page in [&mut ann, &mut ben, &mut elsewhere] {
        assert_eq!(page.drain().await, [] as [Value; 0]);
    }
    assert_eq!(elsewhere.native_rooms().await[0]["participants"], 2);
}

#[tokio::test(start_paused = true)]
async fn conference_has_a_room_list() {
    let server = server();
    let mut lobby = connect(&server, "lobby").await;
    let mut native = connect(&server, "native").await;
    let mut silent = connect(&server, "silent").await;
    native.native_rooms().await;
    lobby.emit(json!(["get room list"])).await;
    lobby.expect(json!([["give room list", {}]])).await;
    lobby.emit(json!(["make room", {"roomName": "Tea", "roomID": "t"}])).await;
    let made = json!([["give room list", {"t": {"roomName": "Tea", "members": []}}]]);
    lobby.expect(made.clone()).await;
    assert_eq!(silent.drain().await, [] as [Value; 0], "no dialect detected yet");
    assert_eq!(native.drain().await, [] as [Value; 0]);

    let member = |id: &str| json!({"socketID": id, "streamID": format!("{id}-s"), "userName": id});
    let mut people = BTreeMap::new();
    for id in ["a", "b", "c"] {
        let mut page = connect(&server, id).await;
        let join = json!({"roomID": "t", "streamID": format!("{id}-s"), "userName": id});
        page.emit(json!(["join room", join])).await;
        let others: Vec<Value> = people.keys().map(|other: &&str| member(other)).collect();
        page.expect(json!([["other users", others]])).await;
        for other in people.values_mut() {
            let other: &mut Page = other;
            other.expect(json!([["user joined", member(id)]])).await;
        }
        people.insert(id, page);
    }
    let offer = json!(["offer", {"target": "b", "caller": "c", "sdp": 1}]);
    people.get_mut("c").unwrap().emit(offer.clone()).await;
    people.get_mut("b").unwrap().expect(json!([offer])).await;
    people.get_mut("b").unwrap().emit(json!(["out room"])).await;
    let out = json!(["out user", {"username": "b", "streamID": "b-s"}]);
    let list = |members: &[Value]| json!(["give room list", {"t": {"roomName": "Tea", "members": members}}]);
    for id in ["a", "c"] {
        let page = people.get_mut(id).unwrap();
        page.expect(json!([out, list(&[member("a"), member("c")])])).await;
    }
    for id in ["a", "c"] {
        people.remove(id).unwrap().session.gone(CloseReason::Lost).await;
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    lobby.emit(json!(["get room list"])).await;
    lobby.expect(json!([list(&[])])).await;
    let mut again = people.remove("b").unwrap();
    assert_eq!(again.drain().await, [] as [Value; 0]);
    again.emit(json!(["join room", {"roomID": "nowhere", "streamID": 1}])).await;
    again.emit(json!(["join room", {"roomID": "t", "streamID": 1}])).await;
    again.expect(json!([["other users", []]])).await;
}

#[tokio::test(start_paused = true)]
async fn growing_room_list_reaches_everyone() {
    let server = server();
    let mut readers = Vec::new();
    for n in 0..50 {
        let mut reader = connect(&server, &n.to_string()).await;
        reader.emit(json!(["get room list"])).await;
        readers.push(reader);
    }
    let mut makers = Vec::new();
    for n in 0..40 {
        makers.push(connect_from(&server, &format!("maker {n}"), [198, 51, 100, n]).await);
    }
    let started = tokio::time::Instant::now();
    for n in 0..400 {
        let room = json!({"roomName": "n".repeat(200), "roomID": n.to_string()});
        makers[n % 40].emit(json!(["make room", room])).await;
    }
    for reader in &mut readers {
        tokio::time::sleep(Duration::from_secs(6)).await;
        let lists = reader.drain().await;
        assert!(lists.len() < 400, "gathered");
        let last = lists.last().unwrap();
        assert_eq!(last[1].as_object().unwrap().len(), 400, "complete at the end");
    }
    assert!(started.elapsed() > Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn room_creation_does_not_flood_others_with_lists() {
    let server = server();
    let mut readers = Vec::new();
    for n in 0..60 {
        let mut reader = connect(&server, &n.to_string()).await;
        if n % 2 == 0 {
            reader.emit(json!(["get room list"])).await;
        }
        readers.push(reader);
    }
    let mut other = connect_from(&server, "other", [198, 51, 100, 7]).await;
    other.emit(json!(["make room", {"roomName": "Tea", "roomID": "tea"}])).await;
    let mut maker = connect_from(&server, "maker", [203, 0, 113, 9]).await;
    let mut bytes_in = 0;
    for n in 0..600 {
        let make = json!(["make room", {"roomName": "n".repeat(400), "roomID": n.to_string()}]);
        bytes_in += make.to_string().len();
        maker.emit(make).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut bytes_out = 0;
    for (n, reader) in readers.iter_mut().enumerate() {
        let lists = reader.drain().await;
        assert!(
            if n % 2 == 0 { lists.len() < 100 } else { lists.is_empty() },
            "{n}: {}",
            lists.len()
        );
        bytes_out += lists.iter().map(|list| list.to_string().len()).sum::<usize>();
        if let Some(last) = lists.last() {
            assert!(last[1]["tea"].is_object(), "an empty room of another maker stays listed");
            assert_eq!(last[1].as_object().unwrap().len(), 11);
        }
    }
    assert!(bytes_out < 30 * bytes_in, "{bytes_in} bytes in, {bytes_out} bytes out");
}

#[tokio::test(start_paused = true)]
async fn one_to_one_reports_exits() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server, "a").await, connect(&server, "b").await);
    let mut cem = connect(&server, "c").await;
    ann.emit(json!(["join_room", {"room": "tea", "email": "a@x"}])).await;
    ann.expect(json!([["all_users", []]])).await;
    ann.emit(json!(["join_room", {"room": "tea", "email": "a@x"}])).await;
    ann.expect(json!([["all_users", []]])).await;
    ben.emit(json!(["join_room", {"room": "tea", "email": "b@x"}])).await;
    ben.expect(json!([["all_users", [{"id": "a", "email": "a@x"}]]])).await;
    cem.emit(json!(["join_room", {"room": "tea", "email": "c@x"}])).await;
    cem.expect(json!([["room_full"]])).await;
    ben.emit(json!(["offer", {"sdp": "v=0"}])).await;
    ann.expect(json!([["getOffer", {"sdp": "v=0"}]])).await;
    ann.session.gone(CloseReason::ByServer).await;
    ben.expect(json!([["user_exit", {"id": "a"}]])).await;
    cem.emit(json!(["join_room", {"room": "tea", "email": "c@x"}])).await;
    cem.expect(json!([["all_users", [{"id": "b", "email": "b@x"}]]])).await;
}

#[tokio::test(start_paused = true)]
async fn codelab_events_are_in_order() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server, "a").await, connect(&server, "b").await);
    ann.emit(json!(["create or join", "tea"])).await;
    ann.expect(json!([["created", "tea", "a"]])).await;
    ben.emit(json!(["create or join", "tea"])).await;
    ben.emit(json!(["message", "got user media"])).await;
    ann.expect(json!([["join", "tea"], ["ready"], ["message", "got user media"]])).await;
    ben.expect(json!([["joined", "tea", "b"], ["ready"]])).await;
}

#[tokio::test(start_paused = true)]
async fn lobby_lists_dialect_rooms_after_native_rooms() {
    let server = server();
    let mut native = connect(&server, "n").await;
    let mut pages = Vec::new();
    for id in ["a", "b"] {
        let mut page = connect(&server, id).await;
        page.emit(json!(["join", "tea\u{202e}"])).await;
        pages.push(page);
    }
    pages[0].emit(json!(["join", ""])).await;
    let mut other = connect(&server, "o").await;
    other.emit(json!(["room:join", {"room": "tea", "name": "Ann"}])).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    let foreign = |name: &str, participants: u32| {
        json!({
            "name": name, "participants": participants, "capacity": 2, "locked": false,
            "dialect": "video-chat",
        })
    };
    let tea = json!({"name": "tea", "participants": 1, "capacity": 9, "locked": false});
    let rooms = json!([tea, foreign("tea", 2), foreign("—", 1)]);
    assert_eq!(native.native_rooms().await, rooms);
    for page in &mut pages {
        page.session.gone(CloseReason::Lost).await;
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(native.native_rooms().await, json!([tea]));
}

#[tokio::test(start_paused = true)]
async fn full_server_reports_full_in_dialects() {
    let config = Config { max_rooms: 1, ..Config::new(RoomCredentials::new(b"secret")) };
    let server = Signaling::new(config);
    let mut ann = connect(&server, "a").await;
    ann.emit(json!(["join", "tea"])).await;
    ann.expect(json!([["created"]])).await;
    for (join, received) in [
        (json!(["join", "den"]), json!([["full"]])),
        (json!(["create or join", "den"]), json!([["full", "den"]])),
        (json!(["join_room", {"room": "den"}]), json!([["room_full"]])),
    ] {
        let mut page = connect(&server, "x").await;
        page.emit(join).await;
        page.expect(received).await;
    }
    let mut page = connect_at(&server, "x", "/webRTC_V0/").await;
    page.emit(json!(["webrtc:signaling", 1])).await;
    assert_eq!(page.drain().await, [] as [Value; 0]);
}

#[tokio::test(start_paused = true)]
async fn unknown_event_is_rejected() {
    let server = server();
    let mut page = connect(&server, "a").await;
    for event in [json!(["nonsense"]), json!(["offer", 1]), json!(["webrtc:signaling", 1])] {
        let ack = Ack { id: 7, socket: page.socket.clone() };
        page.emit_with_ack(event, Some(ack)).await;
        let taken = page.outbox.take().await.unwrap();
        let Outgoing::Packet(packet) = &taken[0] else { panic!("{taken:?}") };
        assert!(packet.contains("unknown_event"), "{packet}");
    }
    assert_eq!(server.unacknowledged_rejections(), 0);
    page.emit(json!(["join", 5])).await;
    page.emit(json!(["ready", "tea"])).await;
    assert_eq!(server.unacknowledged_rejections(), 2);
}

/// Twenty concurrent rooms of each dialect, on real threads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_dialect_rooms_are_ordered_and_isolated() {
    let server = server();
    let mut rooms = Vec::new();
    for kind in 0..5 {
        for room in 0..if kind == 1 { 1 } else { 20 } {
            rooms.push(tokio::spawn(one_room(Arc::clone(&server), kind, room)));
        }
    }
    for room in rooms {
        room.await.unwrap();
    }
}

/// Two clients exchange fifty messages, alternating and concurrently, and receive exactly those.
async fn one_room(server: Arc<Signaling>, kind: usize, room: u8) {
    const WORDS: usize = 50;
    let name = format!("room {room}");
    let path = if kind == 1 { "/webRTC_V0/" } else { "/socket.io/" };
    let mut pages = Vec::new();
    for who in 0..2 {
        let id = format!("{kind} {room} {who}");
        let mut page = connect_by(&server, &id, path, [198, 51, 100, room]).await;
        if kind == 2 {
            page.emit(json!(["make room", {"roomName": name, "roomID": name}])).await;
        }
        page.emit(match kind {
            0 => json!(["join", name]),
            1 => json!(["nothing"]),
            2 => json!(["join room", {"roomID": name, "streamID": id, "userName": id}]),
            3 => json!(["join_room", {"room": name, "email": id}]),
            _ => json!(["create or join", name]),
        })
        .await;
        // The answer confirms the membership.
        if kind != 1 {
            let received = ["created", "joined", "other users", "all_users"];
            let mut told_yet = false;
            while !told_yet {
                let taken = page.outbox.take().await.unwrap();
                told_yet =
                    taken.iter().any(|one| received.iter().any(|name| read(one)[0] == *name));
            }
        }
        pages.push((id, page));
    }
    let others = [pages[1].0.clone(), pages[0].0.clone()];
    for word in 0..WORDS {
        for ((id, page), other) in pages.iter_mut().zip(&others) {
            let words = json!({"from": id, "word": word});
            page.emit(match kind {
                0 => json!(["candidate", words, name]),
                1 => json!(["webrtc:signaling", words]),
                2 => json!(["offer", {"target": other, "caller": id, "sdp": words}]),
                3 => json!(["candidate", words]),
                _ => json!(["message", words]),
            })
            .await;
        }
    }
    for ((_, page), other) in pages.iter_mut().zip(&others) {
        let mut next = 0;
        while next < WORDS {
            for sent in page.outbox.take().await.unwrap().iter().map(read) {
                let words = if kind == 2 { &sent[1]["sdp"] } else { &sent[1] };
                if words["word"].is_number() {
                    assert_eq!(words, &json!({"from": other, "word": next}), "{sent}");
                    next += 1;
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rooms_of_one_address_do_not_exhaust_the_limit() {
    let config = Config { max_rooms: 400, ..Config::new(RoomCredentials::new(b"secret")) };
    let server = Signaling::new(config);
    let mut hoarders = Vec::new();
    for n in 0..30 {
        let mut page = connect(&server, &format!("hoarder {n}")).await;
        for room in 0..16 {
            page.emit(json!(["join", format!("{n}.{room}")])).await;
        }
        hoarders.push(page);
    }
    let mut received = [0, 0];
    for page in &mut hoarders {
        for event in page.drain().await {
            received[usize::from(event == json!(["full"]))] += 1;
        }
    }
    assert_eq!(received, [50, 430], "opened and rejected rooms");
    let mut other = connect_from(&server, "other", [198, 51, 100, 7]).await;
    other.emit(json!(["join", "tea"])).await;
    other.expect(json!([["created"]])).await;
    let mut native = connect_from(&server, "native", [198, 51, 100, 8]).await;
    native.emit(json!(["room:join", {"room": "tea", "name": "Ann"}])).await;
    native.drain().await;
    assert_eq!(native.native_rooms().await[0]["participants"], 1);
    // Leaving frees the quota.
    for page in &mut hoarders {
        page.session.gone(CloseReason::Lost).await;
    }
    other.drain().await;
    let mut back = connect(&server, "back").await;
    back.emit(json!(["join", "den"])).await;
    back.expect(json!([["created"]])).await;
}

#[tokio::test(start_paused = true)]
async fn dialect_rooms_do_not_displace_native_rooms() {
    let config = Config { max_rooms: 4, ..Config::new(RoomCredentials::new(b"secret")) };
    let server = Signaling::new(config);
    let mut pages = Vec::new();
    for n in 0..8 {
        let mut page = connect_from(&server, &n.to_string(), [198, 51, 100, n]).await;
        page.emit(json!(["create or join", format!("room {n}")])).await;
        pages.push(page);
    }
    let mut native = connect_from(&server, "native", [192, 0, 2, 9]).await;
    native.emit(json!(["room:join", {"room": "tea", "name": "Ann"}])).await;
    native.drain().await;
    assert_eq!(native.native_rooms().await[0]["name"], "tea");
}
