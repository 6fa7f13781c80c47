//! What strangers emit to the dialects, a line each, as `["event", argument, ...]`: understood or
//! not, and never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use room::dialect::{Errand, Guest, Hall, Heard};
use serde_json::value::RawValue;

fuzz_target!(|text: &str| {
    let (mut guest, _) = Guest::new("me", "/socket.io/");
    let mut hall = Hall::default();
    for line in text.lines() {
        let Ok(mut args) = serde_json::from_str::<Vec<Box<RawValue>>>(line) else { continue };
        if args.is_empty() {
            continue;
        }
        let Ok(event) = serde_json::from_str::<String>(args.remove(0).get()) else { continue };
        match guest.handle(&event, &args) {
            Heard::Errand(Errand::Enter { address, .. }) => drop(guest.enter(&address)),
            Heard::Errand(Errand::MakeRoom { dialect, id, title }) => {
                hall.make(&id, &title, None);
                assert!(dialect.room_list(&hall).is_some());
            }
            _ => {}
        }
    }
});
