//! Events of untrusted dialect clients, one per line, as `["event", argument, ...]`. No event may
//! panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use room::dialect::{Action, DialectClient, Handled, RoomList};
use serde_json::value::RawValue;

fuzz_target!(|text: &str| {
    let (mut client, _) = DialectClient::new("me", "/socket.io/");
    let mut list = RoomList::default();
    for line in text.lines() {
        let Ok(mut args) = serde_json::from_str::<Vec<Box<RawValue>>>(line) else { continue };
        if args.is_empty() {
            continue;
        }
        let Ok(event) = serde_json::from_str::<String>(args.remove(0).get()) else { continue };
        match client.handle(&event, &args) {
            Handled::Action(Action::Enter { address, .. }) => drop(client.enter(&address)),
            Handled::Action(Action::MakeRoom { dialect, id, title }) => {
                list.add(&id, &title, None);
                assert!(dialect.room_list(&list).is_some());
            }
            _ => {}
        }
    }
});
