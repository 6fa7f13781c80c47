//! Reports are taken once: of each sender, which numbers have come (RFC 3711 §3.3.2).

use foldhash::HashMap;

/// Senders remembered; of more, nothing is taken. Some clients have one for each section.
const MOST: usize = 1024;

/// Of each sender the newest number, and of the 64 up to it those that came.
#[derive(Debug, Default)]
pub(super) struct Replays(HashMap<u32, (u32, u64)>);

impl Replays {
    /// Takes a number of a sender; says whether it is new.
    pub(super) fn take(&mut self, sender: u32, number: u32) -> bool {
        if self.0.len() >= MOST && !self.0.contains_key(&sender) {
            return false;
        }
        let (newest, came) = self.0.entry(sender).or_insert((number, 0));
        if let Some(ahead) = number.checked_sub(*newest) {
            let is_new = ahead > 0 || *came & 1 == 0;
            *came = came.checked_shl(ahead).unwrap_or(0) | 1;
            *newest = number;
            return is_new;
        }
        let Some(bit) = 1_u64.checked_shl(*newest - number) else { return false };
        let is_new = *came & bit == 0;
        *came |= bit;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_of_each_sender_is_taken_once() {
        let mut replays = Replays::default();
        assert!([7, 9, 8, 100, 40, 37].into_iter().all(|number| replays.take(1, number)));
        assert!(![7, 9, 8, 100, 40, 37, 36].into_iter().any(|number| replays.take(1, number)));
        assert!(replays.take(1, 500) && !replays.take(1, 99));
        assert!(!replays.take(1, 436) && replays.take(1, 437));
        assert!((2..=250).all(|sender| replays.take(sender, 7) && !replays.take(sender, 7)));
    }

    #[test]
    fn senders_without_end_are_not_remembered() {
        let mut replays = Replays::default();
        let taken = (0..5000).filter(|sender| replays.take(*sender, 1)).count();
        assert_eq!((taken, replays.0.len()), (MOST, MOST));
        assert!(replays.take(0, 2), "who is known goes on");
    }
}
