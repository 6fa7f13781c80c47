//! Signaling with sockets that are queues, on a clock that jumps.

use std::{net::IpAddr, sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{Config, Session, Signaling};
use crate::socket::app::{
    Ack, Application, Events, Gone, Handshake, Incoming, Outbox, OutboxLimits, Outgoing, Socket,
    SocketId,
};

/// What came to a client.
#[derive(Debug, Clone, PartialEq)]
enum Came {
    Event(String, Value, Option<u64>),
    Answer(u64, Value),
    Dismissal,
}

/// A client as its driver sees it.
struct Client {
    session: Session,
    socket: Socket,
    outbox: Outbox,
    came: Vec<Came>,
    asked: u64,
}

fn config() -> Config {
    Config::new(b"secret".as_slice().into())
}

fn server() -> Arc<Signaling> {
    Signaling::new(config())
}

fn socket() -> (Socket, Outbox) {
    Socket::new(SocketId("sid".into()), OutboxLimits::default())
}

fn handshake(address: [u8; 4]) -> Handshake {
    Handshake {
        address: IpAddr::from(address),
        local_port: 4000,
        host: Some("moim.example".to_owned()),
        secure: true,
        path: "/socket.io/",
        namespace: "/".into(),
        auth: None,
    }
}

fn connect(server: &Signaling) -> Client {
    connect_from(server, [192, 0, 2, 1])
}

fn connect_from(server: &Signaling, address: [u8; 4]) -> Client {
    let (socket, outbox) = socket();
    let session = server.connect(socket.clone(), handshake(address)).unwrap();
    Client { session, socket, outbox, came: Vec::new(), asked: 0 }
}

fn read(outgoing: &Outgoing) -> Came {
    let packet = match outgoing {
        Outgoing::Packet(packet) => packet,
        Outgoing::Disconnect => return Came::Dismissal,
        Outgoing::Binary(..) => panic!("no attachments here: {outgoing:?}"),
    };
    let (kind, rest) = packet.split_at(1);
    let (id, json) = rest.split_at(rest.find('[').unwrap());
    let mut args: Vec<Value> = serde_json::from_str(json).unwrap();
    match kind {
        "3" => Came::Answer(id.parse().unwrap(), args.remove(0)),
        "2" => {
            let number = args.get(2).map(|number| number.as_u64().unwrap());
            Came::Event(args[0].as_str().unwrap().to_owned(), args.remove(1), number)
        }
        _ => panic!("an event or an acknowledgement, not {packet}"),
    }
}

impl Client {
    /// Sends an event that asks for an acknowledgement and gives that.
    async fn ask(&mut self, event: &str, payload: Value) -> Value {
        let id = self.send(event, payload).await;
        loop {
            let answer = |came: &Came| matches!(came, Came::Answer(to, _) if *to == id);
            if let Some(at) = self.came.iter().position(answer) {
                let Came::Answer(_, answer) = self.came.remove(at) else { unreachable!() };
                return answer;
            }
            self.receive().await;
        }
    }

    /// Sends without waiting for the answer; gives the acknowledgement's id.
    async fn send(&mut self, event: &str, payload: Value) -> u64 {
        self.asked += 1;
        let ack = Some(Ack { id: self.asked, socket: self.socket.clone() });
        self.emit(event, vec![payload], ack).await;
        self.asked
    }

    async fn emit(&mut self, event: &str, args: Vec<Value>, ack: Option<Ack>) {
        let raw = |value: &Value| serde_json::value::to_raw_value(value).unwrap();
        let args = args.iter().map(raw).collect();
        let event = Incoming { name: event.to_owned(), args, attachments: Vec::new(), ack };
        self.session.event(event).await;
    }

    async fn receive(&mut self) {
        let taken = self.outbox.take().await.unwrap();
        self.came.extend(taken.iter().map(read));
    }

    /// The next event, which must be this one.
    async fn hears(&mut self, event: &str) -> Value {
        while self.came.is_empty() {
            self.receive().await;
        }
        match self.came.remove(0) {
            Came::Event(name, payload, _) if name == event => payload,
            other => panic!("{event} was to come, not {other:?}"),
        }
    }

    /// Joins and gives the answer's content.
    async fn join(&mut self, room: &str, name: &str) -> Value {
        let answer = self.ask("room:join", json!({"room": room, "name": name})).await;
        answer.get("ok").unwrap_or_else(|| panic!("{answer}")).clone()
    }

    /// Everything that came and comes until all tasks rest.
    async fn everything(&mut self) -> Vec<Came> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.came.extend(self.outbox.take_now().iter().map(read));
        std::mem::take(&mut self.came)
    }
}

fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or_else(|| panic!("an error, not {answer}"))
}

fn id(joined: &Value) -> &str {
    joined["self"]["id"].as_str().unwrap()
}

#[tokio::test(start_paused = true)]
async fn two_people_meet_and_signal() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server), connect(&server));
    let ann_is = ann.join("tea", "Ann").await;
    assert_eq!(ann_is["participants"], json!([]));
    assert_eq!(ann_is["topology"], "mesh");
    assert_eq!(ann_is["resumeSeconds"], 30);
    let urls = &ann_is["iceServers"][1]["urls"];
    assert_eq!(urls[0], "turn:moim.example:4000?transport=udp");
    let ben_is = ben.join("tea", "Ben").await;
    assert_eq!(ben_is["participants"], json!([ann_is["self"]]));
    assert_eq!(ann.hears("participant:joined").await, ben_is["self"]);

    let description = json!({"type": "offer", "sdp": "v=0"});
    let signal = json!({"to": id(&ann_is), "description": description});
    assert_eq!(ben.ask("signal", signal).await, json!({"ok": {}}));
    let signal = json!({"from": id(&ben_is), "description": description});
    assert_eq!(ann.hears("signal").await, signal);

    let media = json!({"mic": true, "camera": true, "screen": false, "hand": false});
    assert_eq!(ann.ask("media", media.clone()).await, json!({"ok": {}}));
    assert_eq!(ben.hears("participant:updated").await["media"], media);

    assert_eq!(ben.ask("room:leave", json!({})).await, json!({"ok": {}}));
    assert_eq!(ann.hears("participant:left").await, json!({"id": id(&ben_is)}));
    assert_eq!(ann.everything().await, []);
    assert_eq!(ben.everything().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_full_room_says_so_and_takes_the_next_when_somebody_leaves() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server), connect(&server));
    let create = json!({"name": "tea", "capacity": 1});
    let created = ann.ask("room:create", create.clone()).await;
    let room = json!({"name": "tea", "participants": 0, "capacity": 1, "locked": false});
    assert_eq!(created, json!({"ok": {"room": room}}));
    assert_eq!(code(&ben.ask("room:create", create).await), "room_exists");
    ann.join("tea", "Ann").await;
    let join = json!({"room": "tea", "name": "Ben"});
    assert_eq!(code(&ben.ask("room:join", join.clone()).await), "room_full");
    assert_eq!(code(&ann.ask("room:join", join.clone()).await), "already_joined");
    // Leaving and joining elsewhere at once, without waiting for answers.
    ann.send("room:leave", json!({})).await;
    assert!(ann.ask("room:join", json!({"room": "other", "name": "Ann"})).await["ok"].is_object());
    assert!(ben.ask("room:join", join).await["ok"].is_object());
}

