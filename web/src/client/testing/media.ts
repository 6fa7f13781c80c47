// Microphones and cameras without any.
type Kind = "audio" | "video";
type Wanted = Partial<Record<Kind, MediaTrackConstraints | true>>;

let tracks = 0;

export class FakeTrack extends EventTarget {
  readonly id = `track${++tracks}`;
  enabled = true;
  contentHint = "";
  readyState = "live";
  /** The system keeps it silent or black. */
  muted = false;
  readonly kind: string;
  readonly deviceId: string;
  readonly settings: MediaTrackSettings;

  constructor(kind: string, deviceId: string) {
    super();
    this.kind = kind;
    this.deviceId = deviceId;
    this.settings = { deviceId, width: 1280, height: 720 };
  }

  getSettings() {
    return this.settings;
  }

  stop(): void {
    this.readyState = "ended";
  }

  /** The system takes the device away for a while, or gives it back. */
  interrupt(muted = true): void {
    this.muted = muted;
    this.dispatchEvent(new Event(muted ? "mute" : "unmute"));
  }

  /** The device goes away. */
  end(): void {
    this.readyState = "ended";
    this.dispatchEvent(new Event("ended"));
  }
}

/** A computer with these devices; each may be made to fail with a `DOMException` of a name. */
export class FakeDevices extends EventTarget {
  failing: { audio?: string; video?: string } = {};
  /** Each question put to the person. */
  readonly asked: Wanted[] = [];
  readonly tracks: FakeTrack[] = [];
  /** What `getDisplayMedia` fails with. */
  refusing: DOMException | null = null;

  /** Devices by kind, as `enumerateDevices` lists them. */
  readonly ids: Record<Kind, string[]> = { audio: ["audio1"], video: ["video1"] };
  /** Devices that another program holds. */
  readonly busy = new Set<string>();
  /** Kinds that are not answered until `answer` is called. */
  readonly hanging = new Set<Kind | "screen">();
  #unanswered: (() => void)[] = [];

  /** Everything that was asked while it hung is answered now. */
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
    if (this.refusing) throw this.refusing;
    return this.#stream([new FakeTrack("video", "screen1"), new FakeTrack("audio", "screen1")]);
  }

  async getUserMedia(wanted: Wanted) {
    this.asked.push(wanted);
    const kinds = (["audio", "video"] as const).filter((kind) => wanted[kind]);
    if (kinds.some((kind) => this.hanging.has(kind))) await this.#hang();
    for (const kind of kinds) {
      if (this.failing[kind]) throw new DOMException("", this.failing[kind]);
    }
    const ids = kinds.map((kind) => this.#idFor(kind, wanted[kind]));
    if (ids.some((id) => this.busy.has(id))) throw new DOMException("", "NotReadableError");
    return this.#stream(kinds.map((kind, i) => new FakeTrack(kind, ids[i] ?? "")));
  }

  async enumerateDevices() {
    return (["audio", "video"] as const).flatMap((kind) =>
      this.ids[kind].map((deviceId) => ({ kind: `${kind}input`, deviceId, label: deviceId })),
    );
  }

  #idFor(kind: Kind, wanted: MediaTrackConstraints | true | undefined): string {
    const { ideal, exact } = ((wanted !== true && wanted?.deviceId) || {}) as {
      ideal?: string;
      exact?: string;
    };
    if (exact !== undefined && !this.ids[kind].includes(exact)) {
      throw new DOMException("", "OverconstrainedError");
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

/** A stream that only holds its tracks. */
export function fakeStream(tracks: MediaStreamTrack[]): MediaStream {
  const held = [...tracks];
  return {
    getTracks: () => [...held],
    addTrack: (track: MediaStreamTrack) => void held.push(track),
    removeTrack: (track: MediaStreamTrack) => void held.splice(held.indexOf(track), 1),
  } as unknown as MediaStream;
}

/** Lets promise callbacks run that are due. */
export async function flush(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}
