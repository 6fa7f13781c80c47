//! Files: their offers are chat messages, and their bytes travel between the participants alone.

use std::time::Instant;

use super::state::Room;
use crate::{
    audience::Audience,
    event::{Event, FileMessage},
    file::FileId,
    protocol::ParticipantId,
    rejection::Rejection,
    request::Connection,
    rights::Right,
    sharing::FileSharing,
};

impl Room {
    pub(super) fn share(
        &mut self,
        now: Instant,
        from: Connection,
        asked: FileSharing,
    ) -> Result<(), Rejection> {
        match asked {
            FileSharing::Signal { to, file, attempt, message } => {
                self.signal_file(now, from, &to, file, attempt, message)
            }
            FileSharing::Withdraw { to, file } => self.withdraw_file(now, from, to.as_ref(), file),
        }
    }

    /// Relays the signaling of a transfer, in which one end may send files. Either end may say that
    /// it does not go on.
    fn signal_file(
        &mut self,
        now: Instant,
        from: Connection,
        to: &ParticipantId,
        file: FileId,
        attempt: u32,
        message: FileMessage,
    ) -> Result<(), Rejection> {
        let key = self.member_with(from, Right::Signal)?;
        let other = self.other(key, to)?;
        let message = match message {
            FileMessage::Signal(signal) => {
                let may_send = |key| self.rights(key).has(Right::SendFiles);
                if !may_send(key) && !may_send(other) {
                    return Err(Rejection::Forbidden);
                }
                let signal = signal.bounded()?.restricted_to(self.rights(key).media())?;
                FileMessage::Signal(signal)
            }
            state @ FileMessage::State(_) => state,
        };
        let from_id = self.participant(key)?.id.clone();
        self.reply_done(from);
        let event = Event::FileSignal { from: from_id, file, attempt, message };
        self.send(now, Audience::One(other), event);
        Ok(())
    }

    /// Takes back an offer, of which newcomers then hear nothing. It needs no right: whoever may no
    /// longer send files may still stop.
    fn withdraw_file(
        &mut self,
        now: Instant,
        from: Connection,
        to: Option<&ParticipantId>,
        file: FileId,
    ) -> Result<(), Rejection> {
        let key = self.key_of(from)?;
        let to = to.map(|to| self.other(key, to)).transpose()?;
        let from_id = self.participant(key)?.id.clone();
        self.reply_done(from);
        self.chat.withdraw(&from_id, &file);
        let audience = to.map_or(Audience::AllBut(key), Audience::One);
        self.send(now, audience, Event::FileWithdrawn { from: from_id, file });
        Ok(())
    }
}
