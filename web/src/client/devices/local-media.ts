// This device's microphone, camera and screen, opened, muted, changed and closed.
import { acquire, request, type Wish } from "./acquire.ts";
import {
  type Attempt,
  type Capture,
  type CaptureEvent,
  heldBy,
  OFF,
  reduceCapture,
  viewOf,
  waitsFor,
} from "./capture.ts";
import {
  type Choices,
  type Input,
  problemOf,
  remember,
  remembered,
  sinkOf,
  sorted,
  worthAsking,
} from "./devices.ts";
import type { DeviceKind, LocalMedia, LocalMediaState } from "../api.ts";
import { LevelMeter } from "./level.ts";
import { NO_SCREEN, ScreenShare } from "./screen.ts";
import { NO_TRACKS, type Tracks } from "../rtc/source.ts";
import { type Readable, Store } from "../store.ts";

const INPUTS: readonly Input[] = ["microphone", "camera"];

/** After so long without an answer a device is named, in milliseconds. */
const UNANSWERED_MS = 5_000;

/** After so long without an answer to one question for both, allowed devices are asked for singly. */
const SPLIT_MS = 2_500;

/** A device that lasted so long is opened again when it ends, however often that happens. */
const LASTING_MS = 10_000;

/** How often in a row a device that ends sooner is opened again. */
const MAX_REOPENINGS = 3;

/** Browser APIs used here. */
export interface MediaPlatform {
  /** Missing where the page is not in a secure context. */
  readonly devices: MediaDevices | undefined;
  readonly permissions: Permissions | undefined;
  readonly storage: Storage | undefined;
  readonly createStream: (tracks: MediaStreamTrack[]) => MediaStream;
}

/**
 * One capture of each kind, each with attempts of its own: nothing waits for another, and off acts at
 * once. A track that opens for an attempt given up meanwhile is stopped where it arrives.
 */
export class Media implements LocalMedia {
  readonly level: LevelMeter = new LevelMeter();
  /** Tracks to send. */
  readonly tracks: Readable<Tracks>;
  readonly #platform: MediaPlatform;
  readonly #state: Store<LocalMediaState>;
  readonly #tracks = new Store<Tracks>(NO_TRACKS);
  readonly #screen: ScreenShare;
  readonly #captures: Record<Input, Capture> = { microphone: OFF, camera: OFF };
  readonly #reopenings: Record<Input, number> = { microphone: 0, camera: 0 };
  #attempts: Attempt = 0;
  #choices: Choices;