#[tokio::test(start_paused = true)]
async fn people_write_to_each_other_and_who_floods_is_held_back() {
    let server = server();
    let mut ann = connect(&server);
    let early = ann.ask("chat", json!({"text": "anybody?"})).await;
    assert_eq!(code(&early), "not_joined");
    ann.ask("room:join", json!({"room": "tea", "name": "Ann"})).await;
    let mut ben = connect(&server);
    ben.ask("room:join", json!({"room": "tea", "name": "Ben"})).await;
    assert_eq!(ann.ask("chat", json!({"text": " hello\n"})).await, json!({"ok": {}}));
    let told = ben.hears("chat").await;
    assert_eq!(told["text"], "hello");
    assert!(told["at"].as_u64().unwrap() > 1_700_000_000_000);
    for nonsense in [json!({}), json!({"text": " "}), json!({"text": "a", "from": "Ben"})] {
        assert_eq!(code(&ann.ask("chat", nonsense).await), "invalid");
    }
    let long = json!({"text": "a".repeat(2_001)});
    assert_eq!(code(&ann.ask("chat", long).await), "invalid");

    let mut refused = 0;
    for _ in 0..100 {
        let answer = ann.ask("chat", json!({"text": "buy now"})).await;
        refused += usize::from(answer["error"]["code"] == "rate_limited");
    }
    assert!((80..=82).contains(&refused), "{refused} of 100 were refused");
    // What else a socket asks is not held back with it.
    let media = json!({"mic": true, "camera": false, "screen": false, "hand": false});
    assert_eq!(ann.ask("media", media).await, json!({"ok": {}}));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(ann.ask("chat", json!({"text": "sorry"})).await, json!({"ok": {}}));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_refused_and_guessing_ends_soon() {
    let server = server();
    let mut ann = connect(&server);
    let create = json!({"name": "tea", "password": "sesame"});
    assert_eq!(ann.ask("room:create", create).await["ok"]["room"]["locked"], true);
    let mut ben = connect(&server);
    assert_eq!(
        code(&ben.ask("room:join", json!({"room": "tea", "name": "Ben"})).await),
        "password_required"
    );
    let with = |password: &str| json!({"room": "tea", "name": "Ben", "password": password});
    let mut codes = Vec::new();
    for n in 0..12 {
        codes.push(code(&ben.ask("room:join", with(&n.to_string())).await).to_owned());
    }
    assert_eq!(codes[9], "wrong_password");
    assert_eq!(codes[10], "rate_limited");
    let mut cem = connect(&server);
    assert_eq!(code(&cem.ask("room:join", with("sesame")).await), "rate_limited", "same address");
    let mut dan = connect_from(&server, [192, 0, 2, 2]);
    assert!(dan.ask("room:join", with("sesame")).await["ok"].is_object());
    // Right passwords cost nothing.
    for _ in 0..20 {
        assert!(dan.ask("room:leave", json!({})).await["ok"].is_object());
        assert!(dan.ask("room:join", with("sesame")).await["ok"].is_object());
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(cem.ask("room:join", with("sesame")).await["ok"].is_object());
}

#[tokio::test(start_paused = true)]
async fn a_room_made_by_joining_with_a_password_is_locked_with_it() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server), connect(&server));
    let join = json!({"room": "tea", "name": "Ann", "password": "sesame"});
    assert_eq!(ann.ask("room:join", join).await["ok"]["room"]["locked"], true);
    let join = json!({"room": "tea", "name": "Ben"});
    assert_eq!(code(&ben.ask("room:join", join).await), "password_required");
}

#[tokio::test(start_paused = true)]
async fn a_resumed_participant_hears_what_it_missed_and_nobody_saw_it_go() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server), connect(&server));
    let ann_is = ann.join("tea", "Ann").await;
    let ben_is = ben.join("tea", "Ben").await;
    let Came::Event(.., Some(last)) = ann.everything().await.remove(0) else { panic!("numbered") };
    ann.session.gone(Gone::Lost).await;
    let mut cem = connect(&server);
    let cem_is = cem.join("tea", "Cem").await;
    let candidate = json!({"candidate": "c", "sdpMid": "0", "sdpMLineIndex": 0});
    ben.ask("signal", json!({"to": id(&ann_is), "candidate": candidate})).await;
    tokio::time::sleep(Duration::from_secs(29)).await;

    let mut again = connect(&server);
    let resume = json!({"room": "tea", "name": "Ann", "resume": ann_is["resume"], "last": last});
    let resumed = again.ask("room:join", resume.clone()).await["ok"].clone();
    assert_eq!(resumed["resumed"], true);
    assert_eq!(resumed["last"], last);
    assert_eq!(resumed["self"], ann_is["self"]);
    assert_eq!(again.hears("participant:joined").await, cem_is["self"]);
    assert_eq!(again.hears("signal").await, json!({"from": id(&ben_is), "candidate": candidate}));
    // Asking again does no harm.
    assert_eq!(again.ask("room:join", resume.clone()).await["ok"]["resumed"], true);
    assert_eq!(again.everything().await.len(), 2);
    // And once more, while this one still looks alive; it is told nothing.
    let mut third = connect(&server);
    assert_eq!(third.ask("room:join", resume).await["ok"]["resumed"], true);
    assert_eq!(third.everything().await.len(), 2);
    assert_eq!(code(&again.ask("room:leave", json!({})).await), "not_joined");
    again.session.gone(Gone::Lost).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(again.everything().await, []);
    let names = |came: Vec<Came>| -> Vec<String> {
        let name = |came| match came {
            Came::Event(name, ..) => name,
            other => panic!("an event, not {other:?}"),
        };
        came.into_iter().map(name).collect()
    };
    assert_eq!(names(ben.everything().await), ["participant:joined"], "Cem, and no leave");
}

