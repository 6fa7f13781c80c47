//! Offers and answers of a link: what the client wrote, planned by the layout, applied by the engine.

use rand::rngs::StdRng;
use str0m::{
    IceCreds,
    change::{SdpAnswer, SdpOffer},
    media::{Direction, MediaKind},
};

use super::Link;
use crate::{
    ids::{Kind, Mid, Rid},
    rejection::Rejection,
    sdp::{self, Description, MediaType, PayloadTypes, Plan, SdpError},
    str0m_workarounds::received,
    ufrag,
};

impl Link {
    /// Whether an offer of ours waits for its answer.
    pub(crate) fn is_offering(&self) -> bool {
        self.pending.is_some()
    }

    /// Whether the offer is of the very client that this link is with.
    pub(crate) fn is_with(&self, offer: &Description<'_>) -> bool {
        self.fingerprint.is_none() || self.fingerprint == offer.fingerprint
    }

    /// The engine's name for a section of the client.
    pub(crate) fn engine_mid(&self, mid: &str) -> Option<Mid> {
        self.layout.engine_mid(mid).map(Mid::from)
    }

    /// How many sources the client's sections have told of.
    pub(crate) fn expected_ssrcs(&self) -> usize {
        self.layout.expected_ssrcs()
    }

    /// The encodings that the client has said it may send on a section.
    pub(crate) fn rids(&self, mid: Mid) -> Vec<Rid> {
        self.layout.rids(&mid).iter().map(|rid| Rid::from(rid.as_str())).collect()
    }

    /// What the client calls an encoding.
    pub(crate) fn rid_of_client(&self, mid: Mid, rid: Rid) -> String {
        let named = self.layout.rids(&mid).iter().find(|it| Rid::from(it.as_str()) == rid);
        named.cloned().unwrap_or_else(|| rid.to_string())
    }

    /// Takes an offer and gives the answer. An offer that restarts ICE gets credentials of our form.
    pub(crate) fn accept_offer(
        &mut self,
        offer: &Description<'_>,
        shard: u16,
        rng: &mut StdRng,
    ) -> Result<String, Rejection> {
        self.guard(|link| link.apply_offer(offer, shard, rng)).unwrap_or(Err(Rejection::Panicked))
    }

    fn apply_offer(
        &mut self,
        offer: &Description<'_>,
        shard: u16,
        rng: &mut StdRng,
    ) -> Result<String, Rejection> {
        if offer.fingerprint.is_none() && self.fingerprint.is_none() {
            return Err(SdpError::NoFingerprint.into());
        }
        let payload_types = PayloadTypes::new(self.rtc.codec_config().params());
        let Plan { text, layout, removed_ssrcs, bundle } =
            self.layout.plan_offer(offer, &payload_types)?;
        let engine_offer =
            SdpOffer::from_sdp_string(&received::for_engine(&text)).map_err(not_applied)?;
        // The engine gives up an offer of its own that is still open.
        (self.pending, self.offered) = (None, Vec::new());
        let answer = self.rtc.sdp_api().accept_offer(engine_offer).map_err(not_applied)?;
        let answer = received::for_peer(&sdp::strip_candidate_ufrags(&answer.to_sdp_string()));
        let answer = self.sending.answer(&answer);
        self.layout = layout;
        self.of_client = credentials_of(offer);
        if offer.fingerprint.is_some() {
            self.fingerprint.clone_from(&offer.fingerprint);
        }
        self.negotiated(&removed_ssrcs);
        let answer = self.layout.render_answer(&answer, &bundle);
        let made_up = self.rtc.direct_api().local_ice_credentials();
        if made_up == self.credentials {
            return Ok(answer);
        }
        let ours = IceCreds {
            ufrag: ufrag::generate_ufrag(shard, rng),
            pass: ufrag::generate_password(rng),
        };
        self.rtc.direct_api().set_local_ice_credentials(ours.clone());
        self.credentials = ours;
        let (from, to) = (&made_up, &self.credentials);
        Ok(sdp::replace_credentials(&answer, (&from.ufrag, &from.pass), (&to.ufrag, &to.pass)))
    }

