/**
 * Blurs or replaces what is behind the person with a graphics processor: the model in a worker, the
 * edges in WebGL.
 */
import {
  GaussianBlurBackgroundProcessor,
  ImageFit,
  VirtualBackgroundProcessor,
} from "@twilio/video-processors";
import type { TrackFilter } from "moim-client";
import { pumpFrames } from "./frame-pump.ts";
import { isTooSlow, NO_PACE, reducePace } from "./pace.ts";

/** A blur, or a picture in place of the background. */
type Behind = keyof typeof RADIUS | HTMLImageElement;

interface GpuFilterOptions {
  /** Folder of scripts, model and WebAssembly. */
  readonly files: string;
  readonly behind: Behind;
  /** Is told when frames take too long, or no longer do. */
  readonly onSlow: (isSlow: boolean) => void;
}

type Processor = GaussianBlurBackgroundProcessor | VirtualBackgroundProcessor;

/** Radius of the blur, in pixels of the picture. */
const RADIUS = { slight: 7, strong: 22 } as const;

// Each has a worker with the model, so both are kept.
let blur: Promise<GaussianBlurBackgroundProcessor> | null = null;
let picture: Promise<VirtualBackgroundProcessor> | null = null;

export function gpuFilter({ files, behind, onSlow }: GpuFilterOptions): TrackFilter {
  return async (input) => {
    const processor = await processorFor(behind, files);
    let pace = NO_PACE;
    onSlow(false);
    const pump = await pumpFrames(input, async (frame, canvas) => {
      const began = performance.now();
      await processor.processFrame(frame, canvas);
      const now = performance.now();
      pace = reducePace(pace, { now, took: now - began });
      onSlow(isTooSlow(pace, now));
    });
    return {
      track: pump.track,
      stop: () => {
        pump.stop();
        onSlow(false);
      },
    };
  };
}

async function processorFor(behind: Behind, assetsPath: string): Promise<Processor> {
  if (typeof behind === "string") {
    const blurFilterRadius = RADIUS[behind];
    blur ??= loaded(
      async () => new GaussianBlurBackgroundProcessor({ assetsPath, blurFilterRadius }),
    );
    const processor = await blur.catch((error) => {
      blur = null;
      throw error;
    });
    processor.blurFilterRadius = blurFilterRadius;
    return processor;
  }
  picture ??= loaded(
    async () =>
      new VirtualBackgroundProcessor({
        assetsPath,
        backgroundImage: behind,
        fitType: ImageFit.Cover,
      }),
  );
  const processor = await picture.catch((error) => {
    picture = null;
    throw error;
  });
  processor.backgroundImage = behind;
  return processor;
}

async function loaded<P extends Processor>(make: () => Promise<P>): Promise<P> {
  const processor = await make();
  await processor.loadModel();
  return processor;
}
