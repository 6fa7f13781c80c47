// Feeds the streams of the remote participants: selects the route of each track, and switches to
// another one once that delivers.
import type { RemoteParticipant, Viewport } from "../api.ts";
import type { ParticipantId } from "../protocol.ts";
import type { Counters } from "../rtc/counters.ts";
import type { RtcPlatform } from "../rtc/platform.ts";
import {
  kindOf,
  type PerSource,
  type ReceivedTracks,
  SOURCES,
  type Source,
} from "../rtc/source.ts";
import { Arrivals } from "./arrivals.ts";
import { type ParticipantStreams, RemoteStreams } from "./remote-streams.ts";
import { chooseRoute, isActive } from "./route-choice.ts";
import type { Route } from "./routes.ts";
import { type Candidates, Succession } from "./succession.ts";
import { isHidden } from "./viewport.ts";

export interface TrackFeedsOptions {
  createStream: RtcPlatform["createStream"];
  /** Progress of each track. */
  counters: () => Promise<Counters>;
  viewports: () => readonly Viewport[];
  /** Tracks of a kind are received at all. */
  receives: (kind: "audio" | "video") => boolean;
  /** New counters are available: update every feed. */
  onPoll: () => void;
}

export interface Feed {
  readonly streams: ParticipantStreams;
  /** Everything that can be waited for has arrived by the wanted route. */
  readonly isComplete: boolean;
  /** A track still uses the other route, or an earlier link. */
  readonly isAwaited: boolean;
}

export class TrackFeeds {
  readonly #options: TrackFeedsOptions;
  readonly #streams: RemoteStreams;
  readonly #arrivals: Arrivals;
  readonly #succession = new Succession();
  /** The route in use of each track. */
  readonly #current = new Map<ParticipantId, PerSource<Route>>();

  constructor(options: TrackFeedsOptions) {
    this.#options = options;
    this.#streams = new RemoteStreams(options.createStream);
    this.#arrivals = new Arrivals({
      count: options.counters,
      onPoll: options.onPoll,
    });
  }

  /** Selects the tracks of a participant from what each route delivers. */
  update(
    participant: RemoteParticipant,
    wanted: Route,
    { mesh, sfu }: { readonly mesh: ReceivedTracks; readonly sfu: Candidates },
  ): Feed {
    const { id } = participant;
    const succession = this.#succession.choose(id, sfu, (source, track, former) =>
      this.#hasArrived(participant, source, "sfu", track, former),
    );
    const received = { mesh, sfu: succession.tracks };
    const before = this.#current.get(id) ?? {};
    const current: PerSource<Route> = {};
    const tracks: PerSource<MediaStreamTrack> = {};
    let isComplete = true;
    let { isAwaited } = succession;
    for (const source of SOURCES) {
      const arrived = this.#hasArrived(participant, source, wanted, received[wanted][source]);
      const has = {
        mesh: received.mesh[source] !== undefined,
        sfu: received.sfu[source] !== undefined,
      };
      const route = chooseRoute({ current: before[source] ?? null, wanted, has, arrived });
      const track = route && received[route][source];
      if (!arrived) isComplete = false;
      if (!track) continue;
      current[source] = route;
      tracks[source] = track;
      if (route !== wanted && has[wanted]) isAwaited = true;
    }
    this.#current.set(id, current);
    return { streams: this.#streams.setTracks(id, tracks), isComplete, isAwaited };
  }

  /** Polls the counters while media is awaited. */
  pollWhile(isAwaited: boolean): void {
    this.#arrivals.pollWhile(isAwaited);
  }

  /** Removes a participant that left. */
  remove(id: ParticipantId): void {
    this.#streams.remove(id);
    this.#current.delete(id);
    this.#succession.remove(id);
  }

  #hasArrived(
    { id, media }: RemoteParticipant,
    source: Source,
    route: Route,
    track: MediaStreamTrack | undefined,
    former?: MediaStreamTrack,
  ): boolean {
    if (!isActive(media, source)) return true;
    if (!this.#options.receives(kindOf(source))) return true;
    if (!track) return false;
    if (route === "sfu" && isHidden(this.#options.viewports(), id, source)) return true;
    if (former) return this.#arrivals.canFollow(track, id, source, former);
    return this.#arrivals.hasArrived(track, id, source);
  }
}
