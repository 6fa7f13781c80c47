/**
 * Blurs or replaces what is behind the person: MediaPipe's model of selfies on TensorFlow Lite. Its
 * scripts, WebAssembly and model are files of the page; this module is loaded when it is used.
 */
import type { TrackFilter } from "moim-client";
import { type Background, isBackgroundSlow, isGraphicsSlow, PICTURES } from "./background.ts";
import { hasGraphicsProcessor } from "./graphics.ts";

/** Folder of the files, from the build (`vite.config.ts`). */
declare const BACKGROUND_FILES: string;

/** This browser hands out frames that a worker can read. */
const canReadFrames = typeof VideoFrame === "function" && "copyTo" in VideoFrame.prototype;

/** The filter for any background but none. */
export function backgroundFilter(background: Exclude<Background, "none">): TrackFilter {
  const files = BACKGROUND_FILES;
  return async (input) => {
    const behind =
      background === "slight" || background === "strong"
        ? background
        : await load(PICTURES[background] ?? "");
    if (canReadFrames && (isGraphicsSlow.getSnapshot() || !hasGraphicsProcessor())) {
      const { cpuFilter } = await import("./cpu-background/filter.ts");
      const onSlow = (isSlow: boolean) => isBackgroundSlow.set(isSlow);
      const bitmap = typeof behind === "string" ? behind : await bitmapOf(behind);
      return await cpuFilter({ files, behind: bitmap, onSlow })(input);
    }
    const { gpuFilter } = await import("./gpu-background.ts");
    const onSlow = (isSlow: boolean) => {
      // The page starts this filter again, which then goes the other way.
      if (canReadFrames && isSlow) isGraphicsSlow.set(true);
      else isBackgroundSlow.set(isSlow);
    };
    return await gpuFilter({ files, behind, onSlow })(input);
  };
}

async function load(address: string): Promise<HTMLImageElement> {
  const image = new Image();
  image.src = address;
  await image.decode();
  return image;
}

/** Lines of a picture for the background; it is scaled to the camera's own. */
const BITMAP_HEIGHT = 720;

/** Drawings have no pixels of their own, which a worker needs. */
async function bitmapOf(image: HTMLImageElement): Promise<ImageBitmap> {
  const height = BITMAP_HEIGHT;
  const width = Math.round((height * image.naturalWidth) / image.naturalHeight);
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d")?.drawImage(image, 0, 0, width, height);
  return await createImageBitmap(canvas);
}
