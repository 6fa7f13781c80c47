//! Events and messages that a room's clients received, and the rules that they obey whatever failed.
//! Simulated worlds and real servers are checked by the same code.

use std::collections::{BTreeMap, BTreeSet};

/// Everything that a client received in a room, over all its connections.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct History {
    pub(crate) client: String,
    /// Events with numbers, in the order in which they came.
    pub(crate) events: Vec<(u64, String)>,
    /// Its own messages that were acknowledged.
    pub(crate) acknowledged: Vec<String>,
    /// Messages of others, in the order in which they came.
    pub(crate) messages: Vec<String>,
    /// Clients of which it was told that they left.
    pub(crate) left: Vec<String>,
    /// Clients that are in the room, as it was told; itself included.
    pub(crate) roster: BTreeSet<String>,
}

/// A rule, and how it was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Broken {
    /// A number is not above the one before.
    NumberFell { client: String, number: u64, after: u64 },
    /// One number is two events.
    TwoEvents { number: u64, events: [String; 2] },
    /// Two clients have two messages in different order.
    OrdersDiffer { clients: [String; 2], message: String },
    /// A client does not have an acknowledged message exactly once.
    MessageCount { client: String, message: String, count: usize },
    /// A client was told that somebody left who stayed.
    NobodyLeft { client: String, left: String },
    /// A client believes that others are in the room than are.
    RosterDiffers { client: String, roster: BTreeSet<String>, expected: BTreeSet<String> },
}

/// Rules for clients that stayed to the end and received everything:
///
/// - Those of [`check_order`].
/// - Each acknowledged message is had exactly once by all others.
/// - Nobody who stayed is reported as gone, and all have the same roster.
pub(crate) fn check(histories: &[History]) -> Result<(), Broken> {
    check_order(histories)?;
    let clients: BTreeSet<_> = histories.iter().map(|history| history.client.clone()).collect();
    for history in histories {
        let client = history.client.clone();
        for other in histories.iter().filter(|other| other.client != client) {
            for message in &other.acknowledged {
                let count = history.messages.iter().filter(|it| *it == message).count();
                if count != 1 {
                    let message = message.clone();
                    return Err(Broken::MessageCount { client, message, count });
                }
            }
        }
        if let Some(left) = history.left.iter().find(|left| clients.contains(*left)) {
            return Err(Broken::NobodyLeft { client, left: left.clone() });
        }
        if history.roster != clients {
            let roster = history.roster.clone();
            return Err(Broken::RosterDiffers { client, roster, expected: clients });
        }
    }
    Ok(())
}

/// Rules at any time, also while something is lost: numbers rise at each client, one number is one
/// event for all, and all orders agree.
pub(crate) fn check_order(histories: &[History]) -> Result<(), Broken> {
    let mut events: BTreeMap<u64, &str> = BTreeMap::new();
    for history in histories {
        let mut after = 0;
        for (number, event) in &history.events {
            if *number <= after {
                let (client, number) = (history.client.clone(), *number);
                return Err(Broken::NumberFell { client, number, after });
            }
            after = *number;
            let known = events.entry(*number).or_insert(event);
            if known != event {
                let events = [(*known).to_owned(), event.clone()];
                return Err(Broken::TwoEvents { number: *number, events });
            }
        }
    }
    for (index, history) in histories.iter().enumerate() {
        let places: BTreeMap<_, _> =
            history.messages.iter().enumerate().map(|(place, message)| (message, place)).collect();
        for other in histories.iter().skip(index + 1) {
            let mut last = None;
            for message in &other.messages {
                let Some(place) = places.get(message) else { continue };
                if last > Some(place) {
                    let clients = [history.client.clone(), other.client.clone()];
                    return Err(Broken::OrdersDiffer { clients, message: message.clone() });
                }
                last = Some(place);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three clients of which the first two have spoken.
    fn clean() -> [History; 3] {
        let said = |who: &str, number: u64| (number, format!("chat of {who}"));
        ["Mina", "Ben", "Sun"].map(|client| History {
            client: client.to_owned(),
            events: vec![said("Mina", 1 << 22), said("Ben", 2 << 22)],
            acknowledged: match client {
                "Sun" => Vec::new(),
                _ => vec![format!("hi of {client}")],
            },
            messages: ["Mina", "Ben"]
                .into_iter()
                .filter(|who| *who != client)
                .map(|who| format!("hi of {who}"))
                .collect(),
            left: vec!["Guest".to_owned()],
            roster: ["Mina", "Ben", "Sun"].map(str::to_owned).into(),
        })
    }

    fn broken(plant: impl Fn(&mut History)) -> Broken {
        let mut histories = clean();
        plant(&mut histories[2]);
        check(&histories).unwrap_err()
    }

    #[test]
    fn clean_histories_obey_all_rules() {
        assert_eq!(check(&clean()), Ok(()));
    }

    #[test]
    fn each_broken_rule_is_found() {
        let fell = broken(|sun| sun.events.swap(0, 1));
        assert!(matches!(fell, Broken::NumberFell { .. }), "{fell:?}");
        let two = broken(|sun| sun.events[1].1 = "other".to_owned());
        assert!(matches!(two, Broken::TwoEvents { .. }), "{two:?}");
        let lost = broken(|sun| drop(sun.messages.pop()));
        assert!(matches!(lost, Broken::MessageCount { count: 0, .. }), "{lost:?}");
        let twice = broken(|sun| sun.messages.push("hi of Ben".to_owned()));
        assert!(matches!(twice, Broken::MessageCount { count: 2, .. }), "{twice:?}");
        let left = broken(|sun| sun.left.push("Ben".to_owned()));
        assert!(matches!(left, Broken::NobodyLeft { .. }), "{left:?}");
        let roster = broken(|sun| drop(sun.roster.pop_first()));
        assert!(matches!(roster, Broken::RosterDiffers { .. }), "{roster:?}");
    }

    /// A room that split and merged: everybody has every message, in another order.
    #[test]
    fn orders_that_differ_are_found() {
        let mut histories = clean();
        histories[2].messages.push("hi of Guest".to_owned());
        histories[0].messages.insert(0, "hi of Guest".to_owned());
        let broken = check(&histories).unwrap_err();
        assert!(matches!(broken, Broken::OrdersDiffer { .. }), "{broken:?}");
    }
}
