/** Tokens and keys of invitations in the fragment of a room's address, which no server logs. */

/** Credentials for a room, besides its password. */
export interface EntryCredentials {
  /** Join token of an application. */
  token?: string;
  /** Key of an invitation. */
  invitation?: string;
}

/** Parses a fragment such as `#token=…` or `#k=…`. */
export function parseFragment(fragment: string): EntryCredentials {
  const fields = new URLSearchParams(fragment.replace(/^#/, ""));
  const token = fields.get("token");
  const invitation = fields.get("k");
  return { ...(token && { token }), ...(invitation && { invitation }) };
}

/**
 * Takes the credentials out of the address, so that a copied address doesn't pass them on, and
 * keeps them in the tab for a reload.
 */
export function takeEntryCredentials(
  room: string,
  location: Pick<Location, "hash" | "pathname" | "search">,
  history: Pick<History, "replaceState" | "state">,
  storage: Storage | undefined,
): EntryCredentials {
  const key = `moim.entry.${room}`;
  const given = parseFragment(location.hash);
  if (!given.token && !given.invitation) return parseFragment(storage?.getItem(key) ?? "");
  history.replaceState(history.state, "", location.pathname + location.search);
  keep(key, given, storage);
  return given;
}

/** The credentials without an invitation that leads nowhere. */
export function forgetInvitation(
  room: string,
  { token }: EntryCredentials,
  storage: Storage | undefined,
): EntryCredentials {
  const left = token ? { token } : {};
  keep(`moim.entry.${room}`, left, storage);
  return left;
}

function keep(key: string, given: EntryCredentials, storage: Storage | undefined): void {
  try {
    const fields = { ...(given.token && { token: given.token }) };
    const kept = { ...fields, ...(given.invitation && { k: given.invitation }) };
    storage?.setItem(key, new URLSearchParams(kept).toString());
  } catch {
    // A full storage costs the reload, not the join.
  }
}
