/** Messages between the page and the worker that changes backgrounds. */
import type { Behind } from "./changer.ts";

export type ToWorker =
  /** Ends the filter before, and starts one. */
  | {
      readonly do: "start";
      readonly id: number;
      readonly files: string;
      readonly behind: Behind;
      /** Frames come and go by these; otherwise one by one, as messages. */
      readonly streams: FrameStreams | null;
    }
  | { readonly do: "change"; readonly id: number; readonly frame: VideoFrame }
  | { readonly do: "stop"; readonly id: number };

export interface FrameStreams {
  readonly readable: ReadableStream<VideoFrame>;
  readonly writable: WritableStream<VideoFrame>;
}

export type FromWorker = { readonly id: number } & (
  | { readonly is: "started" }
  | { readonly is: "failed"; readonly reason: string }
  /** Null: left out. */
  | { readonly is: "changed"; readonly frame: VideoFrame | null }
  | { readonly is: "slow"; readonly isSlow: boolean }
);
