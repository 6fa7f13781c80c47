// Viewports of remote videos, reported to the media server so that it sends nothing larger.
import type { Reception, Viewport } from "../api.ts";
import type { ParticipantId } from "../protocol.ts";
import type { Source } from "../rtc/source.ts";

/** Granularity of the reported size, in pixels: small changes need no other simulcast layer. */
const STEP_PX = 16;

/** Time without change before viewports are reported. */
const DEBOUNCE_MS = 150;

/** Sorts and rounds, so that equivalent viewports are equal. */
export function normalizeViewports(viewports: readonly Viewport[]): Viewport[] {
  const rounded = (pixels: number) => Math.round(Math.max(0, pixels) / STEP_PX) * STEP_PX;
  return viewports
    .map((each) => ({ ...each, width: rounded(each.width), height: rounded(each.height) }))
    .sort((a, b) => compare(a.participant, b.participant) || compare(a.source, b.source));
}

/** Longest shorter side of a camera and of a screen of which less is received, in pixels. */
const LESS_HEIGHT = { camera: 180, screen: 720 } as const;

/** The viewports of what is received at all. */
export function receivedViewports(
  viewports: readonly Viewport[],
  reception: Reception,
): readonly Viewport[] {
  if (reception === "all") return viewports;
  return viewports.map((viewport) => {
    const { source, width, height } = viewport;
    if (reception === "sound") return { ...viewport, width: 0, height: 0 };
    const most = source === "screen" ? LESS_HEIGHT.screen : LESS_HEIGHT.camera;
    const scale = Math.min(1, most / Math.max(1, Math.min(width, height)));
    return { ...viewport, width: width * scale, height: height * scale };
  });
}

export function areViewportsEqual(a: readonly Viewport[], b: readonly Viewport[]): boolean {
  return (
    a.length === b.length &&
    a.every((viewport, i) => {
      const other = b[i];
      return (
        other !== undefined &&
        viewport.participant === other.participant &&
        viewport.source === other.source &&
        viewport.width === other.width &&
        viewport.height === other.height
      );
    })
  );
}

/** The video is out of view, so its media is not waited for. */
export function isHidden(
  viewports: readonly Viewport[],
  id: ParticipantId,
  source: Source,
): boolean {
  const viewport = viewports.find((each) => each.participant === id && each.source === source);
  return viewport !== undefined && viewport.width * viewport.height === 0;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export interface ViewportReporterOptions {
  /** There is a link to the media server. */
  isLinked: () => boolean;
  send: (viewports: readonly Viewport[]) => void;
}

/** Reports viewports once they stop changing, and only if they differ from the last report. */
export class ViewportReporter {
  readonly #options: ViewportReporterOptions;
  #shown: readonly Viewport[] = [];
  #reception: Reception = "all";
  #current: readonly Viewport[] = [];
  #reported: readonly Viewport[] | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ViewportReporterOptions) {
    this.#options = options;
  }

  get current(): readonly Viewport[] {
    return this.#current;
  }

  /** Cheap enough for every render: equal viewports are ignored. */
  set(viewports: readonly Viewport[]): void {
    this.#shown = viewports;
    const next = normalizeViewports(receivedViewports(viewports, this.#reception));
    if (areViewportsEqual(next, this.#current)) return;
    this.#current = next;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#report(), DEBOUNCE_MS);
  }

  setReception(reception: Reception): void {
    this.#reception = reception;
    this.set(this.#shown);
  }

  /** Reports now, for a peer connection of which the server knows no viewports. */
  reportAgain(): void {
    this.#reported = null;
    this.#report();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #report(): void {
    if (!this.#options.isLinked()) return;
    if (this.#reported && areViewportsEqual(this.#reported, this.#current)) return;
    this.#reported = this.#current;
    this.#options.send(this.#current);
  }
}
