//! Chat: messages to all, and to one.

use std::time::Instant;

use super::state::Room;
use crate::{
    audience::{Audience, MemberKey},
    event::Event,
    protocol::{ChatMessage, ParticipantId},
    rejection::Rejection,
    request::{Chat, Connection},
    rights::{Right, Role},
};

impl Room {
    pub(super) fn chat(
        &mut self,
        now: Instant,
        from: Connection,
        chat: Chat,
    ) -> Result<(), Rejection> {
        let key = self.member_with(from, Right::Chat)?;
        if chat.file.is_some() {
            self.member_with(from, Right::SendFiles)?;
        }
        let to = chat.to.as_ref().map(|to| self.private_recipient(key, to)).transpose()?;
        let member = self.roster.member_mut(key).ok_or(Rejection::NotJoined)?;
        let is_repeated = chat.serial.is_some_and(|serial| serial <= member.chatted);
        member.chatted = member.chatted.max(chat.serial.unwrap_or_default());
        let (id, name) = (member.participant.id.clone(), member.participant.name.clone());
        self.reply_done(from);
        if is_repeated {
            return Ok(());
        }
        // A private message is in the log of its recipient alone: newcomers and the store never
        // see it.
        if to.is_none() && self.limits.chat_messages > 0 {
            let (from, text, file) = (id.clone(), chat.text.clone(), chat.file.clone());
            let message = ChatMessage { from, name, text, at: chat.at, file };
            self.chat.push(message, self.limits.chat_messages, self.limits.chat_bytes);
        }
        let audience = to.map_or(Audience::AllBut(key), Audience::One);
        let private = to.is_some();
        let Chat { text, at, file, .. } = chat;
        self.send(now, audience, Event::Chat { from: id, text, at, private, file });
        Ok(())
    }

    /// The recipient of a private message, if the sender may write to it.
    fn private_recipient(
        &self,
        sender: MemberKey,
        to: &ParticipantId,
    ) -> Result<MemberKey, Rejection> {
        let recipient = self.other(sender, to)?;
        let is_to_host = self.role(recipient) >= Some(Role::CoHost);
        if is_to_host || self.rights(sender).has(Right::PrivateChat) {
            Ok(recipient)
        } else {
            Err(Rejection::Forbidden)
        }
    }
}
