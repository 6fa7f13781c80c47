// Choice between two routes of a participant's track: the old one until the new one delivers.
import type { ConnectionState } from "../api.ts";
import type { MediaState } from "../protocol.ts";
import { type PerSource, SOURCES, type Source } from "../rtc/source.ts";
import type { Route } from "./routes.ts";

/** Both routes of one source of one participant. */
export interface TrackRoutes {
  /** The route in use. */
  readonly current: Route | null;
  /** The route to use in the end. */
  readonly wanted: Route;
  /** Routes on which there is a track. */
  readonly has: Readonly<Record<Route, boolean>>;
  /** The wanted route has delivered media, or there is nothing to wait for. */
  readonly arrived: boolean;
}

/** The route to use now; null without a track. */
export function chooseRoute({ current, wanted, has, arrived }: TrackRoutes): Route | null {
  const other = wanted === "mesh" ? "sfu" : "mesh";
  if (has[wanted] && (current === wanted || arrived || !has[other])) return wanted;
  return has[other] ? other : null;
}

/** The source sends media that can be waited for. The audio of a screen may be silent. */
export function isActive(media: MediaState, source: Source): boolean {
  switch (source) {
    case "microphone":
      return media.mic;
    case "camera":
      return media.camera;
    case "screen":
      return media.screen;
    case "screen_audio":
      return false;
  }
}

export interface ParticipantLinks {
  readonly media: MediaState;
  readonly wanted: Route;
  /** Tracks that the media server forwards. */
  readonly sfuTracks: PerSource<unknown>;
  /** State of each link; null without one. */
  readonly state: Readonly<Record<Route, ConnectionState | null>>;
}

/** Connection state of a participant: connected if either route is. */
export function connectionOf({
  media,
  wanted,
  sfuTracks,
  state,
}: ParticipantLinks): ConnectionState {
  const sends = SOURCES.some((source) => isActive(media, source));
  // A participant whose tracks the server does not announce has not reached the server yet.
  const hasReachedSfu = Object.keys(sfuTracks).length > 0 || !sends;
  const sfu = state.sfu === "connected" && !hasReachedSfu ? "connecting" : state.sfu;
  if (state.mesh === "connected" || sfu === "connected") return "connected";
  return { mesh: state.mesh, sfu }[wanted] ?? state.mesh ?? sfu ?? "connecting";
}
