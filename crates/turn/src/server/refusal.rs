//! Errors a client is told (RFC 8489 §14.8, RFC 8656 §19).

/// An error code and the words that go with it; words are few, for answers must stay small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: u16,
    pub(crate) reason: &'static str,
}

const fn refusal(code: u16, reason: &'static str) -> Refusal {
    Refusal { code, reason }
}

impl Refusal {
    pub(crate) const BAD_REQUEST: Self = refusal(400, "Bad Request");
    pub(crate) const UNAUTHORIZED: Self = refusal(401, "Unauthorized");
    pub(crate) const FORBIDDEN: Self = refusal(403, "Forbidden");
    pub(crate) const MOBILITY_FORBIDDEN: Self = refusal(405, "Mobility Forbidden");
    pub(crate) const UNKNOWN_ATTRIBUTE: Self = refusal(420, "Unknown Attribute");
    pub(crate) const ALLOCATION_MISMATCH: Self = refusal(437, "Allocation Mismatch");
    pub(crate) const STALE_NONCE: Self = refusal(438, "Stale Nonce");
    pub(crate) const FAMILY_NOT_SUPPORTED: Self = refusal(440, "Address Family not Supported");
    pub(crate) const WRONG_CREDENTIALS: Self = refusal(441, "Wrong Credentials");
    pub(crate) const TRANSPORT_NOT_SUPPORTED: Self = refusal(442, "Unsupported Transport");
    pub(crate) const FAMILY_MISMATCH: Self = refusal(443, "Peer Address Family Mismatch");
    pub(crate) const CONNECTION_EXISTS: Self = refusal(446, "Connection Already Exists");
    pub(crate) const CONNECTION_FAILED: Self = refusal(447, "Connection Timeout or Failure");
    pub(crate) const QUOTA: Self = refusal(486, "Allocation Quota Reached");
    pub(crate) const CAPACITY: Self = refusal(508, "Insufficient Capacity");

    /// Whether the client is told realm and nonce, to try again with them.
    pub(crate) fn is_challenge(self) -> bool {
        self == Self::UNAUTHORIZED || self == Self::STALE_NONCE
    }
}
