// This device's microphone, camera and screen, opened, muted, changed and closed.
import {
  type Choices,
  constraintsOf,
  problemOf,
  remember,
  remembered,
  sorted,
  worthAsking,
} from "./devices.ts";
import type {
  DeviceKind,
  DeviceProblem,
  LocalDevice,
  LocalMedia,
  LocalMediaState,
  LocalScreen,
} from "./face.ts";
import { LevelMeter } from "./level.ts";
import { askForScreen, isWithdrawn } from "./screen.ts";
import { NO_TRACKS, type Tracks } from "./source.ts";
import { type Readable, Store } from "./store.ts";

type Input = "microphone" | "camera";

/** What of the browser is used here. */
export interface MediaPlatform {
  /** Missing where the page is not in a secure context. */
  readonly devices: MediaDevices | undefined;
  readonly permissions: Permissions | undefined;
  readonly storage: Storage | undefined;
  readonly createStream: (tracks: MediaStreamTrack[]) => MediaStream;
}

/** Opens and closes one at a time, in the order asked, so that quick clicks don't cross. */
export class Media implements LocalMedia {
  readonly level: LevelMeter = new LevelMeter();
  /** What is there to send. */
  readonly tracks: Readable<Tracks>;
  readonly #platform: MediaPlatform;
  readonly #state: Store<LocalMediaState>;
  readonly #tracks = new Store<Tracks>(NO_TRACKS);
  #choices: Choices;
  #steps: Promise<void> = Promise.resolve();

