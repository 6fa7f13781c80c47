//! Negotiation of header extension ids (RFC 8285).

use str0m::rtp::ExtensionMap;

use crate::{
    extensions::{MAX_ID, known, offered_uri},
    sdp::Description,
};

/// The extension ids of a link, given its first offer: those of the offer. Other extensions get the
/// id that Chromium uses, if the offer leaves it free.
///
/// In a bundle an id must stand for one extension (RFC 8843 §9.4). A browser rejects our offer if
/// an id conflicts with its own offers, even with later ones, so Chromium's ids are the best guess.
pub(super) fn extension_map(offer: &Description<'_>) -> ExtensionMap {
    let offered = || offer.sections.iter().flat_map(|section| section.extensions.iter().copied());
    let mut taken = [false; 256];
    for (id, _) in offered() {
        if let Some(place) = taken.get_mut(usize::from(id)) {
            *place = true;
        }
    }
    let is_free = |id: &u8| !taken.get(usize::from(*id)).copied().unwrap_or(true);
    let mut map = ExtensionMap::empty();
    for (chromium_id, extension) in known() {
        let theirs = offered().find(|(_, uri)| *uri == offered_uri(&extension));
        let theirs = theirs.map(|(id, _)| u8::try_from(id).unwrap_or(0));
        let id = theirs.or(Some(chromium_id).filter(is_free));
        if let Some(id) = id.filter(|id| (1..=MAX_ID).contains(id)) {
            map.set(id, extension);
        }
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extensions::dependency::DEPENDENCY_URI;

    fn ids(sections: &str) -> Vec<(u8, String)> {
        let offer = format!("v=0\r\n{sections}");
        let limits = crate::config::Limits::default();
        let map = extension_map(&Description::parse(&offer, &limits).unwrap());
        let all = map.iter_audio().chain(map.iter_video());
        let mut all: Vec<_> = all.map(|(id, it)| (id, it.as_uri().to_owned())).collect();
        all.sort();
        all.dedup();
        all
    }

    #[test]
    fn extensions_missing_in_an_audio_offer_get_chromiums_ids() {
        let offer = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n\
            a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n\
            a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n";
        let ids = ids(offer);
        assert!(ids.contains(&(12, DEPENDENCY_URI.to_owned())));
        assert!(
            ids.iter().all(|(id, _)| ![7, 8, 9, 14].contains(id)),
            "Chromium uses these for others"
        );
    }

    #[test]
    fn ids_of_the_offer_are_kept_and_not_reused() {
        let offer = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n\
            a=extmap:2 urn:ietf:params:rtp-hdrext:csrc-audio-level\r\n\
            a=extmap:3/sendonly urn:ietf:params:rtp-hdrext:sdes:mid\r\n\
            a=extmap:15 urn:3gpp:video-orientation\r\n";
        let ids = ids(offer);
        assert!(ids.contains(&(3, "urn:ietf:params:rtp-hdrext:sdes:mid".to_owned())));
        assert!(ids.iter().all(|(id, _)| *id != 2));
        assert_eq!(ids.iter().filter(|(id, _)| *id == 3).count(), 1);
        assert!(ids.iter().all(|(_, uri)| uri != "urn:3gpp:video-orientation"));
    }
}
