//! Replay protection of SRTCP (RFC 3711 §3.3.2).

use foldhash::HashMap;

/// Sender SSRCs with a window; packets of more are dropped. Some clients use one for each section.
const MAX_SENDERS: usize = 1024;

/// Replay windows by sender SSRC.
#[derive(Debug, Default)]
pub(super) struct ReplayWindows(HashMap<u32, Window>);

/// The newest index received, and a bit for each of the 64 indices up to it.
#[derive(Debug)]
struct Window {
    newest: u32,
    received: u64,
}

impl ReplayWindows {
    /// Records an index of a sender. Returns whether it is new.
    pub(super) fn insert(&mut self, sender: u32, index: u32) -> bool {
        if self.0.len() >= MAX_SENDERS && !self.0.contains_key(&sender) {
            return false;
        }
        let window = self.0.entry(sender).or_insert(Window { newest: index, received: 0 });
        if let Some(ahead) = index.checked_sub(window.newest) {
            let is_new = ahead > 0 || window.received & 1 == 0;
            window.received = window.received.checked_shl(ahead).unwrap_or(0) | 1;
            window.newest = index;
            return is_new;
        }
        let Some(bit) = 1_u64.checked_shl(window.newest - index) else { return false };
        let is_new = window.received & bit == 0;
        window.received |= bit;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_index_of_each_sender_is_accepted_once() {
        let mut windows = ReplayWindows::default();
        assert!([7, 9, 8, 100, 40, 37].into_iter().all(|index| windows.insert(1, index)));
        assert!(![7, 9, 8, 100, 40, 37, 36].into_iter().any(|index| windows.insert(1, index)));
        assert!(windows.insert(1, 500) && !windows.insert(1, 99));
        assert!(!windows.insert(1, 436) && windows.insert(1, 437));
        assert!((2..=250).all(|sender| windows.insert(sender, 7) && !windows.insert(sender, 7)));
    }

    #[test]
    fn number_of_senders_is_bounded() {
        let mut windows = ReplayWindows::default();
        let accepted = (0..5000).filter(|sender| windows.insert(*sender, 1)).count();
        assert_eq!((accepted, windows.0.len()), (MAX_SENDERS, MAX_SENDERS));
        assert!(windows.insert(0, 2), "a known sender may continue");
    }
}
