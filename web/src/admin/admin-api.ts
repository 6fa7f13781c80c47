/** Requests of the admin page: `/api/v1` with a session, and the sign-in beside it. */
import { AdminError } from "./admin-error.ts";
import type { AdminSession } from "./types.ts";

/** Time after which a request has failed. Sign-in may be delayed by 8 s after wrong passwords. */
const TIMEOUT_MS = 30_000;

type Fetch = typeof fetch;

/** Memory of a poll's last answer: the tag by which the server recognises it. */
export interface Tagged<T> {
  tag: string | null;
  value: T;
}

export interface AdminApi {
  session(): Promise<AdminSession>;
  signIn(name: string, password: string): Promise<AdminSession>;
  /** Makes an administrator by the secret of a one-time link. */
  claim(once: string, name: string, password: string): Promise<AdminSession>;
  signOut(): Promise<void>;
  get<T>(path: string): Promise<T>;
  /** Null if the answer is still the one with this tag. */
  getIfChanged<T>(path: string, tag: string | null): Promise<Tagged<T> | null>;
  post<T>(path: string, body?: unknown): Promise<T>;
  patch<T>(path: string, body: unknown): Promise<T>;
  remove(path: string): Promise<void>;
}

/** `onSignedOut` is called when the server no longer accepts the session. */
export function createAdminApi(
  onSignedOut: () => void,
  request: Fetch = (...args) => fetch(...args),
): AdminApi {
  const send = async (method: string, path: string, options: Options = {}): Promise<Response> => {
    const headers: Record<string, string> = {};
    if (options.body !== undefined) headers["Content-Type"] = "application/json";
    if (options.tag) headers["If-None-Match"] = options.tag;
    let response: Response;
    try {
      response = await request(path, {
        method,
        headers,
        body: options.body === undefined ? null : JSON.stringify(options.body),
        credentials: "same-origin",
        cache: "no-store",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch {
      throw new AdminError(0, "unreachable", "The server can't be reached");
    }
    if (response.ok || response.status === 304) return response;
    const error = await problemOf(response);
    if (error.status === 401 && !path.startsWith(SIGN_IN)) onSignedOut();
    throw error;
  };
  const json = async <T>(method: string, path: string, options?: Options): Promise<T> => {
    const response = await send(method, path, options);
    return (response.status === 204 ? undefined : await response.json()) as T;
  };
  return {
    session: () => json("GET", `${SIGN_IN}/session`),
    signIn: (name, password) => json("POST", `${SIGN_IN}/session`, { body: { name, password } }),
    claim: (once, name, password) =>
      json("POST", `${SIGN_IN}/claim`, { body: { once, name, password } }),
    signOut: () => json("DELETE", `${SIGN_IN}/session`),
    get: (path) => json("GET", API + path),
    getIfChanged: async (path, tag) => {
      const response = await send("GET", API + path, { tag });
      if (response.status === 304) return null;
      return { tag: response.headers.get("etag"), value: await response.json() };
    },
    post: (path, body) => json("POST", API + path, { body: body ?? {} }),
    patch: (path, body) => json("PATCH", API + path, { body }),
    remove: (path) => json("DELETE", API + path),
  };
}

const API = "/api/v1";
const SIGN_IN = "/api/admin";

interface Options {
  body?: unknown;
  tag?: string | null;
}

async function problemOf(response: Response): Promise<AdminError> {
  try {
    const { code, detail } = await response.json();
    return new AdminError(response.status, String(code), String(detail));
  } catch {
    return new AdminError(response.status, "unknown", `The server answers ${response.status}`);
  }
}

/** A path of names, each of which may have any characters. */
export function pathOf(...segments: string[]): string {
  return segments.map((segment) => `/${encodeURIComponent(segment)}`).join("");
}
