//! Malformed TLS.

use super::{Answered, Input, Row, noise, row};

pub(super) fn rows() -> Vec<Row> {
    let record = |kind: u8, length: u16, body: &[u8]| {
        let [high, low] = length.to_be_bytes();
        Input::Tcp([&[kind, 3, 1, high, low], body].concat())
    };
    // A ClientHello without cipher suites (RFC 5246 §7.4.1.2).
    let mut empty = vec![1, 0, 0, 39, 3, 3];
    empty.extend([7; 32]);
    empty.extend([0, 0, 0, 1, 0]);
    let hello_of_noise = [&[1, 0, 0, 196][..], &noise(1, 196)].concat();
    vec![
        row("half a hello", record(22, 512, &[1, 0, 1, 0xfc, 3, 3]), Answered::Nothing),
        row("a record longer than any", record(22, 65_535, &[1; 100]), Answered::Alert),
        row("an empty record", record(22, 0, &[]), Answered::Alert),
        row("noise for a hello", record(22, 200, &hello_of_noise), Answered::Alert),
        row("a hello without ciphers", record(22, 43, &empty), Answered::Alert),
        row("a hello of version 9", Input::Tcp(vec![22, 9, 9, 0, 1, 1, 0, 0]), Answered::Alert),
        row("an alert first", record(21, 2, &[2, 40]), Answered::Nothing),
        row("data first", record(23, 3, &[1, 2, 3]), Answered::Nothing),
        row("a hello of SSL 2", Input::Tcp(vec![0x80, 0x2e, 1, 3, 0, 0, 0x15]), Answered::Nothing),
        row("TLS inside TLS", Input::Tls(vec![22, 3, 1, 0, 5, 1, 0, 0, 1, 0]), Answered::Nothing),
    ]
}
