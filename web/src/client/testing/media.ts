// Microphones and cameras without any.
type Wanted = { audio?: MediaTrackConstraints; video?: MediaTrackConstraints };

let tracks = 0;

export class FakeTrack extends EventTarget {
  readonly id = `track${++tracks}`;
  enabled = true;
  contentHint = "";
  readyState = "live";
  readonly kind: string;
  readonly deviceId: string;

  constructor(kind: string, deviceId: string) {
    super();
    this.kind = kind;
    this.deviceId = deviceId;
  }

  getSettings() {
    return { deviceId: this.deviceId, width: 1280, height: 720 };
  }

  stop(): void {
    this.readyState = "ended";
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

  async getDisplayMedia() {
    if (this.refusing) throw this.refusing;
    const tracks = [new FakeTrack("video", "screen1"), new FakeTrack("audio", "screen1")];
    this.tracks.push(...tracks);
    return {
      getTracks: () => tracks,
      getAudioTracks: () => tracks.filter(({ kind }) => kind === "audio"),
      getVideoTracks: () => tracks.filter(({ kind }) => kind === "video"),
    };
  }

  async getUserMedia(wanted: Wanted) {
    this.asked.push(wanted);
    const kinds = (["audio", "video"] as const).filter((kind) => wanted[kind]);
    for (const kind of kinds) {
      if (this.failing[kind]) throw new DOMException("", this.failing[kind]);
    }
    const tracks = kinds.map((kind) => {
      const { ideal = `${kind}1` } = (wanted[kind]?.deviceId ?? {}) as { ideal?: string };
      return new FakeTrack(kind, ideal);
    });
    this.tracks.push(...tracks);
    return {
      getTracks: () => tracks,
      getAudioTracks: () => tracks.filter(({ kind }) => kind === "audio"),
      getVideoTracks: () => tracks.filter(({ kind }) => kind === "video"),
    };
  }

  async enumerateDevices() {
    return [
      { kind: "audioinput", deviceId: "audio1", label: "Microphone" },
      { kind: "videoinput", deviceId: "video1", label: "Camera" },
    ];
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
