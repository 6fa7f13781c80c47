// A short recording of one's own microphone, which never leaves this device.

/** Records a track for that time, even while it is muted. Rejects if the browser can't record. */
export async function recordTrack(track: MediaStreamTrack, milliseconds: number): Promise<Blob> {
  const own = track.clone();
  own.enabled = true;
  try {
    const recorder = new MediaRecorder(new MediaStream([own]));
    const parts: Blob[] = [];
    recorder.addEventListener("dataavailable", ({ data }) => parts.push(data));
    const stopped = new Promise<void>((resolve, reject) => {
      recorder.addEventListener("stop", () => resolve());
      recorder.addEventListener("error", () => reject(new Error("the recorder failed")));
    });
    recorder.start();
    const timer = setTimeout(() => {
      if (recorder.state !== "inactive") recorder.stop();
    }, milliseconds);
    await stopped.finally(() => clearTimeout(timer));
    return new Blob(parts, { type: recorder.mimeType });
  } finally {
    own.stop();
  }
}
