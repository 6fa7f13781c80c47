// A random secret by which a room recognizes this browser: a host comes back as host, and a removed
// participant stays out. It is sent to this server alone, with each join.
import type { KeyValueStorage } from "../options.ts";

const KEY = "moim.device";
const BYTES = 24;

/** The stored secret, made on first use; one for this page alone if storage is unavailable. */
export function deviceSecret(storage: KeyValueStorage | undefined): string {
  try {
    const stored = storage?.getItem(KEY);
    if (stored && /^[\w-]{16,64}$/.test(stored)) return stored;
    const secret = newSecret();
    storage?.setItem(KEY, secret);
    return secret;
  } catch {
    return newSecret();
  }
}

function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
