/**
 * Passes the frames of a camera through a function. Browsers of the Chromium family hand over frames
 * as streams, which goes on in a hidden tab; elsewhere a `<video>` is drawn to a canvas, which a
 * hidden tab slows to about one frame a second.
 */

/** Draws the frame into the canvas, changed. It may close a `VideoFrame`. */
export type DrawFrame = (
  frame: VideoFrame | HTMLVideoElement,
  canvas: HTMLCanvasElement,
) => Promise<void>;

export interface Pump {
  readonly track: MediaStreamTrack;
  readonly stop: () => void;
}

/** Of "MediaStreamTrack Insertable Media Processing using Streams", as Chromium has it in windows. */
interface Streams {
  MediaStreamTrackProcessor?: new (options: {
    track: MediaStreamTrack;
    maxBufferSize: number;
  }) => { readonly readable: ReadableStream<VideoFrame> };
  MediaStreamTrackGenerator?: new (options: {
    kind: "video";
  }) => MediaStreamTrack & { readonly writable: WritableStream<VideoFrame> };
}

/**
 * Processors in use. Chromium collects one that no script refers to, with the streams behind it, though
 * its track goes on.
 */
const inUse = new Set<object>();

/** Frames per second where the page sets the pace. */
const FRAME_RATE = 24;

/**
 * Starts to change the frames of `input`. Resolves once the first has been drawn, rejects if it
 * can't be. A later frame that can't be drawn is dropped.
 */
export async function pumpFrames(input: MediaStreamTrack, draw: DrawFrame): Promise<Pump> {
  const first = new FirstFrame(draw);
  const pump = byStreams(input, first.draw) ?? (await byCanvas(input, first.draw));
  try {
    await first.drawn;
  } catch (error) {
    pump.stop();
    throw error;
  }
  return pump;
}

/** Settles `drawn` with the first frame. */
class FirstFrame {
  readonly drawn: Promise<void>;
  readonly draw: DrawFrame;

  constructor(draw: DrawFrame) {
    let settle: { resolve: () => void; reject: (error: unknown) => void };
    this.drawn = new Promise((resolve, reject) => {
      settle = { resolve, reject };
    });
    this.draw = async (frame, canvas) => {
      try {
        await draw(frame, canvas);
        settle.resolve();
      } catch (error) {
        settle.reject(error);
        throw error;
      }
    };
  }
}

export interface FrameStreams extends Pump {
  readonly readable: ReadableStream<VideoFrame>;
  readonly writable: WritableStream<VideoFrame>;
}

/** Frames of `input`, and a track for what becomes of them. Null where browsers have no such streams. */
export function openStreams(input: MediaStreamTrack): FrameStreams | null {
  const { MediaStreamTrackProcessor: Processor, MediaStreamTrackGenerator: Generator } =
    globalThis as Streams;
  if (!Processor || !Generator) return null;
  const track = new Generator({ kind: "video" });
  const { writable } = track;
  // A buffer of one: frames that come meanwhile are dropped, so that nothing lags behind.
  const processor = new Processor({ track: input, maxBufferSize: 1 });
  inUse.add(processor);
  return {
    readable: processor.readable,
    writable,
    track: describedBy(input, track),
    stop: () => {
      inUse.delete(processor);
      track.stop();
    },
  };
}

/** Encoders go by the size of a track, and the page by where its camera looks. */
function describedBy(input: MediaStreamTrack, track: MediaStreamTrack): MediaStreamTrack {
  track.getSettings = () => {
    const { deviceId: _, ...settings } = input.getSettings();
    return settings;
  };
  return track;
}

function byStreams(input: MediaStreamTrack, draw: DrawFrame): Pump | null {
  const streams = openStreams(input);
  if (!streams) return null;
  const canvas = document.createElement("canvas");
  // Takes what is drawn without a copy.
  canvas.getContext("bitmaprenderer");
  const transformer = new TransformStream<VideoFrame, VideoFrame>({
    transform: async (frame, controller) => {
      const { timestamp } = frame;
      try {
        resize(canvas, frame.displayWidth, frame.displayHeight);
        await draw(frame, canvas);
        controller.enqueue(new VideoFrame(canvas, { timestamp }));
      } catch {
        // Dropped.
      } finally {
        frame.close();
      }
    },
  });
  const aborter = new AbortController();
  const { signal } = aborter;
  streams.readable
    .pipeThrough(transformer, { signal })
    .pipeTo(streams.writable, { signal })
    .catch(() => {});
  return {
    track: streams.track,
    stop: () => {
      aborter.abort();
      streams.stop();
    },
  };
}

/** Lets each picture of a `<video>` be drawn to a canvas. One that fails is dropped. */
export async function byCanvas(
  input: MediaStreamTrack,
  draw: (video: HTMLVideoElement, canvas: HTMLCanvasElement) => Promise<void>,
): Promise<Pump> {
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  video.srcObject = new MediaStream([input]);
  const canvas = document.createElement("canvas");
  canvas.getContext("2d");
  const [track] = canvas.captureStream(FRAME_RATE).getVideoTracks();
  if (!track) throw new Error("the canvas has no track");
  let isDrawing = false;
  const timer = setInterval(async () => {
    if (isDrawing || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    isDrawing = true;
    try {
      resize(canvas, video.videoWidth, video.videoHeight);
      await draw(video, canvas);
    } catch {
      // Dropped.
    }
    isDrawing = false;
  }, 1000 / FRAME_RATE);
  const stop = () => {
    clearInterval(timer);
    video.srcObject = null;
    track.stop();
  };
  try {
    await video.play();
  } catch (error) {
    stop();
    throw error;
  }
  return { track: describedBy(input, track), stop };
}

/** Setting a size clears a canvas, so it is set only if it changes. */
function resize(canvas: HTMLCanvasElement, width: number, height: number): void {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}
