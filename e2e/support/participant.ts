// A participant, driven through the page's test ids.

import type { Page } from "@playwright/test";
import type { TileChange } from "./observer.ts";
import { type Inbound, type PageReport, report, type TileReport } from "./report.ts";
import type { Tab } from "./tab.ts";
import { DEADLINE, until } from "./until.ts";

export class Participant {
  constructor(
    readonly name: string,
    readonly tab: Tab,
    /** Base URL at which this participant reaches the server. */
    readonly url: string,
  ) {}

  /** Creates a room from the home view, which leads to its preview. */
  async createRoom(room: string): Promise<void> {
    await this.tab.goto(`${this.url}/`);
    await this.tab.fill("name-input", this.name);
    await this.tab.fill("new-room-name", room);
    await this.tab.click("create-room");
  }

  /** Opens a room's preview and waits for the camera. */
  async openPreview(room: string): Promise<void> {
    await this.tab.goto(this.previewUrl(room));
    await this.waitForPreview();
  }

  /** Joins the call from the preview. */
  async join(): Promise<void> {
    await this.tab.click("join");
    await this.ownTile();
  }

  /** Waits until the preview shows the camera. */
  async waitForPreview(): Promise<void> {
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

  /** Joins the call through the link that skips the preview. */
  async enter(room: string): Promise<void> {
    await this.tab.goto(this.roomUrl(room));
    await this.ownTile();
  }

  /** Link that skips the preview. */
  roomUrl(room: string): string {
    return `${this.previewUrl(room)}&join=1`;
  }

  /** Link to a room's preview. */
  previewUrl(room: string): string {
    return `${this.url}/r/${encodeURIComponent(room)}?name=${encodeURIComponent(this.name)}`;
  }

  report(): Promise<PageReport> {
    return this.tab.evaluate(report);
  }

  /** Waits for this participant's own tile. */
  ownTile(): Promise<TileReport> {
    return until(`${this.name}'s own tile`, async () => {
      const { tiles } = await this.report();
      return { done: tiles.find((tile) => tile.self), seen: tiles };
    });
  }

  /** Waits until there are exactly `count` tiles of other participants. */
  remoteTiles(count: number, deadline = DEADLINE): Promise<TileReport[]> {
    const poll = async () => {
      const { tiles } = await this.report();
      const others = tiles.filter((tile) => !tile.self);
      return { done: others.length === count ? others : undefined, seen: tiles };
    };
    return until(`${this.name} to have ${count} remote tiles`, poll, deadline);
  }

  /**
   * Waits until the media of `count` other participants is decoded: each tile shows a video track
   * whose frame count grows, and plays an audio track whose packets and energy grow.
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
          const known = before.get(streamKey(stream));
          // A later link has tracks of the same ids.
          const isOther = known && stream.packetsReceived < known.packetsReceived;
          if (!known || isOther) before.set(streamKey(stream), stream);
        }
        const active = new Set(growing.map(({ track }) => track));
        const others = page.tiles.filter((tile) => !tile.self);
        const withVideo = others.filter(
          (tile) => tile.videoWidth > 0 && tile.videoTracks.some((track) => active.has(track)),
        );
        const withAudio = others.filter((tile) =>
          tile.audioTracks.some((track) => active.has(track)),
        );
        const isDone = [others, withVideo, withAudio].every(({ length }) => length === count);
        return { done: isDone || undefined, seen: page };
      },
      deadline,
    );
  }

  /** Tiles added and removed since the page was loaded. */
  tileChanges(): Promise<TileChange[]> {
    return this.tab.evaluate(() => window.observed.tiles);
  }

  /** Time at which a control was last clicked, on the clock shared by all pages of this machine. */
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

/** A participant in Chromium, whose page Playwright drives. */
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
