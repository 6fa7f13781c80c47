//! The newest requests of a node's peers. A stream that is opened again repeats them, since nobody
//! knows what of a broken one has arrived.

use std::{collections::BTreeMap, mem::discriminant};

use sfu::{PeerId, Permissions};

use super::wire::{Command, What};

/// The newest request of each kind, by peer, in their order.
#[derive(Debug, Default)]
pub(super) struct LastRequests(BTreeMap<PeerId, Vec<Command>>);

impl LastRequests {
    /// Notes a command that is sent.
    pub(super) fn note(&mut self, command: Command) {
        let (peer, permissions) = match &command.what {
            What::Offer(peer, _, permissions)
            | What::Publish(peer, _, permissions)
            | What::Subscribe(peer, _, permissions)
            | What::Permit(peer, permissions) => (*peer, permissions.clone()),
            What::Leave(peer) => {
                self.0.remove(peer);
                return;
            }
            // Nothing else is asked for it any more, but rights must not come back.
            What::Retire(peer) => {
                let requests = self.0.entry(*peer).or_default();
                requests.retain(|known| matches!(known.what, What::Permit(..)));
                requests.push(command);
                return;
            }
            // The node repeats an offer without an answer. Spans are told anew.
            What::Answer(..) | What::Span { .. } => return,
        };
        let requests = self.0.entry(peer).or_default();
        requests.retain(|known| discriminant(&known.what) != discriminant(&command.what));
        // A repeated request must not give rights back.
        requests.iter_mut().for_each(|known| permit(&mut known.what, &permissions));
        requests.push(command);
    }

    /// The node has answered or refused a peer's offer.
    pub(super) fn note_answer(&mut self, peer: PeerId) {
        if let Some(requests) = self.0.get_mut(&peer) {
            requests.retain(|known| !matches!(known.what, What::Offer(..)));
        }
    }

    pub(super) fn into_commands(self) -> impl Iterator<Item = (PeerId, Command)> {
        let peers = self.0.into_iter();
        peers.flat_map(|(peer, requests)| requests.into_iter().map(move |it| (peer, it)))
    }
}

fn permit(what: &mut What, new: &Permissions) {
    match what {
        What::Offer(_, _, permissions)
        | What::Publish(_, _, permissions)
        | What::Subscribe(_, _, permissions)
        | What::Permit(_, permissions) => permissions.clone_from(new),
        What::Answer(..) | What::Retire(_) | What::Leave(_) | What::Span { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use sfu::Source;

    use super::*;

    #[test]
    fn newest_request_of_each_kind_is_repeated_with_the_newest_rights() {
        let mut last = LastRequests::default();
        let mut note = |what| last.note(Command { shard: 1, what });
        let (peer, all) = (PeerId(7), Permissions::all());
        let offer = |sdp: &str| What::Offer(peer, sdp.into(), Permissions::all());
        note(What::Publish(peer, vec![("0".into(), Source::Camera)], all.clone()));
        note(offer("first"));
        note(offer("second"));
        note(What::Answer(peer, "v=0".into()));
        note(What::Publish(PeerId(8), Vec::new(), all));
        note(What::Leave(PeerId(8)));
        let muted = Permissions { publish: Vec::new(), subscribe: true };
        note(What::Permit(peer, muted.clone()));
        let permissions = |what: &What| match what {
            What::Offer(_, _, it) | What::Publish(_, _, it) | What::Permit(_, it) => it.clone(),
            _ => panic!("{what:?}"),
        };
        let repeated: Vec<_> = last.into_commands().collect();
        assert!(repeated.iter().all(|(of, it)| *of == peer && permissions(&it.what) == muted));
        let [(_, published), (_, offered), (_, permitted)] = &repeated[..] else {
            panic!("{repeated:?}");
        };
        assert!(matches!(&published.what, What::Publish(..)), "{repeated:?}");
        assert!(matches!(&offered.what, What::Offer(_, sdp, _) if sdp == "second"), "{repeated:?}");
        assert!(matches!(&permitted.what, What::Permit(..)), "{repeated:?}");
    }

    #[test]
    fn answered_offer_is_not_repeated() {
        let mut last = LastRequests::default();
        let peer = PeerId(7);
        last.note(Command { shard: 0, what: What::Offer(peer, "v=0".into(), Permissions::all()) });
        last.note_answer(peer);
        assert_eq!(last.into_commands().count(), 0);
    }
}
