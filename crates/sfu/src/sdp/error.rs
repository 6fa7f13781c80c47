//! Errors of session descriptions, worded for the developer of the client.

/// An error in a session description. Sections and lines count from one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// The text is longer than this server accepts.
    #[error("the description is longer than {0} bytes")]
    TooLong(usize),
    /// There are more media sections than this server accepts.
    #[error("more than {0} media sections")]
    TooManySections(usize),
    /// A line is too long.
    #[error("line {line} is longer than {max} bytes")]
    LineTooLong {
        /// Number of the line.
        line: usize,
        /// Maximum length in bytes.
        max: usize,
    },
    /// A line is not of the form `x=value` (RFC 8866 §5).
    #[error("line {0} is malformed: expected a letter, an equals sign and a value")]
    MalformedLine(usize),
    /// The text does not begin with `v=0` (RFC 8866 §5.1).
    #[error("the first line must be v=0")]
    NoVersion,
    /// The description has no media sections.
    #[error("no media sections")]
    NoSections,
    /// A media line is malformed.
    #[error("line {0} is malformed: expected m=<media> <port> <protocol> <formats>")]
    MalformedMediaLine(usize),
    /// The value of an attribute is malformed.
    #[error("line {line}: invalid value of a={attribute}")]
    InvalidAttribute {
        /// Number of the line.
        line: usize,
        /// Name of the attribute.
        attribute: &'static str,
    },
    /// A section has more lines of one kind than any browser writes.
    #[error("section {section} has more than {max} lines of {attribute}")]
    TooManyLines {
        /// Name of the attribute.
        attribute: &'static str,
        /// Number of the section.
        section: usize,
        /// Maximum number of lines.
        max: usize,
    },
    /// All sections together have more lines of one kind than any browser writes.
    #[error("all sections together have more than {max} lines of {attribute}")]
    TooManyLinesTotal {
        /// Name of the attribute.
        attribute: &'static str,
        /// Maximum number of lines.
        max: usize,
    },
    /// An attribute that may occur once occurs again.
    #[error("section {section} has more than one {attribute}")]
    DuplicateAttribute {
        /// Name of the attribute.
        attribute: &'static str,
        /// Number of the section.
        section: usize,
    },
    /// A section has no mid (RFC 8829 §5.2.1).
    #[error("section {0} has no mid")]
    NoMid(usize),
    /// Two sections have the same mid.
    #[error("sections {0} and {1} have the same mid")]
    DuplicateMid(usize, usize),
    /// A section maps a payload type twice.
    #[error("section {section} maps payload type {payload_type} twice")]
    DuplicatePayloadType {
        /// The payload type.
        payload_type: u8,
        /// Number of the section.
        section: usize,
    },
    /// A payload type stands for two codecs (RFC 9143 §9.1).
    #[error("payload type {payload_type} is {first} and {second} in one bundle")]
    PayloadTypeConflict {
        /// The payload type.
        payload_type: u8,
        /// One of the codecs.
        first: &'static str,
        /// The other one.
        second: &'static str,
    },
    /// A negotiated payload type now stands for another codec (RFC 3264 §8.3.2).
    #[error("payload type {payload_type} was negotiated for {before} and can't become {after}")]
    PayloadTypeChanged {
        /// The payload type.
        payload_type: u8,
        /// The negotiated codec.
        before: &'static str,
        /// The codec in this description.
        after: &'static str,
    },
    /// An extension id stands for two header extensions (RFC 9143 §9.4).
    #[error("extension id {0} stands for two header extensions in one bundle")]
    ExtensionConflict(u16),
    /// The description has no usable certificate fingerprint.
    #[error("no sha-256 or sha-1 fingerprint (RFC 8122)")]
    NoFingerprint,
    /// The answer has another certificate than the offer.
    #[error("the fingerprint differs from that of the offer")]
    FingerprintMismatch,
    /// The description has no usable ICE credentials.
    #[error("no ice-ufrag and ice-pwd (RFC 8839)")]
    NoCredentials,
    /// The answer restarts ICE although our offer did not (RFC 8839 §4.4.3.1).
    #[error("the ICE credentials of the answer changed although the offer did not restart ICE")]
    UnexpectedIceRestart,
    /// Both sides are ICE lite.
    #[error("both sides are ICE lite: neither would send connectivity checks")]
    BothIceLite,
    /// There are fewer sections than before (RFC 3264 §8).
    #[error("{now} media sections, but the session has {before}")]
    SectionsMissing {
        /// Number of sections in the session.
        before: usize,
        /// Number of sections in this description.
        now: usize,
    },
    /// A section in use has changed its mid or media type (RFC 8829 §5.2.2).
    #[error("section {0} is in use and can't change its mid or media type")]
    SectionReplaced(usize),
    /// The sections of the answer are not those of the offer.
    #[error("section {0} of the answer does not match the offer")]
    AnswerSectionMismatch(usize),
    /// A section has no format that both sides know.
    #[error("section {0} has no format in common with the offer")]
    NoCommonFormat(usize),
    /// All sections are rejected or unknown.
    #[error("no audio, video or data channel section that this server can use")]
    NoUsableSection,
    /// The media engine rejects the well-formed description.
    #[error("the description is well-formed, but the media engine can't apply it")]
    NotApplied,
}
