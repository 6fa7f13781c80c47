//! Files: offers in the chat, and the signaling of their transfers.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that is wrong may fail")]

mod world;

use room::{
    Chat, Event, Hosting, Rejection, Reply, Request, Settings,
    chat::ChatText,
    file::{MAX_FILE_BYTES, MAX_FILE_NAME_CHARS},
    protocol::{
        Allowed, ChatRequest, FileSignalRequest, FileWithdrawRequest, ParticipantId, Policy,
        SharedFile,
    },
    rights::Role,
};
use serde_json::{Value, json};
use world::{
    World,
    hosts::{Person, ROLES, device, enter, full_house, host, hosted},
    settings,
};

const FILE: &str = "0123456789abcdef";

fn shared(id: &str) -> SharedFile {
    serde_json::from_value(json!({ "id": id, "name": "plan.pdf", "size": 7 })).unwrap()
}

fn offer_to(
    world: &mut World,
    from: &Person,
    to: Option<ParticipantId>,
) -> Result<Reply, Rejection> {
    let text = ChatText::new("plan.pdf").unwrap();
    let file = Some(shared(FILE));
    world.ask(from.at, Request::Chat(Chat { text, to, serial: None, at: 7, file }))
}

fn signal(
    world: &mut World,
    from: &Person,
    to: &ParticipantId,
    content: &Value,
) -> Result<Reply, Rejection> {
    let mut payload = json!({ "to": to, "file": FILE, "attempt": 3 });
    payload.as_object_mut().unwrap().extend(content.as_object().unwrap().clone());
    let request: FileSignalRequest = serde_json::from_value(payload).unwrap();
    let request = Request::try_from(request)?;
    world.ask(from.at, request)
}

fn candidate() -> Value {
    json!({ "candidate": { "candidate": "c" } })
}

fn native(world: &mut World, person: &Person) -> Vec<Value> {
    let events = world.take_events(person.at);
    let native = events.iter().filter_map(Event::to_native);
    native.map(|event| json!([event.name(), event])).collect()
}

#[test]
fn offers_are_chat_messages_that_newcomers_see_until_they_are_withdrawn() {
    let mut world = World::new(settings(8));
    let [ann, ben] = ["Ann", "Ben"].map(|name| enter(&mut world, name, None).unwrap());
    native(&mut world, &ben);
    offer_to(&mut world, &ann, None).unwrap();
    let file = json!({ "id": FILE, "name": "plan.pdf", "size": 7 });
    let chat = json!({ "from": ann.id(), "text": "plan.pdf", "at": 7, "file": file });
    assert_eq!(native(&mut world, &ben), [json!(["chat", chat])]);
    let cem = enter(&mut world, "Cem", None).unwrap();
    assert_eq!(cem.admission.chat[0].file, Some(shared(FILE)));
    // Only by its sender: somebody else's withdrawal is of a file of its own.
    for (from, kept) in [(&ben, 1), (&ann, 0)] {
        let withdraw = json!({ "file": FILE });
        let withdraw: FileWithdrawRequest = serde_json::from_value(withdraw).unwrap();
        native(&mut world, &cem);
        world.ask(from.at, withdraw.into()).unwrap();
        let withdrawn = json!({ "from": from.id(), "file": FILE });
        assert_eq!(native(&mut world, &cem), [json!(["file:withdrawn", withdrawn])]);
        let newcomer = enter(&mut world, "Dan", None).unwrap();
        assert_eq!(newcomer.admission.chat.len(), kept);
    }
}

#[test]
fn a_private_offer_and_its_withdrawal_reach_its_recipient_alone() {
    let mut world = World::new(hosted());
    let [ann, ben, cem] = [("Ann", 1), ("Ben", 2), ("Cem", 3)]
        .map(|(name, n)| enter(&mut world, name, device(n)).unwrap());
    for person in [&ann, &ben, &cem] {
        native(&mut world, person);
    }
    offer_to(&mut world, &ann, Some(ben.id())).unwrap();
    let withdraw = json!({ "to": ben.id(), "file": FILE });
    let withdraw: FileWithdrawRequest = serde_json::from_value(withdraw).unwrap();
    world.ask(ann.at, withdraw.into()).unwrap();
    let events = native(&mut world, &ben);
    assert_eq!(events.len(), 2);
    assert_eq!((&events[0][1]["private"], &events[1][0]), (&json!(true), &json!("file:withdrawn")));
    assert!(native(&mut world, &cem).is_empty() && native(&mut world, &ann).is_empty());
    assert!(enter(&mut world, "Dan", device(4)).unwrap().admission.chat.is_empty());
}

