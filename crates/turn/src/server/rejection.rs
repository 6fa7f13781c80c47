//! Error codes of STUN and TURN (RFC 8489 §14.8, RFC 8656 §19).

/// An error code and its reason phrase. Reason phrases are short to keep responses small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rejection {
    pub(crate) code: u16,
    pub(crate) reason: &'static str,
}

const fn rejection(code: u16, reason: &'static str) -> Rejection {
    Rejection { code, reason }
}

impl Rejection {
    pub(crate) const BAD_REQUEST: Self = rejection(400, "Bad Request");
    pub(crate) const UNAUTHORIZED: Self = rejection(401, "Unauthorized");
    pub(crate) const FORBIDDEN: Self = rejection(403, "Forbidden");
    pub(crate) const MOBILITY_FORBIDDEN: Self = rejection(405, "Mobility Forbidden");
    pub(crate) const UNKNOWN_ATTRIBUTE: Self = rejection(420, "Unknown Attribute");
    pub(crate) const ALLOCATION_MISMATCH: Self = rejection(437, "Allocation Mismatch");
    pub(crate) const STALE_NONCE: Self = rejection(438, "Stale Nonce");
    pub(crate) const FAMILY_NOT_SUPPORTED: Self = rejection(440, "Address Family not Supported");
    pub(crate) const WRONG_CREDENTIALS: Self = rejection(441, "Wrong Credentials");
    pub(crate) const TRANSPORT_NOT_SUPPORTED: Self = rejection(442, "Unsupported Transport");
    pub(crate) const FAMILY_MISMATCH: Self = rejection(443, "Peer Address Family Mismatch");
    pub(crate) const CONNECTION_EXISTS: Self = rejection(446, "Connection Already Exists");
    pub(crate) const CONNECTION_FAILED: Self = rejection(447, "Connection Timeout or Failure");
    pub(crate) const QUOTA: Self = rejection(486, "Allocation Quota Reached");
    pub(crate) const CAPACITY: Self = rejection(508, "Insufficient Capacity");

    /// Returns whether the response carries the realm and a nonce for another attempt.
    pub(crate) fn is_challenge(self) -> bool {
        self == Self::UNAUTHORIZED || self == Self::STALE_NONCE
    }
}
