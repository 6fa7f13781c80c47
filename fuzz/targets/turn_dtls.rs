//! What strangers send to the door of DTLS: nobody is let in without a cookie of ours.
#![no_main]

use std::time::Instant;

use libfuzzer_sys::fuzz_target;
use turn::dtls::{Alert, Door, Greeting, alert, without_cookie};

fuzz_target!(|bytes: &[u8]| {
    let client = ([192, 0, 2, 1], 5000).into();
    let mut door = Door::new([7; 32], Instant::now(), 300, 1000);
    match door.greet(Instant::now(), 1_000_000, client, bytes) {
        Greeting::Challenge(answer) => assert!(answer.len() <= bytes.len() + 32),
        Greeting::TooOld(answer) => assert!(answer.len() < bytes.len()),
        Greeting::Proven(_) => panic!("nobody guesses a cookie"),
        Greeting::Ignored => {}
    }
    if let Some(first) = without_cookie(bytes) {
        assert!(first.len() <= bytes.len());
    }
    let _ = alert(bytes, Alert::HandshakeFailure);
});
