// A shared screen, window or tab, with audio if the browser captures it.
import type { LocalScreen } from "../api.ts";
import { problemOf } from "./devices.ts";

/** Options missing from TypeScript's types (https://www.w3.org/TR/screen-capture/). */
interface DisplayOptions extends DisplayMediaStreamOptions {
  systemAudio?: "include" | "exclude";
  surfaceSwitching?: "include" | "exclude";
}

const OPTIONS: DisplayOptions = {
  // Text needs resolution rather than frame rate. Ideal, since a limit may make the request fail.
  video: { frameRate: { ideal: 15 } },
  // Speech processing would distort music and other audio.
  audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
  systemAudio: "include",
  surfaceSwitching: "include",
};

export const NO_SCREEN: LocalScreen = { on: false, opening: false, problem: null, stream: null };

export interface ScreenTracks {
  readonly video: MediaStreamTrack;
  readonly audio: MediaStreamTrack | null;
}

export interface ScreenShareOptions {
  readonly devices: MediaDevices | undefined;
  readonly createStream: (tracks: MediaStreamTrack[]) => MediaStream;
  /** The tracks or the public state have changed. */
  readonly onChange: (tracks: ScreenTracks | null, state: LocalScreen) => void;
}

/** Shares one screen at a time. A screen chosen after the request was given up is closed. */
export class ScreenShare {
  readonly #options: ScreenShareOptions;
  #tracks: ScreenTracks | null = null;
  /** The pending request; the result of any other is closed. */
  #request: symbol | null = null;

  constructor(options: ScreenShareOptions) {
    this.#options = options;
  }

  /** Opens the browser's picker, unless it is open; needs a user gesture. */
  async start(): Promise<void> {
    if (this.#tracks || this.#request) return;
    const request = Symbol();
    this.#request = request;
    this.#update({ opening: true });
    try {
      const tracks = await requestScreen(this.#options.devices);
      if (this.#request !== request) return close(tracks);
      tracks.video.addEventListener("ended", () => {
        if (this.#tracks === tracks) this.stop();
      });
      this.#request = null;
      this.#tracks = tracks;
      this.#update({ on: true, stream: this.#options.createStream([tracks.video]) });
    } catch (error) {
      if (this.#request !== request) return;
      this.#request = null;
      this.#update({ problem: isCancelled(error) ? null : problemOf(error) });
    }
  }

  /** Ends the sharing or gives up the pending request. */
  stop(): void {
    if (!this.#tracks && !this.#request) return;
    const tracks = this.#tracks;
    this.#tracks = null;
    this.#request = null;
    this.#update({});
    if (tracks) close(tracks);
  }

  #update(state: Partial<LocalScreen>): void {
    this.#options.onChange(this.#tracks, { ...NO_SCREEN, ...state });
  }
}

function close({ video, audio }: ScreenTracks): void {
  video.stop();
  audio?.stop();
}

/** Opens the picker. Rejects as `getDisplayMedia` does, also in browsers without it. */
async function requestScreen(devices: MediaDevices | undefined): Promise<ScreenTracks> {
  if (!devices?.getDisplayMedia) {
    throw new DOMException("screen capture is not supported", "NotSupportedError");
  }
  const stream = await devices.getDisplayMedia(OPTIONS);
  const [video] = stream.getVideoTracks();
  if (!video) {
    for (const track of stream.getTracks()) track.stop();
    throw new DOMException("the screen has no video track", "NotFoundError");
  }
  video.contentHint = "detail";
  return { video, audio: stream.getAudioTracks()[0] ?? null };
}

/** The person cancelled the picker. A refusal by the system is a problem. */
function isCancelled(error: unknown): boolean {
  return (
    error instanceof DOMException &&
    error.name === "NotAllowedError" &&
    !/system/i.test(error.message)
  );
}