  constructor(platform: MediaPlatform) {
    this.#platform = platform;
    this.tracks = this.#tracks;
    this.#choices = remembered(platform.storage);
    this.#state = new Store<LocalMediaState>({
      microphone: closed(this.#choices.microphone),
      camera: closed(this.#choices.camera),
      speaker: this.#choices.speaker,
      devices: { microphone: [], camera: [], speaker: [] },
      picture: null,
      screen: { on: false, opening: false, problem: null, picture: null },
    });
    platform.devices?.addEventListener?.("devicechange", () => void this.#enumerate());
  }

  getSnapshot = (): LocalMediaState => this.#state.getSnapshot();

  subscribe = (listener: () => void): (() => void) => this.#state.subscribe(listener);

  start(wanted: { microphone: boolean; camera: boolean }): Promise<void> {
    return this.#step(async () => {
      const kinds = (["microphone", "camera"] as const).filter(
        (kind) => wanted[kind] && !this.#tracks.getSnapshot()[kind],
      );
      if (kinds.length === 2) await this.#openBoth();
      else for (const kind of kinds) await this.#open(kind);
      await this.#enumerate();
    });
  }

  setMicrophone(on: boolean): Promise<void> {
    return this.#step(async () => {
      const track = this.#tracks.getSnapshot().microphone;
      if (track) {
        track.enabled = on;
        this.#set("microphone", { on });
      } else if (on) {
        await this.#open("microphone");
        await this.#enumerate();
      }
    });
  }

  setCamera(on: boolean): Promise<void> {
    return this.#step(async () => {
      if (!on) this.#close("camera");
      else if (!this.#tracks.getSnapshot().camera) {
        await this.#open("camera");
        await this.#enumerate();
      }
    });
  }

  async setScreen(on: boolean): Promise<void> {
    if (!on) return this.#closeScreen();
    const { screen } = this.#state.getSnapshot();
    // Not in turn with the devices: browsers ask only right after a click.
    if (screen.on || screen.opening) return;
    this.#setScreen({ opening: true, problem: null });
    try {
      const { video, audio } = await askForScreen(this.#platform.devices);
      video.addEventListener("ended", () => this.#closeScreen(video));
      this.#tracks.update((tracks) => ({ ...tracks, screen: video, screen_audio: audio }));
      const picture = this.#platform.createStream([video]);
      this.#setScreen({ on: true, opening: false, picture });
    } catch (error) {
      const problem = isWithdrawn(error) ? null : problemOf(error);
      this.#setScreen({ opening: false, problem });
    }
  }

  choose(kind: DeviceKind, deviceId: string): Promise<void> {
    this.#choices = { ...this.#choices, [kind]: deviceId };
    remember(this.#platform.storage, this.#choices);
    if (kind === "speaker") {
      this.#state.update((state) => ({ ...state, speaker: deviceId }));
      return Promise.resolve();
    }
    return this.#step(async () => {
      this.#set(kind, { deviceId });
      const { on } = this.#state.getSnapshot()[kind];
      // A muted microphone is changed too, and stays muted.
      if (this.#tracks.getSnapshot()[kind]) await this.#open(kind, on);
    });
  }

  stop(): void {
    this.#closeScreen();
    void this.#step(async () => {
      this.#close("microphone");
      this.#close("camera");
    });
  }

  /** One question for both; where that fails, each that may still open is tried alone. */
  async #openBoth(): Promise<void> {
    const devices = this.#platform.devices;
    if (!devices?.getUserMedia) {
      for (const kind of ["microphone", "camera"] as const) await this.#open(kind);
      return;
    }
    this.#set("microphone", { opening: true });
    this.#set("camera", { opening: true });
    try {
      const stream = await devices.getUserMedia({
        audio: constraintsOf("microphone", this.#choices.microphone),
        video: constraintsOf("camera", this.#choices.camera),
      });
      this.#opened("microphone", stream.getAudioTracks()[0], true);
      this.#opened("camera", stream.getVideoTracks()[0], true);
    } catch (error) {
      const problem = problemOf(error);
      const single = worthAsking(problem, {
        microphone: await this.#permission("microphone"),
        camera: await this.#permission("camera"),
      });
      for (const kind of ["microphone", "camera"] as const) {
        if (single.includes(kind)) await this.#open(kind);
        else this.#set(kind, { opening: false, on: false, problem });
      }
    }
  }

  async #open(kind: Input, on = true): Promise<void> {
    const devices = this.#platform.devices;
    if (!devices?.getUserMedia) {
      this.#set(kind, { on: false, problem: "insecure" });
      return;
    }
    this.#set(kind, { opening: true });
    // A phone has one camera lens open at a time, so the old one is closed first.
    if (kind === "camera") this.#carry("camera", null);
    try {
      const wanted = constraintsOf(kind, this.#choices[kind]);
      const stream = await devices.getUserMedia(
        kind === "microphone" ? { audio: wanted } : { video: wanted },
      );
      this.#opened(kind, stream.getTracks()[0], on);
    } catch (error) {
      this.#close(kind);
      this.#set(kind, { opening: false, problem: problemOf(error) });
    }
  }

  #opened(kind: Input, track: MediaStreamTrack | undefined, on: boolean): void {
    if (!track) {
      this.#set(kind, { opening: false, on: false, problem: "missing" });
      return;
    }
    track.enabled = on;
    track.addEventListener("ended", () => this.#ended(kind, track));
    this.#carry(kind, track);
    const deviceId = track.getSettings().deviceId ?? this.#choices[kind];
    this.#set(kind, { on, opening: false, problem: null, deviceId });
  }

  /** Unplugged, or permission withdrawn: another of its kind takes over where there is one. */
  #ended(kind: Input, track: MediaStreamTrack): void {
    void this.#step(async () => {
      if (this.#tracks.getSnapshot()[kind] !== track) return;
      const { on } = this.#state.getSnapshot()[kind];
      this.#close(kind);
      await this.#open(kind, on);
      await this.#enumerate();
    });
  }

  #close(kind: Input, problem: DeviceProblem | null = null): void {
    this.#carry(kind, null);
    this.#set(kind, { on: false, opening: false, problem, deviceId: this.#choices[kind] });
  }

  /** Sharing ends, by whichever side's button; `only` where it is still this one that is shared. */
  #closeScreen(only?: MediaStreamTrack): void {
    const { screen, screen_audio } = this.#tracks.getSnapshot();
    if (!screen || (only && only !== screen)) return;
    this.#tracks.update((tracks) => ({ ...tracks, screen: null, screen_audio: null }));
    screen.stop();
    screen_audio?.stop();
    this.#setScreen({ on: false, opening: false, picture: null });
  }

  #setScreen(change: Partial<LocalScreen>): void {
    this.#state.update((state) => ({ ...state, screen: { ...state.screen, ...change } }));
  }

  /** The one door to the devices' tracks: what is no longer carried is stopped. */
  #carry(kind: Input, track: MediaStreamTrack | null): void {
    const before = this.#tracks.getSnapshot()[kind];
    if (before === track) return;
    this.#tracks.update((tracks) => ({ ...tracks, [kind]: track }));
    before?.stop();
    if (kind === "microphone") this.level.listenTo(track);
    else {
      const picture = track && this.#platform.createStream([track]);
      this.#state.update((state) => ({ ...state, picture }));
    }
  }

  #set(kind: Input, change: Partial<LocalDevice>): void {
    this.#state.update((state) => ({ ...state, [kind]: { ...state[kind], ...change } }));
  }

  async #enumerate(): Promise<void> {
    try {
      const infos = await this.#platform.devices?.enumerateDevices?.();
      if (infos) this.#state.update((state) => ({ ...state, devices: sorted(infos) }));
    } catch {
      // The lists stay as they are; opening tells what is wrong.
    }
  }

  async #permission(kind: Input): Promise<PermissionState | null> {
    try {
      const name = kind as PermissionName; // not every browser, nor TypeScript, knows the names
      return (await this.#platform.permissions?.query({ name }))?.state ?? null;
    } catch {
      return null;
    }
  }

  #step(run: () => Promise<void>): Promise<void> {
    this.#steps = this.#steps.then(run);
    return this.#steps;
  }
}

function closed(deviceId: string | null): LocalDevice {
  return { on: false, opening: false, deviceId, problem: null };
}
