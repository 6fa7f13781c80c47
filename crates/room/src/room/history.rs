//! Chat of a room, for newcomers.

use std::collections::VecDeque;

use crate::protocol::ChatMessage;

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

    /// The messages, the oldest first.
    pub(super) fn list(&self) -> Vec<ChatMessage> {
        self.messages.iter().cloned().collect()
    }

    /// Takes the messages since the last call.
    pub(super) fn take_unkept(&mut self) -> Vec<ChatMessage> {
        let kept = self.messages.len() - self.unkept;
        self.unkept = 0;
        self.messages.range(kept..).cloned().collect()
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
    OVERHEAD + message.text.as_str().len() + message.name.as_str().len()
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
