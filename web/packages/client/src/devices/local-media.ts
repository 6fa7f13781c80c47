// This device's microphone, camera and screen: opens, mutes, changes and closes them.
import type {
  DeviceKind,
  DeviceProblem,
  LocalMedia,
  LocalMediaState,
  SoundProcessing,
  TrackFilter,
} from "../api.ts";
import type { KeyValueStorage } from "../options.ts";
import { NO_TRACKS, type Tracks } from "../rtc/source.ts";
import { type Readable, Store } from "../store.ts";
import { type DeviceRequest, type FacingMode, openDevice, requestDevices } from "./acquire.ts";
import {
  type Attempt,
  type Capture,
  type CaptureEvent,
  heldTrack,
  isPending,
  localDeviceOf,
  OFF,
  reduceCapture,
} from "./capture.ts";
import {
  DEFAULT_PROCESSING,
  type DeviceChoices,
  devicesByKind,
  type IdealConstraints,
  type InputKind,
  idealConstraints,
  isRefusal,
  kindsToRetry,
  loadChoices,
  problemOf,
  saveChoices,
  sinkIdOf,
} from "./devices.ts";
import { FilterStage } from "./filter-stage.ts";
import { LevelMeter } from "./level.ts";
import { inputPermissions, watchPermissions } from "./permissions.ts";
import { recordTrack } from "./recording.ts";
import { NO_SCREEN, ScreenShare } from "./screen.ts";
import { VoiceWatcher } from "./voice-watcher.ts";

const INPUTS: readonly InputKind[] = ["microphone", "camera"];

/** Time after which a track that the system mutes counts as interrupted: a blink is no news. */
const INTERRUPTED_MS = 1_000;

/** Time without an answer after which a device is reported as unanswered. */
const UNANSWERED_MS = 5_000;

/** Time without an answer to a request for both after which each is requested separately. */
const SPLIT_MS = 2_500;

/** A device that lasted this long is reopened when it ends, without limit. */
const STABLE_MS = 10_000;

/** Consecutive reopenings of a device that ends sooner. */
const MAX_REOPENINGS = 3;

/** Browser interfaces used here. */
export interface MediaPlatform {
  /** Missing unless the page is in a secure context. */
  readonly devices: MediaDevices | undefined;
  readonly permissions: Permissions | undefined;
  readonly storage: KeyValueStorage | undefined;
  readonly createStream: (tracks: MediaStreamTrack[]) => MediaStream;
}

/**
 * One capture per kind, each with its own attempts: no kind waits for another, and turning off acts
 * at once. A track that opens for an attempt given up meanwhile is stopped on arrival.
 */
