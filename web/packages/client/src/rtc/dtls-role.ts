// DTLS role of a link (the SDP attribute `setup`), which never changes once negotiated.

/** `active` connects, `passive` waits for the connection (RFC 4145 §4). */
export type DtlsRole = "active" | "passive";

const SETUP = /^a=setup:(\S+)/m;

/** The role that the author of an answer takes. */
export function dtlsRoleOf(sdp: string): DtlsRole | null {
  const role = SETUP.exec(sdp)?.[1];
  return role === "active" || role === "passive" ? role : null;
}

export function oppositeRole(role: DtlsRole): DtlsRole {
  return role === "active" ? "passive" : "active";
}

/**
 * Fixes the role in an offer to the one negotiated before. RFC 8842 §5.5 requires the answerer to
 * keep its role, but Firefox answers an ICE restart with the other one, which Chromium rejects.
 */
export function withDtlsRole(sdp: string, role: DtlsRole | null): string {
  return role === null ? sdp : sdp.replace(/^a=setup:actpass/gm, `a=setup:${role}`);
}
