// A shared screen, window or tab, with its sound where the browser gives it.
import { problemOf } from "./devices.ts";
import type { LocalScreen } from "../api.ts";

/** What is in newer browsers beyond TypeScript's own (https://www.w3.org/TR/screen-capture/). */
interface ScreenOptions extends DisplayMediaStreamOptions {
  systemAudio?: "include" | "exclude";
  surfaceSwitching?: "include" | "exclude";
}

const OPTIONS: ScreenOptions = {
  // Letters need lines more than they need motion. A wish: a limit may keep a screen from opening.
  video: { frameRate: { ideal: 15 } },
  // Not a voice: nothing is to be taken out of it.
  audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
  systemAudio: "include",
  surfaceSwitching: "include",
};

export const NO_SCREEN: LocalScreen = { on: false, opening: false, problem: null, picture: null };

export interface ScreenShareOptions {
  readonly devices: MediaDevices | undefined;
  readonly createStream: (tracks: MediaStreamTrack[]) => MediaStream;
  /** Called when the tracks, or the view of them, have changed. */
  readonly changed: (screen: Screen | null, view: LocalScreen) => void;
}

/** Shares one screen at a time; what the person chooses after it was given up is closed. */
export class ScreenShare {
  readonly #options: ScreenShareOptions;
  #screen: Screen | null = null;
  /** The question under way; its answer counts while it is this one. */
  #asked: symbol | null = null;

  constructor(options: ScreenShareOptions) {
    this.#options = options;
  }

  /** Has the person choose, from a click. One who is being asked is not asked again. */
  async start(): Promise<void> {
    if (this.#screen || this.#asked) return;
    const asked = Symbol();
    this.#asked = asked;
    this.#tell({ opening: true });
    try {
      const screen = await askForScreen(this.#options.devices);
      if (this.#asked !== asked) return close(screen);
      screen.video.addEventListener("ended", () => {
        if (this.#screen === screen) this.stop();
      });
      this.#asked = null;
      this.#screen = screen;
      this.#tell({ on: true, picture: this.#options.createStream([screen.video]) });
    } catch (error) {
      if (this.#asked !== asked) return;
      this.#asked = null;
      this.#tell({ problem: isWithdrawn(error) ? null : problemOf(error) });
    }
  }

  /** Ends the sharing, by whichever side's button, or the question whether to share. */
  stop(): void {
    if (!this.#screen && !this.#asked) return;
    const screen = this.#screen;
    this.#screen = null;
    this.#asked = null;
    this.#tell({});
    if (screen) close(screen);
  }

  #tell(view: Partial<LocalScreen>): void {
    this.#options.changed(this.#screen, { ...NO_SCREEN, ...view });
  }
}

function close({ video, audio }: Screen): void {
  video.stop();
  audio?.stop();
}

export interface Screen {
  readonly video: MediaStreamTrack;
  readonly audio: MediaStreamTrack | null;
}

/** Has the person choose. Rejects as `getDisplayMedia` does, also where there is no such thing. */
async function askForScreen(devices: MediaDevices | undefined): Promise<Screen> {
  if (!devices?.getDisplayMedia) throw new DOMException("no screens here", "NotSupportedError");
  const stream = await devices.getDisplayMedia(OPTIONS);
  const [video] = stream.getVideoTracks();
  if (!video) {
    for (const track of stream.getTracks()) track.stop();
    throw new DOMException("a screen without a picture", "NotFoundError");
  }
  video.contentHint = "detail";
  return { video, audio: stream.getAudioTracks()[0] ?? null };
}

/** The person thought better of it, which is no problem. That the system forbids it is one. */
function isWithdrawn(error: unknown): boolean {
  return (
    error instanceof DOMException &&
    error.name === "NotAllowedError" &&
    !/system/i.test(error.message)
  );
}
