/** Passwords of rooms created or joined from this document. Kept in memory only. */
const known = new Map<string, string>();

export function rememberPassword(room: string, password: string): void {
  known.set(room, password);
}

export function knownPassword(room: string): string {
  return known.get(room) ?? "";
}
