// Who is the client of a link's DTLS, which stays as it was first agreed.

/** `active` connects, `passive` is connected to (RFC 4145 §4). */
export type DtlsRole = "active" | "passive";

const SETUP = /^a=setup:(\S+)/m;

/** The role that the author of an answer takes. */
export function roleOf(sdp: string): DtlsRole | null {
  const role = SETUP.exec(sdp)?.[1];
  return role === "active" || role === "passive" ? role : null;
}

export function opposite(role: DtlsRole): DtlsRole {
  return role === "active" ? "passive" : "active";
}

/**
 * An offer that leaves no choice but the role agreed before. RFC 8842 §5.5 has the answering end
 * keep it by itself, but Firefox answers an ICE restart with another, which Chromium can't apply.
 */
export function withRole(sdp: string, role: DtlsRole | null): string {
  return role === null ? sdp : sdp.replace(/^a=setup:actpass/gm, `a=setup:${role}`);
}
