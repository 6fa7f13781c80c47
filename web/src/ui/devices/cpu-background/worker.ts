// Runs the model and changes frames, apart from the page's own thread.
import { BackgroundChanger } from "./changer.ts";
import { FIRST_EFFORT, isTooDear, reduceEffort, STEPS, type Step } from "./effort.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import { FramePacer } from "./pacer.ts";
import { Segmenter } from "./segmenter.ts";

/** The part of a worker's global scope that is used here. */
interface Scope {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker, transfer: Transferable[]): void;
}

const scope = globalThis as unknown as Scope;
const reply = (message: FromWorker, transfer: Transferable[] = []) =>
  scope.postMessage(message, transfer);

/** One for all filters, as it takes a while to load. */
let segmenter: Promise<Segmenter> | null = null;
let running: Session | null = null;
/** The filter that should run. */
let wanted: number | null = null;

class Session {
  readonly #id: number;
  readonly #changer: BackgroundChanger;
  readonly #aborter = new AbortController();
  readonly #pacer = new FramePacer();
  #effort = FIRST_EFFORT;
  #isSlow = false;
  #hasStarted = false;

  constructor(id: number, changer: BackgroundChanger) {
    this.#id = id;
    this.#changer = changer;
  }

  get id(): number {
    return this.#id;
  }

  /** Passes frames from one stream to the other, until stopped. */
  pipe(readable: ReadableStream<VideoFrame>, writable: WritableStream<VideoFrame>): void {
    const { signal } = this.#aborter;
    const transformer = new TransformStream<VideoFrame, VideoFrame>({
      transform: async (frame, controller) => {
        const changed = await this.change(frame);
        if (changed) controller.enqueue(changed);
      },
    });
    readable
      .pipeThrough(transformer, { signal })
      .pipeTo(writable, { signal })
      .catch(() => {});
  }

  /** The frame with another background. Null leaves it out; the frame itself is closed. */
  async change(frame: VideoFrame): Promise<VideoFrame | null> {
    const step = STEPS[this.#effort.step] as Step;
    try {
      if (!this.#pacer.takes(frame.timestamp, step.frameRate)) return null;
      const began = performance.now();
      const changed = await this.#changer.change(frame, step);
      const now = performance.now();
      this.#effort = reduceEffort(this.#effort, { now, took: now - began });
      this.#setSlow(isTooDear(this.#effort, now));
      if (!this.#hasStarted) reply({ id: this.#id, is: "started" });
      this.#hasStarted = true;
      return changed;
    } catch (error) {
      // A later frame that can't be changed is left out.
      if (!this.#hasStarted) reply({ id: this.#id, is: "failed", reason: String(error) });
      return null;
    } finally {
      frame.close();
    }
  }

  stop(): void {
    this.#aborter.abort();
  }

  #setSlow(isSlow: boolean): void {
    if (isSlow === this.#isSlow) return;
    this.#isSlow = isSlow;
    reply({ id: this.#id, is: "slow", isSlow });
  }
}

async function start({ id, files, behind, streams }: ToWorker & { do: "start" }): Promise<void> {
  running?.stop();
  running = null;
  wanted = id;
  try {
    segmenter ??= Segmenter.load(files);
    const session = new Session(id, new BackgroundChanger(await segmenter, behind));
    // Stopped, or replaced, while the model was loading.
    if (wanted !== id) return cancel(streams);
    running = session;
    if (streams) session.pipe(streams.readable, streams.writable);
  } catch (error) {
    segmenter = null;
    reply({ id, is: "failed", reason: String(error) });
    cancel(streams);
  }
}

function cancel(streams: (ToWorker & { do: "start" })["streams"]): void {
  streams?.readable.cancel().catch(() => {});
  streams?.writable.abort().catch(() => {});
}

scope.onmessage = async ({ data }) => {
  switch (data.do) {
    case "start":
      return await start(data);
    case "change": {
      const { id, frame } = data;
      const session = running?.id === id ? running : null;
      const changed = (await session?.change(frame)) ?? null;
      if (!session) frame.close();
      return reply({ id, is: "changed", frame: changed }, changed ? [changed] : []);
    }
    case "stop":
      if (wanted === data.id) wanted = null;
      if (running?.id !== data.id) return;
      running.stop();
      running = null;
  }
};
