//! Payload descriptors, dependency descriptors and STUN usernames of arbitrary bytes: parsing never
//! panics and returns no more than the input.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sfu::codec::{Codec, dependency, inspect, vp8, vp9};

fuzz_target!(|input: (&[u8], &[u8])| {
    let (first, second) = input;
    for bytes in [first, second] {
        for codec in [Codec::Opus, Codec::Red, Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1] {
            let info = inspect(codec, bytes);
            assert!(!info.keyframe || info.is_independent, "a keyframe needs no other");
        }
        if let Some(descriptor) = vp8::Descriptor::parse(bytes) {
            assert!(descriptor.length < bytes.len() && descriptor.length <= 6);
            assert!(descriptor.picture_id.is_none_or(|picture_id| picture_id < 0x8000));
        }
        if let Some(descriptor) = vp9::Descriptor::parse(bytes) {
            assert!(descriptor.length < bytes.len());
            assert!(
                descriptor.layers.is_none_or(|(temporal, spatial)| temporal < 8 && spatial < 8)
            );
        }
        let _ = sfu::ufrag_of(bytes).and_then(sfu::shard_of);
    }
    // The second is parsed with the structure of the first.
    if let Some(key) = dependency::Descriptor::parse(first) {
        let own = key.inspect(None);
        assert!(key.structure.is_some() || own.is_none(), "without a structure nothing is known");
        if let Some(next) = dependency::Descriptor::parse(second)
            && let Some(info) = next.inspect(key.structure.as_ref())
        {
            assert!(info.spatial < 4 && info.temporal < 8);
        }
    }
});
