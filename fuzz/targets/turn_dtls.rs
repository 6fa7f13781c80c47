//! Datagrams from unverified addresses to the DTLS cookie exchange: none is verified without one of
//! our cookies.
#![no_main]

use std::time::Instant;

use libfuzzer_sys::fuzz_target;
use turn::dtls::{AlertDescription, CookieExchange, HelloResponse, fatal_alert, strip_cookie};

fuzz_target!(|bytes: &[u8]| {
    let client = ([192, 0, 2, 1], 5000).into();
    let mut cookies = CookieExchange::new([7; 32], Instant::now(), 300, 1000);
    match cookies.handle_hello(Instant::now(), 1_000_000, client, bytes) {
        HelloResponse::Challenge(request) => assert!(request.len() <= bytes.len() + 32),
        HelloResponse::Alert(alert) => assert!(alert.len() < bytes.len()),
        HelloResponse::Verified(_) => panic!("a guessed cookie"),
        HelloResponse::Ignored => {}
    }
    if let Some(first) = strip_cookie(bytes) {
        assert!(first.len() <= bytes.len());
    }
    let _ = fatal_alert(bytes, AlertDescription::HandshakeFailure);
});
