/** Sign-in at the server's OpenID provider. */

/** The signed-in person, and whether anybody can sign in. */
export interface PersonSession {
  /** The server has a provider. */
  readonly provider: boolean;
  /** Name of the person; null if nobody has signed in. */
  readonly person: string | null;
}

/** Time after which a request has failed. */
const TIMEOUT_MS = 10_000;
const PATH = "/auth/session";

/** Nobody, also where the server can't be reached or is another one. */
export const NOBODY: PersonSession = { provider: false, person: null };

/** Asks the server who has signed in in this browser. Never rejects. */
export async function personSession(request: typeof fetch = fetch): Promise<PersonSession> {
  try {
    const response = await request(PATH, {
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!response.ok) return NOBODY;
    const { provider, person } = await response.json();
    return {
      provider: provider === true,
      person: typeof person === "string" ? person : null,
    };
  } catch {
    return NOBODY;
  }
}

/**
 * Signs out. Returns the address that comes next: the provider's page that signs out there, too, or
 * this page; null if the server did not sign out.
 */
export async function signOut(request: typeof fetch = fetch): Promise<string | null> {
  try {
    const options = { method: "DELETE", signal: AbortSignal.timeout(TIMEOUT_MS) };
    const response = await request(PATH, { ...options, credentials: "same-origin" });
    if (!response.ok) return null;
    if (response.status === 204) return "/";
    const { page } = await response.json();
    // Never a script.
    return typeof page === "string" && /^https?:/.test(page) ? page : "/";
  } catch {
    return null;
  }
}

/** Address that leads to the provider, and from there back to a path of this page. */
export function signInAddress(path: string): string {
  return `/auth/sign-in?to=${encodeURIComponent(path)}`;
}