#[tokio::test(start_paused = true)]
async fn a_token_of_a_room_that_is_gone_expires_without_making_the_room() {
    let server = server();
    let mut ann = connect(&server);
    let ann_is = ann.join("tea", "Ann").await;
    ann.session.gone(Gone::Lost).await;
    tokio::time::sleep(Duration::from_secs(31)).await;
    let mut again = connect(&server);
    let resume = json!({"room": "tea", "name": "Ann", "resume": ann_is["resume"], "last": 0});
    assert_eq!(code(&again.ask("room:join", resume).await), "resume_expired");
    assert_eq!(again.ask("room:list", json!({})).await, json!({"ok": {"rooms": []}}));
    assert_eq!(again.join("tea", "Ann").await["resumed"], false);
}

#[tokio::test(start_paused = true)]
async fn who_disconnects_for_good_leaves_at_once() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server), connect(&server));
    ann.join("tea", "Ann").await;
    let ben_is = ben.join("tea", "Ben").await;
    ann.hears("participant:joined").await;
    ben.session.gone(Gone::ByClient).await;
    assert_eq!(ann.everything().await.len(), 1);
    ann.session.gone(Gone::ByClient).await;
    let mut cem = connect(&server);
    let cem_is = cem.join("tea", "Cem").await;
    assert_eq!(cem_is["participants"], json!([]));
    assert_ne!(id(&cem_is), id(&ben_is));
}

#[tokio::test(start_paused = true)]
async fn the_lobby_is_live_and_gathers_changes() {
    let server = server();
    let mut watcher = connect(&server);
    assert_eq!(watcher.ask("room:list", json!({})).await, json!({"ok": {"rooms": []}}));
    let mut people: Vec<Client> = (0..5).map(|_| connect(&server)).collect();
    for person in &mut people {
        person.join("tea", "somebody").await;
    }
    people[0].ask("room:create", json!({"name": "empty", "capacity": 2})).await;
    let rooms = json!({"rooms": [
        {"name": "tea", "participants": 5, "capacity": 9, "locked": false},
        {"name": "empty", "participants": 0, "capacity": 2, "locked": false},
    ]});
    assert_eq!(watcher.hears("room:list").await, rooms);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(watcher.everything().await, [], "once for all of these changes");
    for person in &mut people {
        person.session.gone(Gone::ByClient).await;
    }
    assert_eq!(watcher.hears("room:list").await["rooms"][0]["name"], "empty");
    tokio::time::sleep(Duration::from_secs(601)).await;
    assert_eq!(watcher.hears("room:list").await, json!({"rooms": []}));
    // In a call there is no lobby.
    watcher.join("tea", "Watcher").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(watcher.everything().await, []);
}

