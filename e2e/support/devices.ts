// Cameras, microphones and screens that a test makes hang, keeps busy or mutes, in front of the browser's own.

import type { Page } from "@playwright/test";

export type Hanging = "audio" | "video" | "screen";

export interface DeviceControl {
  /** Kinds left unanswered until `answer`. */
  hanging: Hanging[];
  /** Ids of cameras that another program holds. */
  busy: string[];
  /** Every track that was captured. */
  tracks: MediaStreamTrack[];
  /** Answers all that hangs. */
  answer(): void;
}

declare global {
  interface Window {
    devices: DeviceControl;
  }
}

export interface DeviceOptions {
  /** Cameras of the test's own, by id, instead of the browser's; their pictures are of one colour each. */
  cameras?: string[];
}

/** Puts the controls into every page that is opened from now on, before its own script. */
export async function controlDevices(page: Page, options: DeviceOptions = {}): Promise<void> {
  await page.addInitScript(control, options);
}

/** Self-contained: it is sent to the page as text. */
function control({ cameras }: DeviceOptions): void {
  const media = navigator.mediaDevices;
  // A page before any other has no devices.
  if (!media) return;
  let waiting: (() => void)[] = [];
  const devices: DeviceControl = {
    hanging: [],
    busy: [],
    tracks: [],
    answer: () => {
      devices.hanging = [];
      for (const answer of waiting) answer();
      waiting = [];
    },
  };
  window.devices = devices;

  const answered = async (asked: Hanging[]) => {
    if (!asked.some((kind) => devices.hanging.includes(kind))) return;
    await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const captured = (stream: MediaStream) => {
    devices.tracks.push(...stream.getTracks());
    return stream;
  };

  const pictureOf = (id: string): MediaStreamTrack => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [640, 360];
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
    const [settings, stop] = [track.getSettings.bind(track), track.stop.bind(track)];
    track.getSettings = () => ({ ...settings(), deviceId: id });
    track.stop = () => {
      clearInterval(timer);
      stop();
    };
    return track;
  };

  const idOf = (wanted: MediaTrackConstraints | boolean | undefined): string => {
    const all = cameras ?? [];
    const deviceId = typeof wanted === "object" ? wanted.deviceId : undefined;
    const asked = (typeof deviceId === "object" && !Array.isArray(deviceId) ? deviceId : {}) as {
      exact?: string;
      ideal?: string;
    };
    if (asked.exact && !all.includes(asked.exact)) {
      throw new OverconstrainedError("deviceId", "as this test has it");
    }
    return asked.exact ?? (all.includes(asked.ideal ?? "") ? asked.ideal : all[0]) ?? "";
  };

  const getUserMedia = media.getUserMedia.bind(media);
  media.getUserMedia = async (wanted = {}) => {
    const kinds = (["audio", "video"] as const).filter((kind) => wanted[kind]);
    await answered(kinds);
    if (!cameras || !wanted.video) return captured(await getUserMedia(wanted));
    const id = idOf(wanted.video);
    if (devices.busy.includes(id))
      throw new DOMException("as this test has it", "NotReadableError");
    const voice = wanted.audio ? (await getUserMedia({ audio: wanted.audio })).getTracks() : [];
    return captured(new MediaStream([...voice, pictureOf(id)]));
  };

  const getDisplayMedia = media.getDisplayMedia.bind(media);
  media.getDisplayMedia = async (wanted) => {
    await answered(["screen"]);
    return captured(await getDisplayMedia(wanted));
  };

  const enumerateDevices = media.enumerateDevices.bind(media);
  media.enumerateDevices = async () => {
    const infos = await enumerateDevices();
    if (!cameras) return infos;
    const own = cameras.map(
      (deviceId) =>
        ({ deviceId, kind: "videoinput", label: deviceId, groupId: "" }) as MediaDeviceInfo,
    );
    return [...infos.filter(({ kind }) => kind !== "videoinput"), ...own];
  };
}
