/** Test of the video encoder: a moving picture of a camera's size, encoded for a moment. */

/** As `/api/doctor/judge` takes it. */
export interface EncoderFacts {
  height: number;
  isSmooth?: boolean;
  captured: number;
  encoded: number;
  encodeMs: number;
  isLimited: boolean;
}

/** Best quality that a camera sends. */
const VIDEO = { width: 1280, height: 720, framerate: 30, bitrate: 1_700_000 };
const MEASURE_MS = 1_500;
const CONNECT_MS = 2_000;

/** Encodes, from one connection of this page to another. */
export async function testEncoder(signal: AbortSignal): Promise<EncoderFacts> {
  const isSmooth = await expectedSmooth();
  const counts = await encode(signal).catch(() => NO_COUNTS);
  return { height: VIDEO.height, ...(isSmooth === null ? {} : { isSmooth }), ...counts };
}

type Counts = Pick<EncoderFacts, "captured" | "encoded" | "encodeMs" | "isLimited">;

const NO_COUNTS: Counts = { captured: 0, encoded: 0, encodeMs: 0, isLimited: false };

/** The browser's experience with earlier videos; null if it has none. */
async function expectedSmooth(): Promise<boolean | null> {
  const { bitrate, framerate, width, height } = VIDEO;
  const video = { contentType: "video/VP8", width, height, bitrate, framerate };
  try {
    const info = await navigator.mediaCapabilities.encodingInfo({ type: "webrtc", video });
    return info.supported ? info.smooth : null;
  } catch {
    return null;
  }
}

async function encode(signal: AbortSignal): Promise<Counts> {
  const picture = new MovingPicture();
  const [sender, receiver] = [new RTCPeerConnection(), new RTCPeerConnection()];
  const close = () => {
    picture.stop();
    sender.close();
    receiver.close();
  };
  signal.addEventListener("abort", close);
  try {
    sender.addTransceiver(picture.track, {
      direction: "sendonly",
      sendEncodings: [{ maxBitrate: VIDEO.bitrate }],
    });
    await connect(sender, receiver, signal);
    const before = await countersOf(sender);
    picture.count = 0;
    await wait(MEASURE_MS, signal);
    const after = await countersOf(sender);
    const encoded = after.frames - before.frames;
    return {
      captured: picture.count,
      encoded,
      encodeMs: encoded === 0 ? 0 : (1000 * (after.seconds - before.seconds)) / encoded,
      isLimited: after.isLimited,
    };
  } finally {
    signal.removeEventListener("abort", close);
    close();
  }
}

/** A picture that changes everywhere, so that every frame has to be encoded. */
class MovingPicture {
  /** Frames drawn. */
  count = 0;
  readonly track: MediaStreamTrack;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor() {
    const canvas = document.createElement("canvas");
    const { width, height, framerate } = VIDEO;
    Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    const [track] = canvas.captureStream(framerate).getVideoTracks();
    if (!context || !track) throw new Error("no canvas");
    this.track = track;
    let phase = 0;
    const draw = () => {
      phase += 1;
      const shift = (phase * 8) % width;
      const gradient = context.createLinearGradient(shift - width, 0, shift + width, height);
      for (let stop = 0; stop <= 8; stop++) {
        gradient.addColorStop(stop / 8, `hsl(${(phase * 3 + stop * 90) % 360} 70% 50%)`);
      }
      context.fillStyle = gradient;
      context.fillRect(0, 0, width, height);
      this.count += 1;
    };
    draw();
    this.#timer = setInterval(draw, 1000 / framerate);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.track.stop();
  }
}

async function connect(
  sender: RTCPeerConnection,
  receiver: RTCPeerConnection,
  signal: AbortSignal,
): Promise<void> {
  for (const [from, to] of [
    [sender, receiver],
    [receiver, sender],
  ] as const) {
    from.onicecandidate = ({ candidate }) => {
      if (candidate) to.addIceCandidate(candidate).catch(() => {});
    };
  }
  const connected = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("no connection")), CONNECT_MS);
    signal.addEventListener("abort", () => reject(signal.reason));
    sender.onconnectionstatechange = () => {
      if (sender.connectionState !== "connected") return;
      clearTimeout(timer);
      resolve();
    };
  });
  await sender.setLocalDescription();
  if (sender.localDescription) await receiver.setRemoteDescription(sender.localDescription);
  await receiver.setLocalDescription();
  if (receiver.localDescription) await sender.setRemoteDescription(receiver.localDescription);
  await connected;
}

async function countersOf(sender: RTCPeerConnection) {
  const counters = { frames: 0, seconds: 0, isLimited: false };
  (await sender.getStats()).forEach((entry) => {
    if (entry.type !== "outbound-rtp") return;
    counters.frames += entry.framesEncoded ?? 0;
    counters.seconds += entry.totalEncodeTime ?? 0;
    counters.isLimited ||= entry.qualityLimitationReason === "cpu";
  });
  return counters;
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    setTimeout(resolve, ms);
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}