#[tokio::test(start_paused = true)]
async fn forged_targets_and_senders_are_refused() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server), connect(&server));
    let (mut eve, mut outside) = (connect(&server), connect(&server));
    let ann_is = ann.join("tea", "Ann").await;
    let ben_is = ben.join("tea", "Ben").await;
    eve.join("den", "Eve").await;
    ann.everything().await;
    let to = |target: &str| json!({"to": target, "candidate": {"candidate": "c"}});
    assert_eq!(code(&eve.ask("signal", to(id(&ann_is))).await), "no_such_participant");
    assert_eq!(code(&outside.ask("signal", to(id(&ann_is))).await), "not_joined");
    assert_eq!(code(&ben.ask("signal", to("__proto__")).await), "no_such_participant");
    assert_eq!(code(&ben.ask("signal", to(id(&ben_is))).await), "no_such_participant");
    let mut forged = to(id(&ann_is));
    forged["from"] = json!(id(&ann_is));
    assert_eq!(code(&ben.ask("signal", forged).await), "invalid");
    let description = json!({"type": "offer", "sdp": "s".repeat(64 << 10)});
    let large = json!({"to": id(&ann_is), "description": description});
    assert!(ben.ask("signal", large.clone()).await["ok"].is_object());
    let mut larger = large;
    larger["description"]["sdp"] = json!("s".repeat((64 << 10) + 1));
    assert_eq!(code(&ben.ask("signal", larger).await), "too_large");
    assert_eq!(ann.everything().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn bad_requests_are_answered_and_change_nothing() {
    let server = server();
    let mut ann = connect(&server);
    for (event, payload, expected) in [
        ("nonsense", json!({}), "unknown_event"),
        ("room:join", json!({"room": "tea"}), "invalid"),
        ("room:join", json!({"room": "t\u{0}", "name": "Ann"}), "invalid"),
        ("room:join", json!({"room": "t".repeat(65), "name": "Ann"}), "invalid"),
        ("room:join", json!("tea"), "invalid"),
        ("room:create", json!({"name": "tea", "capacity": 0}), "invalid"),
        ("room:create", json!({"name": "tea", "capacity": 1_000_000}), "invalid"),
        ("room:create", json!({"name": "tea", "topology": "sfu"}), "invalid"),
        ("room:create", json!({"name": "tea", "password": "p".repeat(300)}), "invalid"),
        ("signal", json!({"to": "x"}), "invalid"),
        ("media", json!({"mic": true}), "invalid"),
        ("media", json!({"mic": true, "camera": true, "screen": true, "hand": true}), "not_joined"),
        ("room:leave", json!({}), "not_joined"),
        ("direct", json!({"direct": true}), "not_joined"),
        ("direct", json!({}), "invalid"),
        ("handover", json!({"to": "x", "topology": "sfu"}), "not_joined"),
        ("handover", json!({"to": "x", "topology": "auto"}), "invalid"),
        ("publish", json!({"tracks": []}), "not_joined"),
        ("publish", json!({"tracks": [{"mid": "0", "source": "film"}]}), "invalid"),
        ("publish", json!({"tracks": [{"mid": "", "source": "camera"}]}), "invalid"),
        ("subscribe", json!({"tracks": []}), "not_joined"),
        ("subscribe", json!({"tracks": [{"participant": "x", "source": "camera"}]}), "invalid"),
        ("room:leave", json!([]), "invalid"),
    ] {
        let answer = ann.ask(event, payload.clone()).await;
        assert_eq!(code(&answer), expected, "{event} {payload}");
    }
    assert_eq!(server.untold_refusals(), 0);
    ann.emit("room:join", vec![], None).await;
    assert_eq!(server.untold_refusals(), 1);
    assert_eq!(ann.ask("room:list", json!({})).await, json!({"ok": {"rooms": []}}));
}

#[tokio::test(start_paused = true)]
async fn a_hundred_rooms_at_once_keep_their_signals_to_themselves() {
    let server = server();
    let rooms = (0..100).map(|room| {
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            let name = format!("room {room}");
            let mut people: Vec<Client> = (0..3).map(|_| connect(&server)).collect();
            let mut ids = Vec::new();
            for person in &mut people {
                ids.push(id(&person.join(&name, "somebody").await).to_owned());
            }
            for round in 0..10 {
                for from in 0..3 {
                    let to = &ids[(from + 1 + round % 2) % 3];
                    let candidate = json!({"candidate": format!("{name}/{from}/{round}")});
                    let signal = json!({"to": to, "candidate": candidate});
                    people[from].send("signal", signal).await;
                    tokio::task::yield_now().await;
                }
            }
            (name, people)
        })
    });
    let rooms: Vec<_> = rooms.collect();
    for room in rooms {
        let (name, mut people) = room.await.unwrap();
        let mut count = 0;
        for person in &mut people {
            for came in person.everything().await {
                let Came::Event(event, payload, _) = came else { continue };
                if event == "signal" {
                    count += 1;
                    let text = payload["candidate"]["candidate"].as_str().unwrap();
                    assert!(text.starts_with(&format!("{name}/")), "{text} in {name}");
                }
            }
        }
        assert_eq!(count, 30, "{name}");
    }
}

