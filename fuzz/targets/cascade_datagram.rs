//! Datagrams between servers: any bytes are parsed to what they say, or refused.
#![no_main]

use cascade::datagram::Datagram;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Some(datagram) = Datagram::parse(bytes) {
        assert_eq!(datagram.to_bytes(), bytes);
        if let Datagram::Request(gaps) = datagram {
            let numbers = gaps.iter().flat_map(|gap| gap.numbers()).count();
            assert!(numbers <= gaps.len() * 33);
        }
    }
});
