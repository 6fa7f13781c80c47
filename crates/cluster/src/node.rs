//! Nodes: servers of a cluster, and what each tells of itself.

use std::{fmt, net::SocketAddr};

/// Slots of a cluster.
const SLOTS: u16 = 1024;
/// The size of a card, in bytes.
pub const MAX_CARD_BYTES: usize = 1024;
/// The first line of a card.
const CARD_VERSION: &str = "moim-node 1";

/// Ports for media that a card may name: one for each shard of a node.
pub const MAX_MEDIA_PORTS: usize = 64;

/// A node's number in its cluster, 0..1023. It passes to another node some time after its lease.
/// Nodes take 1..1023: in numbers of shards, slot 0 stands for the own node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u16);

impl Slot {
    /// A slot below 1024.
    #[must_use]
    pub fn new(value: u16) -> Option<Self> {
        (value < SLOTS).then_some(Self(value))
    }

    /// Its value.
    #[must_use]
    pub fn value(self) -> u16 {
        self.0
    }

    /// The slot after this one; the first after the last.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 % (SLOTS - 1) + 1)
    }
}

/// One run of a node: its slot, and a number that is random at each start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId {
    /// Its slot.
    pub slot: Slot,
    /// Its start.
    pub boot: u64,
}

impl NodeId {
    /// Reads `SLOT.BOOT`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (slot, boot) = text.split_once('.')?;
        let slot = slot.parse().ok().and_then(Slot::new)?;
        Some(Self { slot, boot: u64::from_str_radix(boot, 16).ok()? })
    }
}

/// As `SLOT.BOOT`.
impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:016x}", self.slot.0, self.boot)
    }
}

/// State of a node towards new rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeState {
    /// It does.
    Serving,
    /// It ends as soon as it is empty.
    Draining,
}

/// A node's description of itself, beside its lease.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Card {
    /// True if it takes new rooms.
    pub state: NodeState,
    /// Load, in percent of what it can bear.
    pub load: u8,
    /// The address at which clients reach this node and no other, if there is one.
    pub url: Option<String>,
    /// The address and port at which other nodes reach this one.
    pub address: Option<SocketAddr>,
    /// The UDP port of each of its shards for media of other nodes, at the same address. None: it
    /// has no part in media of others' rooms.
    pub media: Vec<u16>,
}

/// The fault of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// More than [`MAX_CARD_BYTES`].
    #[error("card of {0} bytes")]
    TooLong(usize),
    /// Not text of a version that is known.
    #[error("unknown form of card")]
    UnknownForm,
    /// A field that can't be read.
    #[error("unreadable field of a card")]
    BadField,
}

impl Card {
    /// The card as bytes: a line for the version, then a line `NAME VALUE` for each field.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let state = match self.state {
            NodeState::Serving => "serving",
            NodeState::Draining => "draining",
        };
        let mut text = format!("{CARD_VERSION}\nstate {state}\nload {}\n", self.load);
        if let Some(url) = &self.url {
            text += &format!("url {url}\n");
        }
        if let Some(address) = &self.address {
            text += &format!("address {address}\n");
        }
        if !self.media.is_empty() {
            let ports = self.media.iter().take(MAX_MEDIA_PORTS).map(ToString::to_string);
            text += &format!("media {}\n", ports.collect::<Vec<_>>().join(" "));
        }
        text.into_bytes()
    }

    /// Reads a card. Fields of later versions are skipped.
    ///
    /// # Errors
    ///
    /// Fails if it is too long, of an unknown version, or a field can't be read.
    pub fn decode(bytes: &[u8]) -> Result<Self, CardError> {
        if bytes.len() > MAX_CARD_BYTES {
            return Err(CardError::TooLong(bytes.len()));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| CardError::UnknownForm)?;
        let mut lines = text.lines();
        if lines.next() != Some(CARD_VERSION) {
            return Err(CardError::UnknownForm);
        }
        let (state, media) = (NodeState::Serving, Vec::new());
        let mut card = Self { state, load: 0, url: None, address: None, media };
        for line in lines {
            match line.split_once(' ').ok_or(CardError::BadField)? {
                ("state", "serving") => card.state = NodeState::Serving,
                // A state of a later version takes no new rooms.
                ("state", _) => card.state = NodeState::Draining,
                ("load", load) => card.load = load.parse().map_err(|_| CardError::BadField)?,
                ("url", url) => card.url = Some(url.to_owned()),
                ("address", address) => {
                    card.address = Some(address.parse().map_err(|_| CardError::BadField)?);
                }
                ("media", ports) => {
                    let ports = ports.split(' ').take(MAX_MEDIA_PORTS).map(str::parse);
                    card.media =
                        ports.collect::<Result<_, _>>().map_err(|_| CardError::BadField)?;
                }
                _ => {}
            }
        }
        Ok(card)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_id_survives_its_text() {
        let node = NodeId { slot: Slot::new(1023).unwrap(), boot: 0xfeed };
        assert_eq!(node.to_string(), "1023.000000000000feed");
        assert_eq!(NodeId::parse("1023.000000000000feed"), Some(node));
        for bad in ["1024.00", "1", "a.0", "1.g", ""] {
            assert_eq!(NodeId::parse(bad), None, "{bad}");
        }
        let next = |slot| Slot::new(slot).unwrap().next().value();
        assert_eq!([0, 1, 1022, 1023].map(next), [1, 2, 1023, 1]);
    }

    #[test]
    fn card_survives_its_bytes_and_skips_later_fields() {
        let url = Some("https://n1.example.org".to_owned());
        let address = Some("[2001:db8::1]:4000".parse().unwrap());
        let media = (40_000..40_064).collect();
        let card = Card { state: NodeState::Draining, load: 70, url, address, media };
        let mut bytes = card.encode();
        assert_eq!(Card::decode(&bytes), Ok(card.clone()));
        bytes.extend_from_slice(b"region eu west\n");
        assert_eq!(Card::decode(&bytes), Ok(card));
    }

    #[test]
    fn cards_that_are_too_long_or_of_unknown_form_are_refused() {
        assert_eq!(Card::decode(&[b'a'; 2000]), Err(CardError::TooLong(2000)));
        assert_eq!(Card::decode(b"moim-node 2\n"), Err(CardError::UnknownForm));
        assert_eq!(Card::decode(b"\xff"), Err(CardError::UnknownForm));
        for field in ["load 300", "address here", "media 1 70000"] {
            let text = format!("moim-node 1\n{field}\n");
            assert_eq!(Card::decode(text.as_bytes()), Err(CardError::BadField));
        }
    }
}
