/**
 * Blurs or replaces what is behind the person on the processor alone, in a worker. Loaded when it is
 * used, as its worker, model and WebAssembly are.
 */
import type { TrackFilter } from "moim-client";
import { byCanvas, openStreams, type Pump } from "../frame-pump.ts";
import type { Behind } from "./changer.ts";
import type { FromWorker, ToWorker } from "./messages.ts";

export interface CpuFilterOptions {
  /** Folder of model and WebAssembly. */
  readonly files: string;
  readonly behind: Behind;
  /** Is told when even the least of work takes too long, or no longer does. */
  readonly onSlow: (isSlow: boolean) => void;
}

export function cpuFilter({ files, behind, onSlow }: CpuFilterOptions): TrackFilter {
  return async (input) => {
    const session = new Session(onSlow);
    const streams = openStreams(input);
    let pump: Pump | null = streams;
    const stop = () => {
      session.stop();
      pump?.stop();
      onSlow(false);
    };
    try {
      const ends = streams && { readable: streams.readable, writable: streams.writable };
      session.post(
        { do: "start", id: session.id, files, behind, streams: ends },
        ends ? [ends.readable, ends.writable] : [],
      );
      pump ??= await byCanvas(input, (video, canvas) => session.draw(video, canvas));
      await session.started;
      return { track: pump.track, stop };
    } catch (error) {
      stop();
      throw error;
    }
  };
}

/** Kept, since its model takes a while to load. */
let worker: Worker | null = null;
let lastId = 0;
let current: Session | null = null;

function workerOf(): Worker {
  if (worker) return worker;
  const made = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  made.onmessage = ({ data }: MessageEvent<FromWorker>) => {
    if (data.id === current?.id) current.handle(data);
    else if (data.is === "changed") data.frame?.close();
  };
  made.onerror = () => {
    worker = null;
    current?.fail(new Error("the worker failed"));
  };
  worker = made;
  return made;
}

/** One run of the filter; a new one ends the one before. */
class Session {
  readonly id = ++lastId;
  /** Resolves with the first changed frame. */
  readonly started: Promise<void>;
  readonly fail: (error: Error) => void;
  readonly #onStarted: () => void;
  readonly #onSlow: (isSlow: boolean) => void;
  /** Waits for a frame sent as a message. */
  #onFrame: ((frame: VideoFrame | null) => void) | null = null;

  constructor(onSlow: (isSlow: boolean) => void) {
    let settle: { resolve: () => void; reject: (error: Error) => void };
    this.started = new Promise((resolve, reject) => {
      settle = { resolve, reject };
    });
    // It may fail before anybody waits for it.
    this.started.catch(() => {});
    this.#onStarted = () => settle.resolve();
    this.fail = (error) => {
      settle.reject(error);
      this.#onFrame?.(null);
    };
    this.#onSlow = onSlow;
    current?.stop();
    current = this;
  }

  post(message: ToWorker, transfer: Transferable[]): void {
    workerOf().postMessage(message, transfer);
  }

  /** Draws the video's picture with another background; one left out changes nothing. */
  async draw(video: HTMLVideoElement, canvas: HTMLCanvasElement): Promise<void> {
    const frame = new VideoFrame(video, { timestamp: performance.now() * 1000 });
    const changed = await new Promise<VideoFrame | null>((resolve) => {
      this.#onFrame = resolve;
      this.post({ do: "change", id: this.id, frame }, [frame]);
    });
    this.#onFrame = null;
    if (!changed) return;
    canvas.getContext("2d")?.drawImage(changed, 0, 0, canvas.width, canvas.height);
    changed.close();
  }

  handle(message: FromWorker): void {
    switch (message.is) {
      case "started":
        return this.#onStarted();
      case "failed":
        return this.fail(new Error(message.reason));
      case "slow":
        return this.#onSlow(message.isSlow);
      case "changed":
        if (this.#onFrame) this.#onFrame(message.frame);
        else message.frame?.close();
    }
  }

  stop(): void {
    if (current !== this) return;
    current = null;
    worker?.postMessage({ do: "stop", id: this.id } satisfies ToWorker);
    this.fail(new Error("stopped"));
  }
}