    /// Offers new sending sections, each with its stream id. Gives the offer and their mids.
    pub(crate) fn offer(&mut self, sections: &[(Kind, String)]) -> Option<(String, Vec<Mid>)> {
        self.guard(|link| link.make_offer(sections)).flatten()
    }

    fn make_offer(&mut self, sections: &[(Kind, String)]) -> Option<(String, Vec<Mid>)> {
        let mut changes = self.rtc.sdp_api();
        let mids: Vec<Mid> = sections
            .iter()
            .map(|(kind, stream)| {
                let (kind, track) = match kind {
                    Kind::Audio => (MediaKind::Audio, format!("{stream}-audio")),
                    Kind::Video => (MediaKind::Video, format!("{stream}-video")),
                };
                let direction = Direction::SendOnly;
                changes.add_media(kind, direction, Some(stream.clone()), Some(track), None)
            })
            .collect();
        let (offer, pending) = changes.apply()?;
        self.pending = Some(pending);
        let offered = sections.iter().zip(&mids).map(|((kind, _), mid)| {
            let kind = match kind {
                Kind::Audio => MediaType::Audio,
                Kind::Video => MediaType::Video,
            };
            (kind, mid.to_string())
        });
        self.offered = offered.collect();
        let offer = received::for_peer(&sdp::strip_candidate_ufrags(&offer.to_sdp_string()));
        let offer = self.sending.offer(&offer);
        Some((self.layout.render_offer(&offer, &self.offered), mids))
    }

    pub(crate) fn accept_answer(&mut self, answer: &Description<'_>) -> Result<(), Rejection> {
        self.guard(|link| link.apply_answer(answer)).unwrap_or(Err(Rejection::Panicked))
    }

    fn apply_answer(&mut self, answer: &Description<'_>) -> Result<(), Rejection> {
        if self.pending.is_none() {
            return Err(Rejection::NoPendingOffer);
        }
        if answer.fingerprint.is_some() && answer.fingerprint != self.fingerprint {
            return Err(SdpError::FingerprintMismatch.into());
        }
        if answer.credentials.is_some() && credentials_of(answer) != self.of_client {
            return Err(SdpError::UnexpectedIceRestart.into());
        }
        let payload_types = PayloadTypes::new(self.rtc.codec_config().params());
        let Plan { text, layout, removed_ssrcs, .. } =
            self.layout.plan_answer(answer, &self.offered, &payload_types)?;
        let engine_answer =
            SdpAnswer::from_sdp_string(&received::for_engine(&text)).map_err(not_applied)?;
        let Some(pending) = self.pending.take() else { return Err(Rejection::NoPendingOffer) };
        self.offered.clear();
        self.rtc.sdp_api().accept_answer(pending, engine_answer).map_err(not_applied)?;
        self.layout = layout;
        self.sending.agree();
        self.negotiated(&removed_ssrcs);
        Ok(())
    }

    fn negotiated(&mut self, removed_ssrcs: &[u32]) {
        self.streams.clear();
        for ssrc in removed_ssrcs {
            self.rtc.direct_api().remove_stream_rx((*ssrc).into());
        }
        self.sending.take_over(&mut self.rtc);
    }

    /// Whether the client sends on this section, and of what kind it is.
    pub(crate) fn receives(&self, mid: Mid) -> Option<Kind> {
        let media = self.rtc.media(mid)?;
        let on = media.direction().is_receiving() && !media.disabled();
        on.then(|| if media.kind().is_audio() { Kind::Audio } else { Kind::Video })
    }
}

fn credentials_of(description: &Description<'_>) -> Option<(String, String)> {
    description.credentials.map(|it| (it.ufrag.to_owned(), it.pwd.to_owned()))
}

/// The engine's own words name places in memory and parts of its source: they are nobody's to read.
fn not_applied<E>(_: E) -> Rejection {
    SdpError::NotApplied.into()
}
