// Credentials of a join, besides the identity of the participant.
import type { JoinRequest } from "../api.ts";
import type { JoinRoom } from "../protocol.ts";
import { RequestError } from "../signaling/errors.ts";
import type { Outcome } from "../signaling/signaling.ts";

export type Credentials = Pick<JoinRoom, "room" | "name" | "password" | "token" | "invitation">;

/** Calls `done` with the credentials of a request: at once unless its token must be fetched. */
export function fetchCredentials(
  request: JoinRequest,
  done: (outcome: Outcome<Credentials>) => void,
): void {
  const { token } = request;
  if (typeof token !== "function") return done({ ok: credentials(request, token) });
  // Within a promise, since the function may throw, too.
  Promise.resolve()
    .then(token)
    .then(
      (fetched) => done({ ok: credentials(request, fetched) }),
      (cause) => {
        const error = new RequestError("no_token", "the application gave no token");
        error.cause = cause;
        done({ error });
      },
    );
}

/** The credentials with this token. A resume needs none: it has a token of its own. */
export function credentials(request: JoinRequest, token?: string): Credentials {
  const { room, name, password, invitation } = request;
  return {
    room,
    name,
    ...(password !== undefined && { password }),
    ...(token !== undefined && { token }),
    ...(invitation !== undefined && { invitation }),
  };
}
