// Asking for a screen, a window or a tab, with its sound where the browser gives it.

/** What is in newer browsers beyond TypeScript's own (https://www.w3.org/TR/screen-capture/). */
interface ScreenOptions extends DisplayMediaStreamOptions {
  systemAudio?: "include" | "exclude";
  surfaceSwitching?: "include" | "exclude";
}

const OPTIONS: ScreenOptions = {
  // Letters need lines more than they need motion.
  video: { frameRate: { ideal: 15, max: 30 } },
  // Not a voice: nothing is to be taken out of it.
  audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
  systemAudio: "include",
  surfaceSwitching: "include",
};

export interface Screen {
  readonly video: MediaStreamTrack;
  readonly audio: MediaStreamTrack | null;
}

/** Has the person choose. Rejects as `getDisplayMedia` does, also where there is no such thing. */
export async function askForScreen(devices: MediaDevices | undefined): Promise<Screen> {
  if (!devices?.getDisplayMedia) throw new DOMException("no screens here", "NotSupportedError");
  const stream = await devices.getDisplayMedia(OPTIONS);
  const [video] = stream.getVideoTracks();
  if (!video) throw new DOMException("a screen without a picture", "NotFoundError");
  video.contentHint = "detail";
  return { video, audio: stream.getAudioTracks()[0] ?? null };
}

/** The person thought better of it, which is no problem. That the system forbids it is one. */
export function isWithdrawn(error: unknown): boolean {
  return (
    error instanceof DOMException &&
    error.name === "NotAllowedError" &&
    !/system/i.test(error.message)
  );
}
