// Somebody in a call, driven by the page's test ids as a person would.

import type { Page } from "@playwright/test";
import type { TileChange } from "./observer.ts";
import { type Inbound, type PageReport, report, type TileReport } from "./report.ts";
import type { Tab } from "./tab.ts";
import { DEADLINE, until } from "./until.ts";

export class Participant {
  constructor(
    readonly name: string,
    readonly tab: Tab,
    /** Where this participant reaches the server. */
    readonly url: string,
  ) {}

  /** From home by hand: makes a room and comes to its preview. */
  async createRoom(room: string): Promise<void> {
    await this.tab.goto(`${this.url}/`);
    await this.tab.fill("name-input", this.name);
    await this.tab.fill("new-room-name", room);
    await this.tab.click("create-room");
  }

  /** To a room's preview, where its camera is on. */
  async comeToDoor(room: string): Promise<void> {
    await this.tab.goto(this.doorUrl(room));
    await this.preview();
  }

  /** From the preview into the call. */
  async join(): Promise<void> {
    await this.tab.click("join");
    await this.self();
  }

  /** Waits until the preview shows the camera. */
  async preview(): Promise<void> {
    const inPage = () => {
      const preview = document.querySelector("[data-testid=preview]");
      const video = preview instanceof HTMLVideoElement ? preview : preview?.querySelector("video");
      return video?.videoWidth ?? 0;
    };
    await until(`${this.name}'s preview`, async () => {
      const seen = await this.tab.evaluate(inPage);
      return { done: seen > 0 || undefined, seen };
    });
  }

  /** Straight into the call, by the link that skips the preview. */
  async enter(room: string): Promise<void> {
    await this.tab.goto(this.roomUrl(room));
    await this.self();
  }

  /** The link that skips the preview. */
  roomUrl(room: string): string {
    return `${this.doorUrl(room)}&join=1`;
  }

  /** The link to a room's preview. */
  doorUrl(room: string): string {
    return `${this.url}/r/${encodeURIComponent(room)}?name=${encodeURIComponent(this.name)}`;
  }

  report(): Promise<PageReport> {
    return this.tab.evaluate(report);
  }

  /** This participant's own tile, once there is one. */
  self(): Promise<TileReport> {
    return until(`${this.name}'s own tile`, async () => {
      const { tiles } = await this.report();
      return { done: tiles.find((tile) => tile.self), seen: tiles };
    });
  }

  /** The tiles of others, once there are exactly so many. */
  others(count: number, deadline = DEADLINE): Promise<TileReport[]> {
    const look = async () => {
      const { tiles } = await this.report();
      const others = tiles.filter((tile) => !tile.self);
      return { done: others.length === count ? others : undefined, seen: tiles };
    };
    return until(`${count} others at ${this.name}'s`, look, deadline);
  }

  /**
   * Waits until every one of so many others is seen and heard: its tile shows a video track whose frames are
   * being decoded just now, and plays an audio track that brings packets and sound.
   */
  async decodes(count: number, deadline = DEADLINE): Promise<void> {
    const before = new Map<string, Inbound>();
    await until(
      `${this.name} to decode ${count} others`,
      async () => {
        const page = await this.report();
        const inbound = page.connections.flatMap((connection) => connection.inbound);
        const growing = inbound.filter((stream) => grows(stream, before.get(streamKey(stream))));
        for (const stream of inbound) {
          if (!before.has(streamKey(stream))) before.set(streamKey(stream), stream);
        }
        const moving = new Set(growing.map(({ track }) => track));
        const others = page.tiles.filter((tile) => !tile.self);
        const seen = others.filter(
          (tile) => tile.videoWidth > 0 && tile.videoTracks.some((track) => moving.has(track)),
        );
        const heard = others.filter((tile) => tile.audioTracks.some((track) => moving.has(track)));
        const all = others.length === count && seen.length === count && heard.length === count;
        return { done: all || undefined, seen: page };
      },
      deadline,
    );
  }

  /** Tiles that came and went since the page was loaded. */
  tileChanges(): Promise<TileChange[]> {
    return this.tab.evaluate(() => window.observed.tiles);
  }

  /** When a control was last clicked, on the clock of this machine's pages. */
  async clickedAt(testId: string): Promise<number> {
    const clicks = await this.tab.evaluate(() => window.observed.clicks);
    const click = clicks.findLast((click) => click.testId === testId);
    if (!click) throw new Error(`${this.name} never clicked ${testId}`);
    return click.at;
  }

  close(): Promise<void> {
    return this.tab.close();
  }
}

/** A participant whose page Playwright drives, for tests that look closer. */
export class ChromiumParticipant extends Participant {
  constructor(
    name: string,
    tab: Tab,
    url: string,
    readonly page: Page,
  ) {
    super(name, tab, url);
  }
}

const streamKey = (stream: Inbound) => `${stream.kind} ${stream.track}`;

function grows(now: Inbound, before: Inbound | undefined): boolean {
  if (!before) return false;
  if (now.kind === "video") return now.framesDecoded > before.framesDecoded;
  return now.packetsReceived > before.packetsReceived && now.audioEnergy > before.audioEnergy;
}
