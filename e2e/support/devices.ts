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
}

/** Installs the wrappers in every page opened from now on, before its own scripts. */
export async function fakeDevices(page: Page, options: DeviceOptions = {}): Promise<void> {
  await page.addInitScript(installFakes, options);
}

/** Self-contained: it is sent to the page as text. */
function installFakes({ cameras }: DeviceOptions): void {
  const media = navigator.mediaDevices;
  // `about:blank` has no media devices.
  if (!media) return;
  let pending: (() => void)[] = [];
  const devices: DeviceControl = {
    hanging: [],
    busy: [],
    tracks: [],
    resolvePending: () => {
      devices.hanging = [];
      for (const resolve of pending) resolve();
      pending = [];
    },
  };
  window.devices = devices;

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
    };
    draw();
    const timer = setInterval(draw, 66);
    const [track] = canvas.captureStream(15).getVideoTracks();
    if (!track) throw new Error("a canvas without a track");
    const getSettings = track.getSettings.bind(track);
    const stop = track.stop.bind(track);
    track.getSettings = () => ({ ...getSettings(), deviceId: id });
    track.stop = () => {
      clearInterval(timer);
      stop();
    };
    return track;
  };

  const selectCamera = (constraints: MediaTrackConstraints | boolean | undefined): string => {
    const all = cameras ?? [];
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
    if (!cameras || !video) return captured(await getUserMedia(constraints));
    const id = selectCamera(video);
    if (devices.busy.includes(id)) {
      throw new DOMException("failed by the test", "NotReadableError");
    }
    const audioTracks = audio ? (await getUserMedia({ audio })).getTracks() : [];
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
