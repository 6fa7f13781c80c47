// Looks at every link now and then: how well it does, in numbers and in one word for each, and how
// long its pictures are to be held.
import type { Quality } from "../api.ts";
import type { Line as Path } from "../topology/router.ts";
import { Playout } from "./playout.ts";
import type { ParticipantId } from "../protocol.ts";
import {
  afterLooking,
  type Look,
  NO_STATISTICS,
  type Owners,
  qualities,
  read,
  type Statistics,
} from "./statistics.ts";
import { Store } from "../store.ts";

/** How often, in milliseconds. */
const INTERVAL = 2_000;

export interface ObserverOptions {
  lines: () => readonly Path[];
  owners: Owners;
  self: () => ParticipantId;
  judged: (qualities: ReadonlyMap<ParticipantId, Quality>) => void;
}

export class Observer {
  readonly statistics = new Store<Statistics>(NO_STATISTICS);
  readonly #options: ObserverOptions;
  readonly #playout = new Playout();
  #looks = new Map<RTCPeerConnection, Look>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(options: ObserverOptions) {
    this.#options = options;
    this.#next();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #next(): void {
    this.#timer = setTimeout(() => void this.#look(), INTERVAL);
  }

  /** A look that fails is not the last one. */
  async #look(): Promise<void> {
    try {
      await this.#measure();
    } finally {
      if (!this.#closed) this.#next();
    }
  }

  async #measure(): Promise<void> {
    const { lines, owners, self, judged } = this.#options;
    const reports = await Promise.all(
      lines().map(async ([to, peer]) => [to, peer, await statsOf(peer)] as const),
    );
    if (this.#closed) return;
    const at = performance.now();
    const looks = new Map<RTCPeerConnection, Look>();
    const found = reports.flatMap(([to, peer, report]) => {
      if (!report) return [];
      const entries = report as Iterable<[string, unknown]>;
      const { line, look } = read(to, entries, this.#looks.get(peer), at, owners);
      looks.set(peer, look);
      this.#playout.look(peer, entries, owners, at);
      return line;
    });
    this.#looks = looks;
    this.statistics.update((before) => afterLooking(before, found, at));
    judged(qualities(found, self()));
  }
}

/** Nothing of a peer that is closed, or whose browser has none just now. */
async function statsOf(peer: RTCPeerConnection): Promise<RTCStatsReport | null> {
  try {
    return await peer.getStats();
  } catch {
    return null;
  }
}
