// Microphones and cameras without hardware.
type Kind = "audio" | "video";
type Constraints = Partial<Record<Kind, MediaTrackConstraints | true>>;

let tracks = 0;

export class FakeTrack extends EventTarget {
  readonly id = `track${++tracks}`;
  enabled = true;
  contentHint = "";
  readyState = "live";
  /** Muted by the system. */
  muted = false;
  readonly kind: string;
  readonly deviceId: string;
  readonly settings: MediaTrackSettings;

  constructor(kind: string, deviceId: string, facingMode?: string) {
    super();
    this.kind = kind;
    this.deviceId = deviceId;
    this.settings = { deviceId, width: 1280, height: 720, ...(facingMode && { facingMode }) };
  }

  getSettings() {
    return this.settings;
  }

  clone(): FakeTrack {
    return new FakeTrack(this.kind, this.deviceId);
  }

  stop(): void {
    this.readyState = "ended";
  }

  /** The system interrupts the device, or ends the interruption. */
  interrupt(muted = true): void {
    this.muted = muted;
    this.dispatchEvent(new Event(muted ? "mute" : "unmute"));
  }

  /** The device is unplugged. */
  end(): void {
    this.readyState = "ended";
    this.dispatchEvent(new Event("ended"));
  }
}

/** A computer with some devices; each kind can be made to fail. */
export class FakeDevices extends EventTarget {
  /** Names of the `DOMException` that a kind fails with. */
  errors: { audio?: string; video?: string } = {};
  /** Constraints of each `getUserMedia` call. */
  readonly requests: Constraints[] = [];
  readonly tracks: FakeTrack[] = [];
  /** Error of `getDisplayMedia`. */
  displayError: DOMException | null = null;

  /** Device ids by kind, in the order of `enumerateDevices`. */
  readonly ids: Record<Kind, string[]> = { audio: ["audio1"], video: ["video1"] };
  /** Directions of cameras, by id. */
  readonly facing = new Map<string, "user" | "environment">();
  /** A camera can't be opened while another is open. */
  opensOneLens = false;
  /** Devices in use by another program. */
  readonly busy = new Set<string>();
  /** Kinds whose requests stay pending until `answer` is called. */
  readonly hanging = new Set<Kind | "screen">();
  #unanswered: (() => void)[] = [];

  /** Answers all pending requests. */
  async answer(): Promise<void> {
    this.hanging.clear();
    for (const answer of this.#unanswered.splice(0)) answer();
    await flush();
  }

  /** Tracks that still capture. */
  get live(): FakeTrack[] {
    return this.tracks.filter(({ readyState }) => readyState === "live");
  }

  async getDisplayMedia() {
    if (this.hanging.has("screen")) await this.#hang();
    if (this.displayError) throw this.displayError;
    return this.#stream([new FakeTrack("video", "screen1"), new FakeTrack("audio", "screen1")]);
  }

  async getUserMedia(constraints: Constraints) {
    this.requests.push(constraints);
    const kinds = (["audio", "video"] as const).filter((kind) => constraints[kind]);
    if (kinds.some((kind) => this.hanging.has(kind))) await this.#hang();
    for (const kind of kinds) {
      if (this.errors[kind]) throw new DOMException("", this.errors[kind]);
    }
    const ids = kinds.map((kind) => this.#idFor(kind, constraints[kind]));
    if (ids.some((id) => this.busy.has(id))) throw new DOMException("", "NotReadableError");
    if (this.opensOneLens && kinds.includes("video") && this.live.some(isVideo)) {
      throw new DOMException("", "NotReadableError");
    }
    return this.#stream(
      kinds.map((kind, i) => new FakeTrack(kind, ids[i] ?? "", this.facing.get(ids[i] ?? ""))),
    );
  }

  async enumerateDevices() {
    return (["audio", "video"] as const).flatMap((kind) =>
      this.ids[kind].map((deviceId) => ({ kind: `${kind}input`, deviceId, label: deviceId })),
    );
  }

  #idFor(kind: Kind, constraints: MediaTrackConstraints | true | undefined): string {
    const { ideal, exact } = ((constraints !== true && constraints?.deviceId) || {}) as {
      ideal?: string;
      exact?: string;
    };
    if (exact !== undefined && !this.ids[kind].includes(exact)) {
      throw new DOMException("", "OverconstrainedError");
    }
    const { exact: facing } = ((constraints !== true && constraints?.facingMode) || {}) as {
      exact?: string;
    };
    if (facing !== undefined) {
      const turned = this.ids[kind].find((id) => this.facing.get(id) === facing);
      if (!turned) throw new DOMException("", "OverconstrainedError");
      return turned;
    }
    const [first = ""] = this.ids[kind];
    return exact ?? (ideal !== undefined && this.ids[kind].includes(ideal) ? ideal : first);
  }

  #hang(): Promise<void> {
    return new Promise((resolve) => this.#unanswered.push(resolve));
  }

  #stream(tracks: FakeTrack[]) {
    this.tracks.push(...tracks);
    return {
      getTracks: () => tracks,
      getAudioTracks: () => tracks.filter(({ kind }) => kind === "audio"),
      getVideoTracks: () => tracks.filter(({ kind }) => kind === "video"),
    };
  }

  get asDevices(): MediaDevices {
    return this as unknown as MediaDevices;
  }
}

const isVideo = ({ kind }: FakeTrack) => kind === "video";

/** A stream that only holds its tracks. */
export function fakeStream(tracks: MediaStreamTrack[]): MediaStream {
  const held = [...tracks];
  return {
    getTracks: () => [...held],
    addTrack: (track: MediaStreamTrack) => void held.push(track),
    removeTrack: (track: MediaStreamTrack) => void held.splice(held.indexOf(track), 1),
  } as unknown as MediaStream;
}

/** Runs the promise callbacks that are due. */
export async function flush(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}