/// On real threads, since that is where a join meets a room that is just closing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_room_that_closes_as_somebody_joins_loses_nobody() {
    let server = server();
    let people = (0..64).map(|person| {
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            let mut client = connect(&server);
            for _ in 0..25 {
                let joined = client.join(&format!("room {}", person % 16), "somebody").await;
                let media = json!({"mic": true, "camera": true, "screen": true, "hand": true});
                assert_eq!(client.ask("media", media).await, json!({"ok": {}}), "{joined}");
                assert_eq!(client.ask("room:leave", json!({})).await, json!({"ok": {}}));
            }
        })
    });
    for person in people.collect::<Vec<_>>() {
        person.await.unwrap();
    }
    let mut watcher = connect(&server);
    // The last rooms may be closing still.
    while watcher.ask("room:list", json!({})).await != json!({"ok": {"rooms": []}}) {
        watcher.hears("room:list").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_holds_so_many_rooms_and_no_more() {
    let server = Signaling::new(Config { max_rooms: 2, ..config() });
    let mut people: Vec<Client> = (0..3).map(|_| connect(&server)).collect();
    people[0].join("a", "A").await;
    people[1].ask("room:create", json!({"name": "b"})).await;
    let join = json!({"room": "c", "name": "C"});
    assert_eq!(code(&people[2].ask("room:join", join.clone()).await), "server_full");
    assert_eq!(code(&people[2].ask("room:create", json!({"name": "c"})).await), "server_full");
    people[0].session.gone(Gone::ByClient).await;
    people[1].everything().await;
    assert!(people[2].ask("room:join", join).await["ok"].is_object());
}

#[tokio::test(start_paused = true)]
async fn credentials_are_refreshed_at_half_their_life() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server), connect(&server));
    let ann_is = ann.join("tea", "Ann").await;
    tokio::time::sleep(Duration::from_secs(60 * 60)).await;
    let ben_is = ben.join("tea", "Ben").await;
    ann.hears("participant:joined").await;
    let started = tokio::time::Instant::now();
    for hours in [5, 11] {
        let fresh = ann.hears("ice:servers").await;
        let user = fresh["iceServers"][1]["username"].as_str().unwrap();
        assert!(user.ends_with(&format!(":{}", id(&ann_is))), "{user}");
        assert_eq!(started.elapsed().as_secs() / 3600, hours);
    }
    ben.hears("ice:servers").await;
    assert_eq!(started.elapsed().as_secs() / 3600, 11, "Ben's first came at 6, unread until now");
    ben.session.gone(Gone::Lost).await;
    assert!(id(&ben_is) != id(&ann_is));
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_read_slowly_and_arrives_whole() {
    let server = server();
    let (mut ann, mut ben) = (connect(&server), connect(&server));
    let ann_is = ann.join("tea", "Ann").await;
    ben.join("tea", "Ben").await;
    ann.hears("participant:joined").await;
    let started = tokio::time::Instant::now();
    for n in 0..3000 {
        let candidate = json!({"candidate": n.to_string()});
        ben.ask("signal", json!({"to": id(&ann_is), "candidate": candidate})).await;
        let heard = ann.hears("signal").await;
        assert_eq!(heard["candidate"]["candidate"], n.to_string());
    }
    assert!(started.elapsed() > Duration::from_secs(9), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_reads_nothing_is_cut_off_and_the_others_go_on() {
    let server = server();
    let (mut ann, mut ben, mut cem) = (connect(&server), connect(&server), connect(&server));
    ann.join("tea", "Ann").await;
    ben.join("tea", "Ben").await;
    cem.join("tea", "Cem").await;
    for n in 0..3000 {
        let media = json!({"mic": n % 2 == 0, "camera": true, "screen": false, "hand": false});
        ben.ask("media", media).await;
        cem.everything().await;
    }
    assert!(ann.outbox.take().await.is_err(), "its queue overflowed");
    ann.session.gone(Gone::Lost).await;
    let media = json!({"mic": true, "camera": false, "screen": false, "hand": false});
    assert_eq!(ben.ask("media", media.clone()).await, json!({"ok": {}}));
    assert_eq!(cem.hears("participant:updated").await["media"], media);
}

#[tokio::test(start_paused = true)]
async fn draining_tells_everybody_and_takes_nobody_in() {
    let server = server();
    let (mut ann, mut watcher) = (connect(&server), connect(&server));
    ann.join("tea", "Ann").await;
    let draining = tokio::spawn({
        let server = Arc::clone(&server);
        async move { server.drain(Duration::from_secs(5)).await }
    });
    for (client, others_stay) in [(&mut ann, true), (&mut watcher, false)] {
        assert_eq!(client.hears("server:draining").await, json!({}));
        assert_eq!(client.everything().await, [Came::Dismissal]);
        assert!(!draining.is_finished());
        client.session.gone(Gone::ByServer).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(draining.is_finished(), !others_stay);
    }
    assert!(server.connect(socket().0, handshake([192, 0, 2, 1])).is_err());
}

#[tokio::test(start_paused = true)]
async fn draining_does_not_wait_for_ever() {
    let server = server();
    let _stuck = connect(&server);
    let started = tokio::time::Instant::now();
    server.drain(Duration::from_secs(2)).await;
    assert_eq!(started.elapsed().as_secs(), 2);
}
