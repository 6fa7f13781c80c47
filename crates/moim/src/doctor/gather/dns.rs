//! S5: the system's resolver, with a deadline.

use std::{
    net::{IpAddr, ToSocketAddrs},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use doctor::server::dns::Answer;

use crate::net::resolver::is_absent;

/// Time for the resolver.
const TIMEOUT: Duration = Duration::from_secs(4);
/// Names that are looked up.
const MAX_NAMES: usize = 8;

/// Answers for names, all asked at once. Addresses are no names.
pub(super) fn answers<'a>(names: impl Iterator<Item = &'a str>) -> Vec<(String, Answer)> {
    let end = Instant::now() + TIMEOUT;
    let is_name = |name: &&str| name.trim_matches(['[', ']']).parse::<IpAddr>().is_err();
    let asked: Vec<_> = names.filter(is_name).take(MAX_NAMES).map(ask).collect();
    asked
        .into_iter()
        .map(|(name, answer)| {
            let left = end.saturating_duration_since(Instant::now());
            (name, answer.recv_timeout(left).unwrap_or(Answer::Unknown))
        })
        .collect()
}

/// Asks on a thread that is left behind if the resolver does not answer.
fn ask(name: &str) -> (String, mpsc::Receiver<Answer>) {
    let (sender, receiver) = mpsc::channel();
    let asked = name.to_owned();
    thread::spawn(move || {
        let answer = match (asked.as_str(), 0).to_socket_addrs() {
            Ok(found) => {
                let mut addresses: Vec<_> = found.map(|address| address.ip()).collect();
                addresses.sort_unstable();
                addresses.dedup();
                if addresses.is_empty() { Answer::None } else { Answer::Addresses(addresses) }
            }
            Err(error) if is_absent(&error) => Answer::None,
            Err(_) => Answer::Unknown,
        };
        let _ = sender.send(answer);
    });
    (name.to_owned(), receiver)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_not_looked_up() {
        assert!(answers(["192.0.2.1", "[2001:db8::1]"].into_iter()).is_empty());
    }

    #[test]
    fn localhost_has_addresses() {
        let found = answers(["localhost"].into_iter());
        assert!(matches!(&found[..], [(_, Answer::Addresses(all))] if all[0].is_loopback()));
    }
}