export class LocalMediaDevices implements LocalMedia {
  readonly level: LevelMeter = new LevelMeter();
  readonly voice: VoiceWatcher;
  /** The tracks to send. */
  readonly tracks: Readable<Tracks>;
  readonly #platform: MediaPlatform;
  readonly #state: Store<LocalMediaState>;
  readonly #tracks = new Store<Tracks>(NO_TRACKS);
  readonly #screen: ScreenShare;
  readonly #captures: Record<InputKind, Capture> = { microphone: OFF, camera: OFF };
  readonly #filters: Readonly<Record<InputKind, FilterStage>> = {
    microphone: new FilterStage({
      onOutput: (microphone) => this.#sendMicrophone(microphone),
      onFailed: (hasFilterFailed) => this.#updateState({ hasFilterFailed }),
      sendsInput: true,
    }),
    // A filter of the camera hides a room: nothing is sent without it.
    camera: new FilterStage({
      onOutput: (camera) => this.#sendCamera(camera),
      onFailed: (hasCameraFilterFailed) => this.#updateState({ hasCameraFilterFailed }),
      sendsInput: false,
    }),
  };
  readonly #reopenings: Record<InputKind, number> = { microphone: 0, camera: 0 };
  /** Aborts the listeners to changes of devices and permissions. */
  readonly #listeners = new AbortController();
  #lastAttempt: Attempt = 0;
  #choices: DeviceChoices;
  #processing: SoundProcessing = DEFAULT_PROCESSING;
  /** The processing with which the held microphone was requested. */
  #heldProcessing: SoundProcessing = DEFAULT_PROCESSING;
  /** Orders that turned the microphone on or off. */
  #microphoneOrders = 0;
  /** Tests of the microphone that run. */
  #tests = 0;

  constructor(platform: MediaPlatform) {
    this.#platform = platform;
    this.tracks = this.#tracks;
    this.voice = new VoiceWatcher(this.level, {
      isOn: () => this.getSnapshot().microphone.on,
      isPaused: () => this.#tests > 0,
    });
    this.#choices = loadChoices(platform.storage);
    const { microphone, camera, speaker } = this.#choices;
    this.#state = new Store<LocalMediaState>({
      microphone: localDeviceOf(OFF, microphone),
      camera: localDeviceOf(OFF, camera),
      speaker,
      sink: sinkIdOf(speaker, []),
      canFlipCamera: false,
      hasFilterFailed: false,
      hasCameraFilterFailed: false,
      devices: { microphone: [], camera: [], speaker: [] },
      cameraStream: null,
      screen: NO_SCREEN,
    });
    this.#screen = new ScreenShare({
      devices: platform.devices,
      createStream: platform.createStream,
      onChange: (tracks, screen) => {
        const change = { screen: tracks?.video ?? null, screen_audio: tracks?.audio ?? null };
        this.#tracks.update((before) => ({ ...before, ...change }));
        this.#state.update((state) => ({ ...state, screen }));
      },
    });
    const { signal } = this.#listeners;
    platform.devices?.addEventListener?.("devicechange", () => void this.#enumerate(), { signal });
    void watchPermissions(platform.permissions, (kind) => this.#permitted(kind), signal);
  }

  getSnapshot = (): LocalMediaState => this.#state.getSnapshot();

  subscribe = (listener: () => void): (() => void) => this.#state.subscribe(listener);

  async start(wanted: { microphone: boolean; camera: boolean }): Promise<void> {
    const kinds = INPUTS.filter((kind) => wanted[kind] && needsRequest(this.#captures[kind]));
    const isOneRequest =
      kinds.length === 2 && kinds.every((kind) => heldTrack(this.#captures[kind]) === null);
    if (isOneRequest) await this.#openBoth();
    else await Promise.all(kinds.map((kind) => this.#openChosen(kind)));
  }

  async setMicrophone(on: boolean): Promise<void> {
    this.#microphoneOrders++;
    this.#dispatch("microphone", { is: on ? "unmute" : "mute" });
    if (on) await this.#openUnlessOpen("microphone");
  }

  async setCamera(on: boolean): Promise<void> {
    if (on) await this.#openUnlessOpen("camera");
    else this.#dispatch("camera", { is: "close" });
  }

  async setScreen(on: boolean): Promise<void> {
    if (on) await this.#screen.start();
    else this.#screen.stop();
  }

  async choose(kind: DeviceKind, deviceId: string): Promise<void> {
    if (kind === "speaker") return this.#saveChoice(kind, deviceId);
    const capture = this.#captures[kind];
    const request = { deviceId, allowFallback: false };
    if (heldTrack(capture)) {
      // A device that can't be opened is not stored, so the next call does not begin with it.
      if (await this.#open(kind, request)) this.#saveChoice(kind, deviceId);
      return;
    }
    this.#saveChoice(kind, deviceId);
    if (capture.is !== "off") await this.#open(kind, request);
  }

  async flipCamera(): Promise<void> {
    const facing = facingModeOf(this.#captures.camera);
    if (facing === null) return;
    const facingMode = facing === "user" ? "environment" : "user";
    const request = { deviceId: null, allowFallback: false, facingMode } as const;
    if (!(await this.#open("camera", request))) return;
    const { deviceId } = this.getSnapshot().camera;
    if (deviceId !== null) this.#saveChoice("camera", deviceId);
  }

  async setProcessing(processing: SoundProcessing): Promise<void> {
    this.#processing = processing;
    await this.#matchProcessing();
  }

  setMicrophoneFilter(filter: TrackFilter | null): void {
    this.#filters.microphone.setFilter(filter);
  }

  setCameraFilter(filter: TrackFilter | null): void {
    this.#filters.camera.setFilter(filter);
  }

  async recordMicrophone(milliseconds: number): Promise<Blob> {
    const held = heldTrack(this.#captures.microphone);
    if (!held) throw new Error("no microphone is open");
    // The filter's own output is silent while the microphone is muted.
    const input = held.clone();
    input.enabled = true;
    const filter = this.#filters.microphone.running;
    const filtered = filter && (await filter(input).catch(() => null));
    try {
      return await recordTrack(filtered?.track ?? input, milliseconds);
    } finally {
      filtered?.stop();
      input.stop();
    }
  }

  muteForTest(): () => void {
    this.#tests++;
    const wasOn = this.getSnapshot().microphone.on;
    if (wasOn) void this.setMicrophone(false);
    const orders = this.#microphoneOrders;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#tests--;
      const isOurs = wasOn && orders === this.#microphoneOrders;
      if (isOurs && heldTrack(this.#captures.microphone)) void this.setMicrophone(true);
    };
  }

  stop(): void {
    this.#microphoneOrders++;
    this.#screen.stop();
    for (const kind of INPUTS) this.#dispatch(kind, { is: "close" });
  }

  /** Stops, and no longer follows changes of devices and permissions. */
  close(): void {
    this.#listeners.abort();
    this.stop();
  }

  get #ideal(): IdealConstraints {
    return idealConstraints(this.#processing);
  }

  /**
   * Opens the microphone once more if it was requested with other constraints, which few browsers
   * apply to an open one. One that is being opened is left until it has opened.
   */
  async #matchProcessing(): Promise<void> {
    const { microphone } = this.#captures;
    const [held, wanted] = [this.#heldProcessing, this.#processing].map((processing) =>
      JSON.stringify(idealConstraints(processing).microphone),
    );
    if (microphone.is !== "live" || held === wanted) return;
    const deviceId = microphone.track.getSettings().deviceId ?? null;
    await this.#open("microphone", { deviceId, allowFallback: false });
  }

  #saveChoice(kind: DeviceKind, deviceId: string): void {
    this.#choices = { ...this.#choices, [kind]: deviceId };
    saveChoices(this.#platform.storage, this.#choices);
    this.#updateState();
  }

  async #openUnlessOpen(kind: InputKind): Promise<void> {
    const { is } = this.#captures[kind];
    if (is === "off" || is === "failed") await this.#openChosen(kind);
  }

  /** Opens the chosen device, or reopens the held one that the system interrupts. */
  async #openChosen(kind: InputKind): Promise<void> {
    const held = heldTrack(this.#captures[kind])?.getSettings().deviceId;
    await this.#open(kind, { deviceId: held ?? this.#choices[kind], allowFallback: !held });
  }

  /** Requests both with one prompt; if that fails, each that may still open separately. */
  async #openBoth(): Promise<void> {
    const attempt = ++this.#lastAttempt;
    const { microphone, camera } = this.#choices;
    for (const kind of INPUTS) {
      this.#dispatch(kind, { is: "open", attempt, deviceId: this.#choices[kind] });
    }
    const { devices } = this.#platform;
    if (!devices?.getUserMedia) {
      for (const kind of INPUTS) this.#failed(kind, attempt, "insecure");
      return;
    }
    const stopWatching = this.#watchAnswer(attempt, INPUTS);
    const processing = this.#processing;
    const splitTimer = setTimeout(() => void this.#split(attempt), SPLIT_MS);
    try {
      const stream = await requestDevices(devices, this.#ideal, { microphone, camera });
      this.#opened("microphone", attempt, stream.getAudioTracks()[0], processing);
      this.#opened("camera", attempt, stream.getVideoTracks()[0], processing);
      await this.#enumerate();
    } catch (error) {
      const problem = problemOf(error);
      const retry = kindsToRetry(problem, await inputPermissions(this.#platform.permissions));
      const pending = INPUTS.filter((kind) => isPending(this.#captures[kind], attempt));
      for (const kind of pending.filter((kind) => !retry.includes(kind))) {
        this.#failed(kind, attempt, problem);
      }
      const retried = pending.filter((kind) => retry.includes(kind));
      await Promise.all(retried.map((kind) => this.#openChosen(kind)));
    } finally {
      stopWatching();
      clearTimeout(splitTimer);
    }
  }

  /**
   * One of the two devices does not answer and delays the other: requests each separately. Without
   * permission that would open a second prompt, so only permitted devices are requested.
   */
  async #split(attempt: Attempt): Promise<void> {
    const permissions = await inputPermissions(this.#platform.permissions);
    for (const kind of INPUTS) {
      if (permissions[kind] !== "granted" || !isPending(this.#captures[kind], attempt)) continue;
      void this.#openChosen(kind);
    }
  }

  /** Opens a device and resolves to success; a held device continues until then. */
  async #open(kind: InputKind, request: DeviceRequest): Promise<boolean> {
    const attempt = ++this.#lastAttempt;
    this.#dispatch(kind, { is: "open", attempt, deviceId: request.deviceId });
    return await this.#fulfil(kind, attempt, request);
  }

  /** Requests the device that a capture waits for. */
  async #fulfil(kind: InputKind, attempt: Attempt, request: DeviceRequest): Promise<boolean> {
    const { devices } = this.#platform;
    if (!devices?.getUserMedia) {
      this.#failed(kind, attempt, "insecure");
      return false;
    }
    const stopWatching = this.#watchAnswer(attempt, [kind]);
    const isWanted = () => isPending(this.#captures[kind], attempt);
    const processing = this.#processing;
    const open = async (request: DeviceRequest) =>
      await openDevice(devices, idealConstraints(processing), kind, request, isWanted);
    try {
      return this.#opened(kind, attempt, await open(request), processing);
    } catch (error) {
      const problem = problemOf(error);
      const before = isWanted() ? heldTrack(this.#captures[kind]) : null;
      const { deviceId, facingMode } = before?.getSettings() ?? {};
      if (problem !== "in_use" || !facingMode) {
        this.#failed(kind, attempt, problem);
        return false;
      }
      // A phone, which opens one lens at a time: close the held one first.
      this.#dispatch(kind, { is: "released", attempt });
      try {
        return this.#opened(kind, attempt, await open(request), processing);
      } catch {
        const back = { deviceId: deviceId ?? null, allowFallback: false };
        await open(back).then(
          (track) => this.#opened(kind, attempt, track, processing, problem),
          () => this.#failed(kind, attempt, problem),
        );
        return false;
      }
    } finally {
      stopWatching();
      await this.#enumerate();
    }
  }

  #failed(kind: InputKind, attempt: Attempt, problem: DeviceProblem): void {
    this.#dispatch(kind, { is: "failed", attempt, problem });
  }

  /** Takes a track that was requested so; false if its attempt was given up meanwhile. */
  #opened(
    kind: InputKind,
    attempt: Attempt,
    track: MediaStreamTrack | undefined,
    processing: SoundProcessing,
    problem?: "in_use",
  ): boolean {
    if (!track) {
      this.#failed(kind, attempt, "missing");
      return false;
    }
    this.#dispatch(kind, { is: "opened", attempt, track, ...(problem && { problem }) });
    if (heldTrack(this.#captures[kind]) !== track) {
      track.stop();
      return false;
    }
    const openedAt = performance.now();
    track.addEventListener("ended", () => this.#ended(kind, track, performance.now() - openedAt));
    this.#watchInterruptions(kind, track);
    if (kind === "microphone") {
      this.#heldProcessing = processing;
      // It may have changed since the request.
      void this.#matchProcessing();
    }
    return true;
  }

  /** Reports that the system mutes a track once it has lasted, and at once that it is over. */
  #watchInterruptions(kind: InputKind, track: MediaStreamTrack): void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const update = () => {
      clearTimeout(timer);
      const tell = (interrupted: boolean) =>
        this.#dispatch(kind, { is: "interrupted", track, interrupted });
      if (track.muted) timer = setTimeout(() => tell(true), INTERRUPTED_MS);
      else tell(false);
    };
    track.addEventListener("mute", update);
    track.addEventListener("unmute", update);
    update();
  }

  /** Unplugged, or permission withdrawn: opens another device of the kind if there is one. */
  #ended(kind: InputKind, track: MediaStreamTrack, lifetime: number): void {
    const capture = this.#captures[kind];
    if (heldTrack(capture) !== track) return;
    const reopenings = lifetime < STABLE_MS ? this.#reopenings[kind] + 1 : 1;
    this.#reopenings[kind] = reopenings;
    const attempt = reopenings > MAX_REOPENINGS ? null : ++this.#lastAttempt;
    this.#dispatch(kind, { is: "ended", track, attempt });
    if (attempt === null) this.#reopenings[kind] = 0;
    else if (isPending(this.#captures[kind], attempt)) {
      void this.#fulfil(kind, attempt, { deviceId: this.#choices[kind], allowFallback: true });
    }
  }

  /** Opens a device that was refused before, without another press. */
  #permitted(kind: InputKind): void {
    const capture = this.#captures[kind];
    if (capture.is === "failed" && isRefusal(capture.problem)) void this.#openChosen(kind);
  }

  /** Reports devices that take long to answer, until the returned function is called. */
  #watchAnswer(attempt: Attempt, kinds: readonly InputKind[]): () => void {
    const timer = setTimeout(async () => {
      const permissions = await inputPermissions(this.#platform.permissions);
      for (const kind of kinds) {
        const problem = permissions[kind] === "prompt" ? "asking" : "unanswered";
        this.#dispatch(kind, { is: "unanswered", attempt, problem });
      }
    }, UNANSWERED_MS);
    return () => clearTimeout(timer);
  }

  /** The only place that changes a capture. A track is stopped after it is no longer sent. */
  #dispatch(kind: InputKind, event: CaptureEvent): void {
    const before = this.#captures[kind];
    const after = reduceCapture(before, event);
    if (after === before) return;
    this.#captures[kind] = after;
    const oldTrack = heldTrack(before);
    const track = heldTrack(after);
    if (track && "on" in after) track.enabled = after.on;
    if (track === oldTrack) {
      if (kind === "microphone") this.#muteSent();
      return this.#updateState();
    }
    this.#filters[kind].setInput(track);
    oldTrack?.stop();
    if (kind === "microphone") this.level.setTrack(track);
    this.#updateState();
  }

  #sendCamera(camera: MediaStreamTrack | null): void {
    if (camera === this.#tracks.getSnapshot().camera) return;
    this.#tracks.update((tracks) => ({ ...tracks, camera }));
    this.#updateState({ cameraStream: camera && this.#platform.createStream([camera]) });
  }

  #sendMicrophone(microphone: MediaStreamTrack | null): void {
    this.#tracks.update((tracks) => ({ ...tracks, microphone }));
    this.#muteSent();
  }

  /** Mutes what a filter still holds, too. */
  #muteSent(): void {
    const capture = this.#captures.microphone;
    const { microphone } = this.#tracks.getSnapshot();
    if (microphone && "on" in capture) microphone.enabled = capture.on;
  }

  /** Derives the public state from captures and choices. */
  #updateState(change: Partial<LocalMediaState> = {}): void {
    const { microphone, camera, speaker } = this.#choices;
    this.#state.update((state) => {
      const next = { ...state, ...change };
      return {
        ...next,
        microphone: localDeviceOf(this.#captures.microphone, microphone),
        camera: localDeviceOf(this.#captures.camera, camera),
        speaker,
        sink: sinkIdOf(speaker, next.devices.speaker),
        canFlipCamera:
          facingModeOf(this.#captures.camera) !== null && next.devices.camera.length > 1,
      };
    });
  }

  async #enumerate(): Promise<void> {
    try {
      const infos = await this.#platform.devices?.enumerateDevices?.();
      if (infos) this.#updateState({ devices: devicesByKind(infos) });
    } catch {
      // The lists stay as they are; opening a device reports what is wrong.
    }
  }
}

/** Not open, or not delivering: a device that does not answer or that the system interrupts. */
function needsRequest(capture: Capture): boolean {
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

/** The direction of a phone's open camera; null for any other camera. */
function facingModeOf(camera: Capture): FacingMode | null {
  const facing = heldTrack(camera)?.getSettings().facingMode;
  return facing === "user" || facing === "environment" ? facing : null;
}
