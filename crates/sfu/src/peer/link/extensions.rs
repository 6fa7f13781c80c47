//! The numbers that header extensions go by on a link (RFC 8285).

use str0m::rtp::ExtensionMap;

use crate::{
    extensions::{HIGHEST, known, offered_uri},
    sdp::Description,
};

/// The numbers on a link that begins with this offer: the offer's own; for what it doesn't name, a
/// number that it leaves free, or none.
///
/// A browser refuses an offer of ours in which a number means something else than in its own one,
/// even one that it has still to send (RFC 8843 §9.4 wants them to be the same in a bundle): so where
/// the offer doesn't say, what Chromium would is the best guess.
pub(super) fn numbered(offer: &Description<'_>) -> ExtensionMap {
    let offered = || offer.sections.iter().flat_map(|section| section.extensions.iter().copied());
    let mut taken = [false; 256];
    for (id, _) in offered() {
        if let Some(place) = taken.get_mut(usize::from(id)) {
            *place = true;
        }
    }
    let is_free = |id: &u8| !taken.get(usize::from(*id)).copied().unwrap_or(true);
    let mut map = ExtensionMap::empty();
    for (usual, extension) in known() {
        let named = offered().find(|(_, uri)| *uri == offered_uri(&extension));
        let named = named.map(|(id, _)| u8::try_from(id).unwrap_or(0));
        let number = named.or(Some(usual).filter(is_free));
        if let Some(id) = number.filter(|id| (1..=HIGHEST).contains(id)) {
            map.set(id, extension);
        }
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extensions::dependency::DEPENDENCY_URI;

    fn numbers(sections: &str) -> Vec<(u8, String)> {
        let offer = format!("v=0\r\n{sections}");
        let limits = crate::config::Limits::default();
        let map = numbered(&Description::parse(&offer, &limits).unwrap());
        let all = map.iter_audio().chain(map.iter_video());
        let mut all: Vec<_> = all.map(|(id, it)| (id, it.as_uri().to_owned())).collect();
        all.sort();
        all.dedup();
        all
    }

    #[test]
    fn an_offer_of_sound_alone_leaves_the_rest_to_the_numbers_it_will_have() {
        let offer = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n\
            a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n\
            a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n";
        let numbers = numbers(offer);
        assert!(numbers.contains(&(12, DEPENDENCY_URI.to_owned())));
        assert!(numbers.iter().all(|(id, _)| ![7, 8, 9, 14].contains(id)), "Chromium's for others");
    }

    #[test]
    fn an_offer_s_numbers_are_kept_and_none_of_them_means_anything_else() {
        let offer = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n\
            a=extmap:2 urn:ietf:params:rtp-hdrext:csrc-audio-level\r\n\
            a=extmap:3/sendonly urn:ietf:params:rtp-hdrext:sdes:mid\r\n\
            a=extmap:15 urn:3gpp:video-orientation\r\n";
        let numbers = numbers(offer);
        assert!(numbers.contains(&(3, "urn:ietf:params:rtp-hdrext:sdes:mid".to_owned())));
        assert!(numbers.iter().all(|(id, _)| *id != 2));
        assert_eq!(numbers.iter().filter(|(id, _)| *id == 3).count(), 1);
        assert!(numbers.iter().all(|(_, uri)| uri != "urn:3gpp:video-orientation"));
    }
}
