/**
 * Blurs or replaces what is behind the person: MediaPipe's model of selfies on TensorFlow Lite, in a
 * worker. Its scripts, WebAssembly and model are files of the page; this module is loaded when it is
 * used.
 */
import {
  GaussianBlurBackgroundProcessor,
  ImageFit,
  VirtualBackgroundProcessor,
} from "@twilio/video-processors";
import type { TrackFilter } from "moim-client";
import { type Background, isBackgroundSlow, PICTURES } from "./background.ts";
import { pumpFrames } from "./frame-pump.ts";
import { isTooSlow, NO_PACE, reducePace } from "./pace.ts";

/** Folder of the files, from the build (`vite.config.ts`). */
declare const BACKGROUND_FILES: string;

type Processor = GaussianBlurBackgroundProcessor | VirtualBackgroundProcessor;

/** Radius of the blur, in pixels of the picture. */
const RADIUS = { slight: 7, strong: 22 } as const;

// Each has a worker with the model, so both are kept.
let blur: Promise<GaussianBlurBackgroundProcessor> | null = null;
let picture: Promise<VirtualBackgroundProcessor> | null = null;

/** The filter for any background but none. */
export function backgroundFilter(background: Exclude<Background, "none">): TrackFilter {
  return async (input) => {
    const processor = await processorFor(background);
    let pace = NO_PACE;
    isBackgroundSlow.set(false);
    const pump = await pumpFrames(input, async (frame, canvas) => {
      const began = performance.now();
      await processor.processFrame(frame, canvas);
      const now = performance.now();
      pace = reducePace(pace, { now, took: now - began });
      isBackgroundSlow.set(isTooSlow(pace, now));
    });
    return {
      track: pump.track,
      stop: () => {
        pump.stop();
        isBackgroundSlow.set(false);
      },
    };
  };
}

async function processorFor(background: Exclude<Background, "none">): Promise<Processor> {
  if (background === "slight" || background === "strong") {
    blur ??= loaded(
      async () =>
        new GaussianBlurBackgroundProcessor({
          assetsPath: BACKGROUND_FILES,
          blurFilterRadius: RADIUS[background],
        }),
    );
    const processor = await blur.catch((error) => {
      blur = null;
      throw error;
    });
    processor.blurFilterRadius = RADIUS[background];
    return processor;
  }
  const backgroundImage = await load(PICTURES[background] ?? "");
  picture ??= loaded(
    async () =>
      new VirtualBackgroundProcessor({
        assetsPath: BACKGROUND_FILES,
        backgroundImage,
        fitType: ImageFit.Cover,
      }),
  );
  const processor = await picture.catch((error) => {
    picture = null;
    throw error;
  });
  processor.backgroundImage = backgroundImage;
  return processor;
}

async function loaded<P extends Processor>(make: () => Promise<P>): Promise<P> {
  const processor = await make();
  await processor.loadModel();
  return processor;
}

async function load(address: string): Promise<HTMLImageElement> {
  const image = new Image();
  image.src = address;
  await image.decode();
  return image;
}