#[test]
fn signaling_reaches_the_other_end_alone_and_says_where_it_is_from() {
    let mut world = World::new(settings(8));
    let [ann, ben, cem] = ["Ann", "Ben", "Cem"].map(|name| enter(&mut world, name, None).unwrap());
    for person in [&ann, &ben, &cem] {
        native(&mut world, person);
    }
    let description = json!({ "description": { "type": "offer", "sdp": "v=0\r\n" } });
    for content in [candidate(), description, json!({ "state": "refused" })] {
        signal(&mut world, &ben, &ann.id(), &content).unwrap();
        let mut expected = json!({ "from": ben.id(), "file": FILE, "attempt": 3 });
        expected.as_object_mut().unwrap().extend(content.as_object().unwrap().clone());
        let events = native(&mut world, &ann);
        assert_eq!(events.len(), 1);
        assert_eq!(events[0][0], "file:signal");
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&events[0][1][key], value, "{content}");
        }
    }
    assert!(native(&mut world, &cem).is_empty() && native(&mut world, &ben).is_empty());
    let unknown: ParticipantId = serde_json::from_str("\"nobody\"").unwrap();
    let sfu: ParticipantId = serde_json::from_str("\"sfu\"").unwrap();
    for to in [unknown, sfu, ben.id()] {
        let reply = signal(&mut world, &ben, &to, &candidate());
        assert_eq!(reply.unwrap_err(), Rejection::NoSuchParticipant);
    }
    let both = json!({ "state": "waiting", "candidate": { "candidate": "c" } });
    for content in [both, json!({})] {
        let reply = signal(&mut world, &ben, &ann.id(), &content);
        assert!(matches!(reply, Err(Rejection::Invalid(_))), "{content}");
    }
    let large = json!({ "description": { "type": "offer", "sdp": "v".repeat(70_000) } });
    let reply = signal(&mut world, &ben, &ann.id(), &large);
    assert_eq!(reply.unwrap_err(), Rejection::TooLarge("description"));
}

/// Each role to each other one, under each policy: one end must be permitted to send files.
#[test]
fn transfers_need_an_end_that_may_send_files() {
    for chat in [Allowed::Everybody, Allowed::Hosts] {
        for files in [Allowed::Everybody, Allowed::Hosts] {
            let policy = Policy { chat, files, ..Policy::default() };
            let (mut world, people) = full_house(Settings { policy, ..hosted() });
            let may_all = chat == Allowed::Everybody && files == Allowed::Everybody;
            for (from, sender) in people.iter().zip(ROLES) {
                let case = format!("{sender:?}, chat {chat:?}, files {files:?}");
                let may = may_all || sender >= Role::CoHost;
                let reply = offer_to(&mut world, from, None);
                assert_eq!(reply.err(), (!may).then_some(Rejection::Forbidden), "{case}");
                for (to, recipient) in people.iter().zip(ROLES) {
                    if from.id() == to.id() {
                        continue;
                    }
                    let case = format!("{case} to {recipient:?}");
                    let may = may || recipient >= Role::CoHost;
                    let reply = signal(&mut world, from, &to.id(), &candidate());
                    assert_eq!(reply.err(), (!may).then_some(Rejection::Forbidden), "{case}");
                    // Whoever may send no more can still say that it stops.
                    let stop = json!({ "state": "unavailable" });
                    signal(&mut world, from, &to.id(), &stop).unwrap();
                }
            }
        }
    }
}

#[test]
fn a_host_switches_files_off_and_text_stays() {
    let mut world = World::new(hosted());
    let hana = enter(&mut world, "Hana", device(1)).unwrap();
    let ann = enter(&mut world, "Ann", device(2)).unwrap();
    let change = json!({ "policy": { "files": "hosts" } });
    let change = serde_json::from_value(change).unwrap();
    host(&mut world, &hana, Hosting::Settings(change)).unwrap();
    let settings = native(&mut world, &ann).pop().unwrap();
    assert_eq!(settings[1]["policy"]["files"], "hosts");
    assert_eq!(offer_to(&mut world, &ann, None).unwrap_err(), Rejection::Forbidden);
    let text = ChatText::new("hi").unwrap();
    let chat = Chat { text, to: None, serial: None, at: 7, file: None };
    world.ask(ann.at, Request::Chat(chat)).unwrap();
    // As clients and snapshots of before have it.
    assert!(!serde_json::to_string(&Policy::default()).unwrap().contains("files"));
}

#[test]
fn offers_that_could_mislead_are_rejected() {
    let parse = |change: fn(&mut Value)| {
        let mut file = json!({ "id": FILE, "name": "a.pdf", "size": 1 });
        change(&mut file);
        serde_json::from_value::<ChatRequest>(json!({ "text": "a.pdf", "file": file }))
    };
    parse(|_| {}).unwrap();
    parse(|file| file["size"] = json!(MAX_FILE_BYTES)).unwrap();
    parse(|file| file["name"] = json!("a".repeat(MAX_FILE_NAME_CHARS))).unwrap();
    let mistakes: [fn(&mut Value); 10] = [
        |file| file["size"] = json!(MAX_FILE_BYTES + 1),
        |file| file["size"] = json!(-1),
        |file| file["name"] = json!("a".repeat(MAX_FILE_NAME_CHARS + 1)),
        |file| file["name"] = json!("../a"),
        |file| file["name"] = json!("a\u{202e}fdp.exe"),
        |file| file["name"] = json!(".."),
        |file| file["id"] = json!("short"),
        |file| file["id"] = json!(7),
        |file| file["path"] = json!("/etc"),
        |file| *file = json!([]),
    ];
    for (index, mistake) in mistakes.into_iter().enumerate() {
        assert!(parse(mistake).is_err(), "mistake {index}");
    }
}
