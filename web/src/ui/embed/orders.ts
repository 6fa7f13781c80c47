/**
 * Messages between the page and the site that shows it in a frame: docs/embedding-a-frame.md. Both
 * ways they are `{moim: 1, type, …}`.
 */

/** Commands of the embedding site. */
export type Order =
  /** Tell it what happens. */
  | { type: "listen" }
  | { type: "join"; name?: string; microphone: boolean; camera: boolean; password?: string }
  | { type: "leave" }
  /** Turns devices off or on; absent ones stay as they are. */
  | { type: "mute"; microphone?: boolean; camera?: boolean };

/** Events for the embedding site. */
export type Told =
  | { type: "ready" }
  | { type: "state"; state: State; room: string; reason?: string }
  | { type: "participants"; count: number }
  | { type: "media"; microphone: boolean; camera: boolean };

export type State = "lobby" | "joining" | "waiting" | "call" | "ended";

/** Version of the messages. */
const VERSION = 1;

/** Parses what a site sent; null for anything else than an order. */
export function parseOrder(data: unknown): Order | null {
  if (typeof data !== "object" || data === null) return null;
  const { moim, type, ...rest } = data as Record<string, unknown>;
  if (moim !== VERSION) return null;
  switch (type) {
    case "listen":
    case "leave":
      return { type };
    case "join": {
      const { name, microphone, camera, password } = rest;
      const texts = [name, password].every((text) => text === undefined || isText(text));
      const switches = [microphone, camera].every((on) => on === undefined || isSwitch(on));
      if (!texts || !switches) return null;
      return {
        type,
        ...(isText(name) && { name }),
        ...(isText(password) && { password }),
        microphone: microphone === true,
        camera: camera === true,
      };
    }
    case "mute": {
      const { microphone, camera } = rest;
      if (![microphone, camera].every((muted) => muted === undefined || isSwitch(muted)))
        return null;
      return {
        type,
        ...(isSwitch(microphone) && { microphone }),
        ...(isSwitch(camera) && { camera }),
      };
    }
    default:
      return null;
  }
}

export function message(told: Told): Told & { moim: number } {
  return { moim: VERSION, ...told };
}

const isText = (value: unknown): value is string => typeof value === "string";
const isSwitch = (value: unknown): value is boolean => typeof value === "boolean";
