//! Offers and answers of a link: planned by the layout, applied by str0m.

use std::{
    hash::BuildHasher as _,
    time::{Duration, Instant},
};

use foldhash::fast::FixedState;
use rand::rngs::StdRng;
use str0m::{
    IceCreds,
    change::{SdpAnswer, SdpOffer, SdpPendingOffer},
    media::{Direction, MediaKind},
};

use super::Link;
use crate::{
    config::Config,
    ids::{Kind, Mid, Rid},
    rejection::Rejection,
    sdp::{self, Credentials, Description, MediaType, PayloadTypes, Plan, SdpError},
    str0m_workarounds::received,
    ufrag,
};

/// Time after which an offer without an answer may be lost. Before, it has crossed with one of the
/// client.
const OFFER_TIMEOUT: Duration = Duration::from_secs(2);

/// An offer of ours that waits for its answer.
pub(super) struct PendingOffer {
    changes: SdpPendingOffer,
    sdp: String,
    sent: Instant,
}

impl Link {
    /// Returns whether an offer of ours is waiting for its answer.
    pub(crate) fn is_offering(&self) -> bool {
        self.pending_offer.is_some()
    }

    /// The offer that waits for its answer, to be sent again.
    pub(crate) fn pending_offer(&self) -> Option<&str> {
        self.pending_offer.as_ref().map(|pending| pending.sdp.as_str())
    }

    /// Returns whether our offer has waited for its answer for long. It counts as sent now.
    pub(crate) fn is_offer_overdue(&mut self, now: Instant) -> bool {
        let Some(pending) = &mut self.pending_offer else { return false };
        let is_overdue = now.saturating_duration_since(pending.sent) >= OFFER_TIMEOUT;
        if is_overdue {
            pending.sent = now;
        }
        is_overdue
    }

    /// Returns whether this answer was accepted last.
    pub(crate) fn has_accepted(&self, answer: &str) -> bool {
        self.answered == Some(hash(answer))
    }

    /// Notes that an answer was accepted.
    pub(crate) fn note_accepted(&mut self, answer: &str) {
        self.answered = Some(hash(answer));
    }

    /// Returns whether an offer has the certificate of this link's client.
    pub(crate) fn is_from_client(&self, offer: &Description<'_>) -> bool {
        self.fingerprint.is_none() || self.fingerprint == offer.fingerprint
    }

    /// str0m's mid for a section of the client.
    pub(crate) fn engine_mid(&self, mid: &str) -> Option<Mid> {
        self.layout.engine_mid(mid).map(Mid::from)
    }

    /// Number of SSRCs that the client has announced.
    pub(crate) fn expected_ssrcs(&self) -> usize {
        self.layout.expected_ssrcs()
    }

    /// The encodings that the client may send on a section.
    pub(crate) fn rids(&self, mid: Mid) -> Vec<Rid> {
        self.layout.rids(&mid).iter().map(|rid| Rid::from(rid.as_str())).collect()
    }

    /// The client's rid of an encoding, which str0m may have truncated.
    pub(crate) fn client_rid(&self, mid: Mid, rid: Rid) -> String {
        let client_rid = self.layout.rids(&mid).iter().find(|it| Rid::from(it.as_str()) == rid);
        client_rid.cloned().unwrap_or_else(|| rid.to_string())
    }

    /// Applies an offer and returns the answer. After an ICE restart our new credentials have the
    /// form that tells the shard.
    pub(crate) fn accept_offer(
        &mut self,
        offer: &Description<'_>,
        config: &Config,
        rng: &mut StdRng,
    ) -> Result<String, Rejection> {
        self.guard(|link| link.apply_offer(offer, config, rng)).unwrap_or(Err(Rejection::Panicked))
    }

    fn apply_offer(
        &mut self,
        offer: &Description<'_>,
        config: &Config,
        rng: &mut StdRng,
    ) -> Result<String, Rejection> {
        if offer.fingerprint.is_none() && self.fingerprint.is_none() {
            return Err(SdpError::NoFingerprint.into());
        }
        let payload_types = PayloadTypes::new(self.rtc.codec_config().params());
        let Plan { text, layout, removed_ssrcs, bundle } =
            self.layout.plan_offer(offer, &payload_types)?;
        let engine_offer =
            SdpOffer::from_sdp_string(&received::for_str0m(&text)).map_err(not_applied)?;
        let restarts_ice = credentials_of(offer) != self.client_credentials;
        if restarts_ice && self.client_credentials.is_some() {
            self.paths.add_candidates(&mut self.rtc, &config.candidates);
        }
        // str0m rolls back its own offer.
        self.pending_offer = None;
        self.offered_sections.clear();
        let answer = self.rtc.sdp_api().accept_offer(engine_offer).map_err(not_applied)?;
        let answer = received::for_client(&sdp::strip_candidate_ufrags(&answer.to_sdp_string()));
        let answer = self.announced_ssrcs.rewrite_answer(&answer);
        self.layout = layout;
        self.client_credentials = credentials_of(offer);
        if offer.fingerprint.is_some() {
            self.fingerprint.clone_from(&offer.fingerprint);
        }
        self.on_negotiated(&removed_ssrcs);
        let answer = self.layout.render_answer(&answer, &bundle);
        let generated = self.rtc.direct_api().local_ice_credentials();
        if generated == self.credentials {
            return Ok(answer);
        }
        let ours = IceCreds {
            ufrag: ufrag::generate_ufrag(config.shard, rng),
            pass: ufrag::generate_password(rng),
        };
        self.rtc.direct_api().set_local_ice_credentials(ours.clone());
        self.credentials = ours;
        Ok(sdp::replace_credentials(&answer, as_sdp(&generated), as_sdp(&self.credentials)))
    }

