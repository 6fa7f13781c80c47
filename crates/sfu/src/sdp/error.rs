//! Reasons for which a description is not taken, in words for whoever wrote the client.

/// The reason for which a session description is not taken. Sections and lines count from one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// Longer than this server reads.
    #[error("longer than {0} bytes")]
    TooLong(usize),
    /// More media sections than this server takes.
    #[error("more than {0} sections")]
    TooManySections(usize),
    /// A line that is too long.
    #[error("line {line} is longer than {most} bytes")]
    LineTooLong {
        /// Which.
        line: usize,
        /// The most bytes of a line.
        most: usize,
    },
    /// A line that is not of the form of RFC 8866 §5.
    #[error("line {0} is not a letter, an equals sign and text")]
    NoLine(usize),
    /// Text that does not begin as RFC 8866 §5.1 wants it.
    #[error("the first line is not v=0")]
    NoVersion,
    /// A description without media sections.
    #[error("no media section")]
    NoSections,
    /// A media line that can't be read.
    #[error("line {0} is no media line of kind, port, protocol and formats")]
    BadMediaLine(usize),
    /// An attribute whose value can't be read.
    #[error("line {line}: the value of {attribute} can't be read")]
    BadAttribute {
        /// Which line.
        line: usize,
        /// The attribute's name.
        attribute: &'static str,
    },
    /// More lines of a kind than any browser writes.
    #[error("section {section} has more than {most} lines of {attribute}")]
    TooManyLines {
        /// The attribute's name.
        attribute: &'static str,
        /// Which section.
        section: usize,
        /// The most lines.
        most: usize,
    },
    /// More lines of a kind in all than any browser writes.
    #[error("more than {most} lines of {attribute} in all sections")]
    TooManyInAll {
        /// The attribute's name.
        attribute: &'static str,
        /// The most lines.
        most: usize,
    },
    /// An attribute that there may be but once.
    #[error("section {section} has more than one {attribute}")]
    Twice {
        /// The attribute's name.
        attribute: &'static str,
        /// Which section.
        section: usize,
    },
    /// A section without a name (RFC 8829 §5.2.1).
    #[error("section {0} has no mid")]
    NoMid(usize),
    /// Two sections of one name.
    #[error("sections {0} and {1} have the same mid")]
    DuplicateMid(usize, usize),
    /// A payload type that is mapped twice in a section.
    #[error("section {section} maps payload type {payload_type} twice")]
    PayloadTypeTwice {
        /// Which.
        payload_type: u8,
        /// Where.
        section: usize,
    },
    /// A payload type that would mean two codecs (RFC 9143 §9.1).
    #[error("payload type {payload_type} is {first} and {second} in one bundle")]
    PayloadTypeConflict {
        /// Which.
        payload_type: u8,
        /// A codec.
        first: &'static str,
        /// Another.
        second: &'static str,
    },
    /// A payload type that was agreed for another codec (RFC 3264 §8.3.2).
    #[error("payload type {payload_type} was {before} and can't become {after}")]
    PayloadTypeChanged {
        /// Which.
        payload_type: u8,
        /// The codec agreed.
        before: &'static str,
        /// The codec now.
        after: &'static str,
    },
    /// A header extension's number that would mean two extensions (RFC 9143 §9.4).
    #[error("extension number {0} means two header extensions in one bundle")]
    ExtensionConflict(u16),
    /// A description without a usable fingerprint of a certificate.
    #[error("no fingerprint of sha-256 or sha-1 (RFC 8122)")]
    NoFingerprint,
    /// An answer of somebody else.
    #[error("the fingerprint is not that of the offer")]
    OtherFingerprint,
    /// A description without usable ICE credentials.
    #[error("no ice-ufrag and ice-pwd (RFC 8839)")]
    NoCredentials,
    /// An answer with other ICE credentials, though ours asked for no restart (RFC 8839 §4.4.3.1).
    #[error("the answer has other ICE credentials, though no restart was offered")]
    OtherCredentials,
    /// ICE lite on both sides.
    #[error("both ends are ICE lite, so that neither would check")]
    BothLite,
    /// Fewer sections than before (RFC 3264 §8).
    #[error("{now} sections, where there were {before} before")]
    SectionsMissing {
        /// Before.
        before: usize,
        /// Now.
        now: usize,
    },
    /// A section in use that became another one (RFC 8829 §5.2.2).
    #[error("section {0} has become another one while in use")]
    SectionReplaced(usize),
    /// An answer that has not the sections of the offer.
    #[error("section {0} of the answer is not that of the offer")]
    AnswerDiffers(usize),
    /// An answer whose section has no format that was offered.
    #[error("section {0} of the answer has no format that was offered")]
    NothingInCommon(usize),
    /// A description all of whose sections are rejected or unknown.
    #[error("no section of audio, video or data channels that this server can serve")]
    NothingToServe,
    /// A description that is well formed, but not taken by the media engine.
    #[error("the description is well formed, but the media engine can't apply it")]
    NotApplied,
}
