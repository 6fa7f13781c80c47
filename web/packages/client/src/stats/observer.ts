// Polls the statistics of every link and derives the page's figures, the connection quality of each
// participant and the jitter buffer targets.
import type { CallFacts, Quality, Statistics } from "../api.ts";
import type { ParticipantId, ReportRequest } from "../protocol.ts";
import type { PeerConnectionEntry } from "../rtc/platform.ts";
import { type RtcStatsReport, statsOf } from "../rtc/rtc-stats.ts";
import { Store } from "../store.ts";
import { addSnapshot, type CallSnapshot, callFacts, callSnapshot } from "./call-facts.ts";
import { Lateness } from "./lateness.ts";
import { type PageCounters, pageReport } from "./page-report.ts";
import { Playout } from "./playout.ts";
import {
  type LinkCounters,
  measureLink,
  NO_STATISTICS,
  qualitiesOf,
  reduceStatistics,
} from "./statistics.ts";
import type { TrackOwners } from "./track-owners.ts";

const INTERVAL_MS = 2_000;

/** Interval of the reports to the server, a little less than five measurements. */
const REPORT_INTERVAL_MS = 9_500;

export interface StatsObserverOptions {
  connections: () => readonly PeerConnectionEntry[];
  owners: TrackOwners;
  self: () => ParticipantId;
  onQualities: (qualities: ReadonlyMap<ParticipantId, Quality>) => void;
  onReport?: (report: ReportRequest) => void;
}

export class StatsObserver {
  readonly statistics = new Store<Statistics>(NO_STATISTICS);
  readonly #options: StatsObserverOptions;
  readonly #playout = new Playout();
  readonly #lateness = new Lateness();
  #counters = new Map<RTCPeerConnection, LinkCounters>();
  #snapshots: readonly CallSnapshot[] = [];
  #reported: { at: number; counters: PageCounters } = {
    at: Number.NEGATIVE_INFINITY,
    counters: new Map(),
  };
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(options: StatsObserverOptions) {
    this.#options = options;
    this.#schedule();
  }

  /** Facts of the last 20 seconds; null in the first ones. */
  get callFacts(): CallFacts | null {
    return callFacts(this.#snapshots);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#lateness.close();
  }

  #schedule(): void {
    this.#timer = setTimeout(() => void this.#poll(), INTERVAL_MS);
  }

  /** Measures once. Polling continues after a failure. */
  async #poll(): Promise<void> {
    try {
      await this.#measure();
    } finally {
      if (!this.#closed) this.#schedule();
    }
  }

  async #measure(): Promise<void> {
    const { connections, owners, self, onQualities } = this.#options;
    const reports = await Promise.all(
      connections().map(async ({ to, peer }) => ({ to, peer, report: await statsOf(peer) })),
    );
    if (this.#closed) return;
    const at = performance.now();
    const counters = new Map<RTCPeerConnection, LinkCounters>();
    const links = reports.flatMap(({ to, peer, report }) => {
      if (!report) return [];
      const before = this.#counters.get(peer);
      const measurement = measureLink({ to, report, before, at, owners });
      counters.set(peer, measurement.counters);
      this.#playout.update(peer, report, owners, at);
      return measurement.link;
    });
    this.#counters = counters;
    this.statistics.update((before) => reduceStatistics(before, links, at));
    onQualities(qualitiesOf(links, self()));
    const measured = reports.flatMap(({ to, report }) => (report ? [{ to, report }] : []));
    const snapshot = callSnapshot({ links: measured, owners, at });
    this.#snapshots = addSnapshot(this.#snapshots, snapshot);
    this.#report(measured, at);
  }

  /** Reports to the server, if it is time. */
  #report(links: { to: ParticipantId; report: RtcStatsReport }[], at: number): void {
    const { owners, onReport } = this.#options;
    const since = at - this.#reported.at;
    if (!onReport || since < REPORT_INTERVAL_MS) return;
    const before = this.#reported.counters;
    const late = this.#lateness.take();
    const { request, counters } = pageReport({
      links,
      owners,
      before,
      seconds: since / 1000,
      late,
    });
    this.#reported = { at, counters };
    if (request) onReport(request);
  }
}