    /// Offers new sending sections, each with its stream id. Returns the offer and their mids.
    pub(crate) fn offer(
        &mut self,
        now: Instant,
        sections: &[(Kind, String)],
    ) -> Option<(String, Vec<Mid>)> {
        self.guard(|link| link.make_offer(now, sections)).flatten()
    }

    fn make_offer(
        &mut self,
        now: Instant,
        sections: &[(Kind, String)],
    ) -> Option<(String, Vec<Mid>)> {
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
        let (offer, changes) = changes.apply()?;
        let offered = sections.iter().zip(&mids).map(|((kind, _), mid)| {
            let kind = match kind {
                Kind::Audio => MediaType::Audio,
                Kind::Video => MediaType::Video,
            };
            (kind, mid.to_string())
        });
        self.offered_sections = offered.collect();
        let offer = received::for_client(&sdp::strip_candidate_ufrags(&offer.to_sdp_string()));
        let offer = self.announced_ssrcs.rewrite_offer(&offer);
        let sdp = self.layout.render_offer(&offer, &self.offered_sections);
        self.pending_offer = Some(PendingOffer { changes, sdp: sdp.clone(), sent: now });
        Some((sdp, mids))
    }

    pub(crate) fn accept_answer(&mut self, answer: &Description<'_>) -> Result<(), Rejection> {
        self.guard(|link| link.apply_answer(answer)).unwrap_or(Err(Rejection::Panicked))
    }

    fn apply_answer(&mut self, answer: &Description<'_>) -> Result<(), Rejection> {
        if self.pending_offer.is_none() {
            return Err(Rejection::NoPendingOffer);
        }
        if answer.fingerprint.is_some() && answer.fingerprint != self.fingerprint {
            return Err(SdpError::FingerprintMismatch.into());
        }
        if answer.credentials.is_some() && credentials_of(answer) != self.client_credentials {
            return Err(SdpError::UnexpectedIceRestart.into());
        }
        let payload_types = PayloadTypes::new(self.rtc.codec_config().params());
        let Plan { text, layout, removed_ssrcs, .. } =
            self.layout.plan_answer(answer, &self.offered_sections, &payload_types)?;
        let engine_answer =
            SdpAnswer::from_sdp_string(&received::for_str0m(&text)).map_err(not_applied)?;
        let Some(pending) = self.pending_offer.take() else {
            return Err(Rejection::NoPendingOffer);
        };
        self.offered_sections.clear();
        self.rtc.sdp_api().accept_answer(pending.changes, engine_answer).map_err(not_applied)?;
        self.layout = layout;
        self.announced_ssrcs.accept_offered();
        self.on_negotiated(&removed_ssrcs);
        Ok(())
    }

    fn on_negotiated(&mut self, removed_ssrcs: &[u32]) {
        self.receive_streams.clear();
        for ssrc in removed_ssrcs {
            self.rtc.direct_api().remove_stream_rx((*ssrc).into());
        }
        self.announced_ssrcs.remove_from(&mut self.rtc);
    }

    /// The kind of a section on which the client sends.
    pub(crate) fn receiving_kind(&self, mid: Mid) -> Option<Kind> {
        let media = self.rtc.media(mid)?;
        let is_receiving = media.direction().is_receiving() && !media.disabled();
        is_receiving.then(|| if media.kind().is_audio() { Kind::Audio } else { Kind::Video })
    }
}

/// A hash of a text that only its own client could collide with.
fn hash(text: &str) -> u64 {
    FixedState::default().hash_one(text)
}

fn as_sdp(credentials: &IceCreds) -> Credentials<'_> {
    Credentials { ufrag: &credentials.ufrag, pwd: &credentials.pass }
}

fn credentials_of(description: &Description<'_>) -> Option<(String, String)> {
    description.credentials.map(|it| (it.ufrag.to_owned(), it.pwd.to_owned()))
}

/// Hides str0m's error, which describes its internals rather than the client's mistake.
fn not_applied<E>(_: E) -> Rejection {
    SdpError::NotApplied.into()
}
