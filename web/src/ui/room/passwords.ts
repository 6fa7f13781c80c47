/** Passwords of rooms made or entered from this page, so that nobody types one twice. Not stored. */
const known = new Map<string, string>();

export function rememberPassword(room: string, password: string): void {
  known.set(room, password);
}

export function knownPassword(room: string): string {
  return known.get(room) ?? "";
}