  constructor(platform: MediaPlatform) {
    this.#platform = platform;
    this.tracks = this.#tracks;
    this.#choices = remembered(platform.storage);
    const { microphone, camera, speaker } = this.#choices;
    this.#state = new Store<LocalMediaState>({
      microphone: viewOf(OFF, microphone),
      camera: viewOf(OFF, camera),
      speaker,
      sink: sinkOf(speaker, []),
      devices: { microphone: [], camera: [], speaker: [] },
      picture: null,
      screen: NO_SCREEN,
    });
    this.#screen = new ScreenShare({
      devices: platform.devices,
      createStream: platform.createStream,
      changed: (shared, screen) => {
        const carried = { screen: shared?.video ?? null, screen_audio: shared?.audio ?? null };
        this.#tracks.update((tracks) => ({ ...tracks, ...carried }));
        this.#state.update((state) => ({ ...state, screen }));
      },
    });
    platform.devices?.addEventListener?.("devicechange", () => void this.#enumerate());
  }

  getSnapshot = (): LocalMediaState => this.#state.getSnapshot();

  subscribe = (listener: () => void): (() => void) => this.#state.subscribe(listener);

  async start(wanted: { microphone: boolean; camera: boolean }): Promise<void> {
    const kinds = INPUTS.filter((kind) => wanted[kind] && isToBeAsked(this.#captures[kind]));
    const isOneQuestion =
      kinds.length === 2 && kinds.every((kind) => heldBy(this.#captures[kind]) === null);
    if (isOneQuestion) await this.#openBoth();
    else await Promise.all(kinds.map((kind) => this.#openChosen(kind)));
  }

  async setMicrophone(on: boolean): Promise<void> {
    this.#apply("microphone", { is: on ? "unmute" : "mute" });
    if (on) await this.#openClosed("microphone");
  }

  async setCamera(on: boolean): Promise<void> {
    if (on) await this.#openClosed("camera");
    else this.#apply("camera", { is: "close" });
  }

  async setScreen(on: boolean): Promise<void> {
    if (on) await this.#screen.start();
    else this.#screen.stop();
  }

  async choose(kind: DeviceKind, deviceId: string): Promise<void> {
    if (kind === "speaker") return this.#choose(kind, deviceId);
    const capture = this.#captures[kind];
    const wish = { deviceId, mayStandIn: false };
    if (heldBy(capture)) {
      // One that can't be opened is not begun with the next time either.
      if (await this.#open(kind, wish)) this.#choose(kind, deviceId);
      return;
    }
    this.#choose(kind, deviceId);
    if (capture.is !== "off") await this.#open(kind, wish);
  }

  stop(): void {
    this.#screen.stop();
    for (const kind of INPUTS) this.#apply(kind, { is: "close" });
  }

  #choose(kind: DeviceKind, deviceId: string): void {
    this.#choices = { ...this.#choices, [kind]: deviceId };
    remember(this.#platform.storage, this.#choices);
    this.#show();
  }

  async #openClosed(kind: Input): Promise<void> {
    const { is } = this.#captures[kind];
    if (is === "off" || is === "failed") await this.#openChosen(kind);
  }

  /** Opens what is chosen; where one is held that the system interrupts, the same once more. */
  async #openChosen(kind: Input): Promise<void> {
    const held = heldBy(this.#captures[kind])?.getSettings().deviceId;
    await this.#open(kind, { deviceId: held ?? this.#choices[kind], mayStandIn: !held });
  }

  /** One question for both; where that fails, each that may still open is tried alone. */
  async #openBoth(): Promise<void> {
    const attempt = ++this.#attempts;
    const { microphone, camera } = this.#choices;
    for (const kind of INPUTS) {
      this.#apply(kind, { is: "open", attempt, deviceId: this.#choices[kind] });
    }
    const { devices } = this.#platform;
    if (!devices?.getUserMedia) {
      for (const kind of INPUTS) this.#apply(kind, { is: "failed", attempt, problem: "insecure" });
      return;
    }
    const forget = this.#watch(attempt, INPUTS);
    const split = setTimeout(() => void this.#split(attempt), SPLIT_MS);
    try {
      const stream = await request(devices, { microphone, camera });
      this.#opened("microphone", attempt, stream.getAudioTracks()[0]);
      this.#opened("camera", attempt, stream.getVideoTracks()[0]);
      await this.#enumerate();
    } catch (error) {
      const problem = problemOf(error);
      const single = worthAsking(problem, await this.#permissions());
      const waiting = INPUTS.filter((kind) => waitsFor(this.#captures[kind], attempt));
      for (const kind of waiting.filter((kind) => !single.includes(kind))) {
        this.#apply(kind, { is: "failed", attempt, problem });
      }
      const singly = waiting.filter((kind) => single.includes(kind));
      await Promise.all(singly.map((kind) => this.#openChosen(kind)));
    } finally {
      forget();
      clearTimeout(split);
    }
  }

  /**
   * One of the two does not answer, and holds up the other. Where the person is still being asked
   * there would be a second question on top, so only what is allowed is asked for.
   */
  async #split(attempt: Attempt): Promise<void> {
    const permissions = await this.#permissions();
    for (const kind of INPUTS) {
      if (permissions[kind] !== "granted" || !waitsFor(this.#captures[kind], attempt)) continue;
      void this.#openChosen(kind);
    }
  }

  /** Opens a device, true where it did; one that is held goes on until then. */
  async #open(kind: Input, wish: Wish): Promise<boolean> {
    const attempt = ++this.#attempts;
    this.#apply(kind, { is: "open", attempt, deviceId: wish.deviceId });
    return await this.#fetch(kind, attempt, wish);
  }

  /** Has the browser open what a capture waits for. */
  async #fetch(kind: Input, attempt: Attempt, wish: Wish): Promise<boolean> {
    const { devices } = this.#platform;
    if (!devices?.getUserMedia) {
      this.#apply(kind, { is: "failed", attempt, problem: "insecure" });
      return false;
    }
    const forget = this.#watch(attempt, [kind]);
    const isWanted = () => waitsFor(this.#captures[kind], attempt);
    const open = async (wish: Wish) => await acquire(devices, kind, wish, isWanted);
    try {
      return this.#opened(kind, attempt, await open(wish));
    } catch (error) {
      const problem = problemOf(error);
      const before = isWanted() ? heldBy(this.#captures[kind]) : null;
      const { deviceId, facingMode } = before?.getSettings() ?? {};
      if (problem !== "in_use" || !facingMode) {
        this.#apply(kind, { is: "failed", attempt, problem });
        return false;
      }
      // A phone's camera, which has one lens open at a time: the one before makes way.
      this.#apply(kind, { is: "released", attempt });
      try {
        return this.#opened(kind, attempt, await open(wish));
      } catch {
        const back = { deviceId: deviceId ?? null, mayStandIn: false };
        await open(back).then(
          (track) => this.#opened(kind, attempt, track, problem),
          () => this.#apply(kind, { is: "failed", attempt, problem }),
        );
        return false;
      }
    } finally {
      forget();
      await this.#enumerate();
    }
  }

  /** Takes a track that opened; false where it was given up meanwhile. */
  #opened(
    kind: Input,
    attempt: Attempt,
    track: MediaStreamTrack | undefined,
    problem?: "in_use",
  ): boolean {
    if (!track) {
      this.#apply(kind, { is: "failed", attempt, problem: "missing" });
      return false;
    }
    this.#apply(kind, { is: "opened", attempt, track, ...(problem && { problem }) });
    if (heldBy(this.#captures[kind]) !== track) {
      track.stop();
      return false;
    }
    const opened = performance.now();
    track.addEventListener("ended", () => this.#ended(kind, track, performance.now() - opened));
    const interrupted = (interrupted: boolean) => () =>
      this.#apply(kind, { is: "interrupted", track, interrupted });
    track.addEventListener("mute", interrupted(true));
    track.addEventListener("unmute", interrupted(false));
    return true;
  }

  /** Unplugged, or permission withdrawn: another of its kind takes over where there is one. */
  #ended(kind: Input, track: MediaStreamTrack, lasted: number): void {
    const capture = this.#captures[kind];
    if (heldBy(capture) !== track) return;
    const reopenings = lasted < LASTING_MS ? this.#reopenings[kind] + 1 : 1;
    this.#reopenings[kind] = reopenings;
    const attempt = reopenings > MAX_REOPENINGS ? null : ++this.#attempts;
    this.#apply(kind, { is: "ended", track, attempt });
    if (attempt === null) this.#reopenings[kind] = 0;
    else if (waitsFor(this.#captures[kind], attempt)) {
      void this.#fetch(kind, attempt, { deviceId: this.#choices[kind], mayStandIn: true });
    }
  }

  /** Names the devices when they take long to answer; until the returned function is called. */
  #watch(attempt: Attempt, kinds: readonly Input[]): () => void {
    const timer = setTimeout(async () => {
      const permissions = await this.#permissions();
      for (const kind of kinds) {
        const problem = permissions[kind] === "prompt" ? "asking" : "unanswered";
        this.#apply(kind, { is: "unanswered", attempt, problem });
      }
    }, UNANSWERED_MS);
    return () => clearTimeout(timer);
  }

  /** The only place that changes a capture. A track no longer held is stopped, once nobody sends it. */
  #apply(kind: Input, event: CaptureEvent): void {
    const before = this.#captures[kind];
    const after = reduceCapture(before, event);
    if (after === before) return;
    this.#captures[kind] = after;
    const [old, track] = [heldBy(before), heldBy(after)];
    if (track && "on" in after) track.enabled = after.on;
    if (track === old) return this.#show();
    this.#tracks.update((tracks) => ({ ...tracks, [kind]: track }));
    old?.stop();
    if (kind === "microphone") this.level.listenTo(track);
    const picture = track && this.#platform.createStream([track]);
    this.#show(kind === "camera" ? { picture } : {});
  }

  /** Shows the page how things stand. */
  #show(change: Partial<LocalMediaState> = {}): void {
    const { microphone, camera, speaker } = this.#choices;
    this.#state.update((state) => {
      const next = { ...state, ...change };
      return {
        ...next,
        microphone: viewOf(this.#captures.microphone, microphone),
        camera: viewOf(this.#captures.camera, camera),
        speaker,
        sink: sinkOf(speaker, next.devices.speaker),
      };
    });
  }

  async #enumerate(): Promise<void> {
    try {
      const infos = await this.#platform.devices?.enumerateDevices?.();
      if (infos) this.#show({ devices: sorted(infos) });
    } catch {
      // The lists stay as they are; opening tells what is wrong.
    }
  }

  async #permissions(): Promise<Record<Input, PermissionState | null>> {
    const [microphone, camera] = await Promise.all([
      this.#permission("microphone"),
      this.#permission("camera"),
    ]);
    return { microphone, camera };
  }

  async #permission(kind: Input): Promise<PermissionState | null> {
    try {
      const name = kind as PermissionName; // not every browser, nor TypeScript, knows the names
      return (await this.#platform.permissions?.query({ name }))?.state ?? null;
    } catch {
      return null;
    }
  }
}

/** Not open, or open to no avail: a device that does not answer, or that the system interrupts. */
function isToBeAsked(capture: Capture): boolean {
  switch (capture.is) {
    case "opening":
      return capture.problem !== null;
    case "live":
      return capture.interrupted;
    case "changing":
      return false;
    default:
      return true;
  }
}
