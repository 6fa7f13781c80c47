//! Chat of a room, for newcomers.

use std::collections::VecDeque;

use crate::{
    event::file_size,
    file::FileId,
    protocol::{ChatMessage, ParticipantId},
};

/// Size of a message without its texts, in bytes.
const OVERHEAD: usize = 64;

/// The last messages of a room's chat, bounded in number and bytes.
#[derive(Default)]
pub(super) struct ChatHistory {
    messages: VecDeque<ChatMessage>,
    bytes: usize,
    /// Messages at the end that are not kept in the store yet.
    unkept: usize,
}

impl ChatHistory {
    /// The history with messages that were kept.
    pub(super) fn restore(
        messages: Vec<ChatMessage>,
        max_messages: usize,
        max_bytes: usize,
    ) -> Self {
        let mut history = Self::default();
        for message in messages {
            history.push(message, max_messages, max_bytes);
        }
        history.unkept = 0;
        history
    }

    pub(super) fn push(&mut self, message: ChatMessage, max_messages: usize, max_bytes: usize) {
        self.bytes += size(&message);
        self.messages.push_back(message);
        self.unkept += 1;
        while self.messages.len() > max_messages || self.bytes > max_bytes {
            let Some(oldest) = self.messages.pop_front() else { break };
            self.bytes -= size(&oldest);
        }
        self.unkept = self.unkept.min(self.messages.len());
    }

    /// Removes the offer of a file.
    pub(super) fn withdraw(&mut self, from: &ParticipantId, file: &FileId) {
        let is_offer = |message: &ChatMessage| {
            message.from == *from && message.file.as_ref().is_some_and(|shared| shared.id == *file)
        };
        let Some(place) = self.messages.iter().position(is_offer) else { return };
        let kept = self.messages.len() - self.unkept;
        if let Some(message) = self.messages.remove(place) {
            self.bytes -= size(&message);
            self.unkept -= usize::from(place >= kept);
        }
    }

    /// The messages, the oldest first.
    pub(super) fn list(&self) -> Vec<ChatMessage> {
        self.messages.iter().cloned().collect()
    }

    /// Takes the messages since the last call.
    pub(super) fn take_unkept(&mut self) -> Vec<ChatMessage> {
        let kept = self.messages.len() - self.unkept;
        self.unkept = 0;
        // A file is gone with its sender, so only its name is kept.
        let without_file = |message: &ChatMessage| ChatMessage { file: None, ..message.clone() };
        self.messages.range(kept..).map(without_file).collect()
    }

    pub(super) fn has_unkept(&self) -> bool {
        self.unkept > 0
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Drops all messages.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

fn size(message: &ChatMessage) -> usize {
    let texts = message.text.as_str().len() + message.name.as_str().len();
    OVERHEAD + texts + message.file.as_ref().map_or(0, file_size)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(n: u64, text: &str) -> ChatMessage {
        let json = serde_json::json!({ "from": "a", "name": "Ann", "text": text, "at": n });
        serde_json::from_value(json).unwrap()
    }

    fn times(messages: &[ChatMessage]) -> Vec<u64> {
        messages.iter().map(|message| message.at).collect()
    }

    #[test]
    fn history_is_bounded_in_number_and_bytes() {
        let mut history = ChatHistory::default();
        (0..9).for_each(|n| history.push(message(n, "hi"), 3, 10_000));
        assert_eq!(times(&history.list()), [6, 7, 8]);
        history.push(message(9, &"long".repeat(100)), 3, 700);
        assert_eq!(times(&history.list()), [7, 8, 9]);
        history.push(message(10, &"long".repeat(100)), 3, 700);
        assert_eq!(times(&history.list()), [10]);
        assert!(history.bytes() <= 600);
        history.push(message(11, &"long".repeat(200)), 3, 700);
        assert_eq!(history.list(), []);
        assert_eq!(history.bytes(), 0);
        assert_eq!(history.take_unkept(), []);
    }

    #[test]
    fn an_offer_is_withdrawn_by_its_sender_and_kept_as_its_name() {
        let id = "a".repeat(16);
        let offer = |n: u64, from: &str| -> ChatMessage {
            let file = serde_json::json!({ "id": id, "name": "a.pdf", "size": 1 });
            let json = serde_json::json!(
                { "from": from, "name": "Ann", "text": "a.pdf", "at": n, "file": file }
            );
            serde_json::from_value(json).unwrap()
        };
        let mut history = ChatHistory::default();
        history.push(message(1, "hi"), 9, 10_000);
        history.push(offer(2, "ann"), 9, 10_000);
        assert!(history.list()[1].file.is_some());
        let kept = history.take_unkept();
        assert_eq!((times(&kept), &kept[1].file), (vec![1, 2], &None));
        history.push(message(3, "hi"), 9, 10_000);
        history.push(offer(4, "ben"), 9, 10_000);
        let bytes = history.bytes();
        let file = FileId::try_from(id.clone()).unwrap();
        for from in ["cem", "ann", "ann", "ben"] {
            history.withdraw(&serde_json::from_value(from.into()).unwrap(), &file);
        }
        assert_eq!(times(&history.list()), [1, 3]);
        assert_eq!(times(&history.take_unkept()), [3]);
        assert_eq!(bytes - history.bytes(), 2 * size(&offer(2, "ann")));
    }

    #[test]
    fn messages_are_taken_for_the_store_once() {
        let mut history = ChatHistory::restore(vec![message(1, "a"), message(2, "b")], 3, 10_000);
        assert!(!history.has_unkept());
        history.push(message(3, "c"), 3, 10_000);
        assert_eq!(times(&history.take_unkept()), [3]);
        assert!(!history.has_unkept());
        (4..9).for_each(|n| history.push(message(n, "d"), 3, 10_000));
        assert_eq!(times(&history.take_unkept()), [6, 7, 8]);
    }
}
