// Wrappers around the capture APIs, with which a test makes devices hang, busy or muted.

import type { Page } from "@playwright/test";

export type DeviceKind = "audio" | "video" | "screen";

export interface DeviceControl {
  /** Kinds whose requests stay pending until `resolvePending`. */
  hanging: DeviceKind[];
  /** Ids of cameras that are in use by another program. */
  busy: string[];
  /** All captured tracks. */
  tracks: MediaStreamTrack[];
  /** Level of the tone that the microphone picks up, in dB relative to full scale. */
  setTone(decibels: number): void;
  /** Resolves all pending requests. */
  resolvePending(): void;
}

declare global {
  interface Window {
    devices: DeviceControl;
  }
}

export interface DeviceOptions {
  /** Ids of fake cameras that replace the browser's, each with video of one colour. */
  cameras?: string[];
  /** They show stripes instead of one colour: a picture whose blur can be measured. */
  isStriped?: boolean;
  /** The direction of each, as on a phone. */
  facing?: Record<string, "user" | "environment">;
  /** The microphone picks up a tone instead of the browser's beeps; silence at first. */
  hasTone?: boolean;
}

/** Installs the wrappers in every page opened from now on, before its own scripts. */
export async function fakeDevices(page: Page, options: DeviceOptions = {}): Promise<void> {
  await page.addInitScript(installFakes, options);
}

/** Self-contained: it is sent to the page as text. */
function installFakes({
  cameras,
  isStriped = false,
  facing = {},
  hasTone = false,
}: DeviceOptions): void {
  const media = navigator.mediaDevices;
  // `about:blank` has no media devices.
  if (!media) return;
  let pending: (() => void)[] = [];
  const devices: DeviceControl = {
    hanging: [],
    busy: [],
    tracks: [],
    setTone: (decibels) => {
      // The root mean square of a sine is its amplitude by the square root of two.
      if (tone) tone.volume.gain.value = Math.SQRT2 * 10 ** (decibels / 20);
    },
    resolvePending: () => {
      devices.hanging = [];
      for (const resolve of pending) resolve();
      pending = [];
    },
  };
  window.devices = devices;

  let tone: { volume: GainNode; stream: MediaStream } | undefined;
  const toneTrack = (): MediaStreamTrack => {
    if (!tone) {
      const context = new AudioContext();
      const oscillator = new OscillatorNode(context, { frequency: 440 });
      const volume = new GainNode(context, { gain: 0 });
      const out = context.createMediaStreamDestination();
      oscillator.connect(volume).connect(out);
      oscillator.start();
      tone = { volume, stream: out.stream };
    }
    const [track] = tone.stream.getAudioTracks();
    if (!track) throw new Error("a destination without a track");
    return track.clone();
  };

  const untilResolved = async (requested: DeviceKind[]) => {
    if (!requested.some((kind) => devices.hanging.includes(kind))) return;
    await new Promise<void>((resolve) => pending.push(resolve));
  };
  const captured = (stream: MediaStream) => {
    devices.tracks.push(...stream.getTracks());
    return stream;
  };

  const videoTrackOf = (id: string): MediaStreamTrack => {
    const canvas = document.createElement("canvas");
    canvas.width = 640;
    canvas.height = 360;
    const context = canvas.getContext("2d");
    let frame = 0;
    const draw = () => {
      if (!context) return;
      context.fillStyle = `hsl(${(cameras ?? []).indexOf(id) * 120} 60% ${40 + (frame++ % 20)}%)`;
      context.fillRect(0, 0, canvas.width, canvas.height);
      if (!isStriped) return;
      for (let x = 0; x < canvas.width; x += 16) {
        context.fillStyle = x % 32 === 0 ? "black" : "white";
        context.fillRect(x, 0, 16, canvas.height);
      }
    };
    draw();
    const timer = setInterval(draw, 66);
    const [track] = canvas.captureStream(15).getVideoTracks();
    if (!track) throw new Error("a canvas without a track");
    const getSettings = track.getSettings.bind(track);
    const stop = track.stop.bind(track);
    const facingMode = facing[id];
    track.getSettings = () => ({
      ...getSettings(),
      deviceId: id,
      ...(facingMode && { facingMode }),
    });
    track.stop = () => {
      clearInterval(timer);
      stop();
    };
    return track;
  };

  const selectCamera = (constraints: MediaTrackConstraints | boolean | undefined): string => {
    const all = cameras ?? [];
    const turn = typeof constraints === "object" ? constraints.facingMode : undefined;
    const turned = all.find((id) => facing[id] === (turn as { exact?: string } | undefined)?.exact);
    if (turn && turned) return turned;
    const deviceId = typeof constraints === "object" ? constraints.deviceId : undefined;
    const { exact, ideal } = (
      typeof deviceId === "object" && !Array.isArray(deviceId) ? deviceId : {}
    ) as { exact?: string; ideal?: string };
    if (exact && !all.includes(exact)) {
      throw new OverconstrainedError("deviceId", "failed by the test");
    }
    return exact ?? (all.includes(ideal ?? "") ? ideal : all[0]) ?? "";
  };

  const getUserMedia = media.getUserMedia.bind(media);
  media.getUserMedia = async (constraints = {}) => {
    const { audio, video } = constraints;
    await untilResolved((["audio", "video"] as const).filter((kind) => constraints[kind]));
    const open = async (constraints: MediaStreamConstraints) => {
      if (!hasTone || !constraints.audio) return await getUserMedia(constraints);
      const { audio: _, ...others } = constraints;
      const rest = others.video ? (await getUserMedia(others)).getTracks() : [];
      return new MediaStream([toneTrack(), ...rest]);
    };
    if (!cameras || !video) return captured(await open(constraints));
    const id = selectCamera(video);
    if (devices.busy.includes(id)) {
      throw new DOMException("failed by the test", "NotReadableError");
    }
    const audioTracks = audio ? (await open({ audio })).getTracks() : [];
    return captured(new MediaStream([...audioTracks, videoTrackOf(id)]));
  };

  const getDisplayMedia = media.getDisplayMedia.bind(media);
  media.getDisplayMedia = async (options) => {
    await untilResolved(["screen"]);
    return captured(await getDisplayMedia(options));
  };

  const enumerateDevices = media.enumerateDevices.bind(media);
  media.enumerateDevices = async () => {
    const infos = await enumerateDevices();
    if (!cameras) return infos;
    const fakes = cameras.map(
      (deviceId) =>
        ({ deviceId, kind: "videoinput", label: deviceId, groupId: "" }) as MediaDeviceInfo,
    );
    return [...infos.filter(({ kind }) => kind !== "videoinput"), ...fakes];
  };
}
