/** Reads frames of a camera into main memory, in whatever format they come. */
import {
  type ColourSpace,
  chroma,
  colourSpaceOf,
  DEFAULT_COLOUR_SPACE,
  fromRgba,
  type I420,
  newI420,
  shrink,
  splitPairs,
} from "./i420.ts";

export interface ReadFrame {
  readonly picture: I420;
  readonly space: ColourSpace;
  /** The frame's own description of its colours; null if it came as RGB. */
  readonly colorSpace: VideoColorSpaceInit | null;
}

/** The divisor of a frame's size that brings its shorter side closest to `limit` pixels. */
export function divisorOf(width: number, height: number, limit: number): number {
  return Math.max(1, Math.round(Math.min(width, height) / limit));
}

export class FrameReader {
  // Kept from frame to frame; each frame overwrites the one before.
  #whole: I420 | null = null;
  #reduced: I420 | null = null;
  #pairs = new Uint8Array(0);
  #canvas: OffscreenCanvas | null = null;

  /** The result is valid until the next call. */
  async read(frame: VideoFrame, limit: number): Promise<ReadFrame> {
    const { format, visibleRect, colorSpace } = frame;
    if ((format !== "I420" && format !== "NV12") || !visibleRect) return this.#draw(frame, limit);
    const { width, height } = visibleRect;
    this.#whole = sized(this.#whole, width, height);
    const whole = this.#whole;
    const half = chroma(width);
    const luma = { offset: 0, stride: width };
    if (format === "I420") {
      const { y, u } = whole;
      await frame.copyTo(whole.data, {
        layout: [
          luma,
          { offset: y.length, stride: half },
          { offset: y.length + u.length, stride: half },
        ],
      });
    } else {
      const { y, u, v } = whole;
      const bytes = y.length + 2 * u.length;
      if (this.#pairs.length !== bytes) this.#pairs = new Uint8Array(bytes);
      await frame.copyTo(this.#pairs, {
        layout: [luma, { offset: y.length, stride: 2 * half }],
      });
      y.set(this.#pairs.subarray(0, y.length));
      splitPairs(this.#pairs.subarray(y.length), u, v);
    }
    return {
      picture: this.#divide(whole, divisorOf(width, height, limit)),
      space: colourSpaceOf(colorSpace),
      colorSpace: colorSpace.toJSON(),
    };
  }

  #divide(whole: I420, divisor: number): I420 {
    if (divisor === 1) return whole;
    const width = even(whole.width / divisor);
    const height = even(whole.height / divisor);
    this.#reduced = sized(this.#reduced, width, height);
    const reduced = this.#reduced;
    shrink({ plane: whole.y, width: whole.width }, { plane: reduced.y, width, height }, divisor);
    for (const name of ["u", "v"] as const) {
      shrink(
        { plane: whole[name], width: chroma(whole.width) },
        { plane: reduced[name], width: width / 2, height: height / 2 },
        divisor,
      );
    }
    return reduced;
  }

  /** Frames of other formats, such as a canvas', or those that only a graphics processor holds. */
  #draw(frame: VideoFrame, limit: number): ReadFrame {
    const divisor = divisorOf(frame.displayWidth, frame.displayHeight, limit);
    const width = even(frame.displayWidth / divisor);
    const height = even(frame.displayHeight / divisor);
    this.#canvas ??= new OffscreenCanvas(width, height);
    if (this.#canvas.width !== width) this.#canvas.width = width;
    if (this.#canvas.height !== height) this.#canvas.height = height;
    const pixels = pixelsOf(this.#canvas, (context) =>
      context.drawImage(frame, 0, 0, width, height),
    );
    this.#reduced = sized(this.#reduced, width, height);
    fromRgba(pixels, this.#reduced, DEFAULT_COLOUR_SPACE);
    return { picture: this.#reduced, space: DEFAULT_COLOUR_SPACE, colorSpace: null };
  }
}

/** A picture that covers a frame of this size, cut on the longer side. */
export function covering(
  image: ImageBitmap,
  { width, height }: { width: number; height: number },
  space: ColourSpace,
): I420 {
  const scale = Math.max(width / image.width, height / image.height);
  const picture = newI420(even(width), even(height));
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const pixels = pixelsOf(canvas, (context) =>
    context.drawImage(
      image,
      (width - image.width * scale) / 2,
      (height - image.height * scale) / 2,
      image.width * scale,
      image.height * scale,
    ),
  );
  fromRgba(pixels, picture, space);
  return picture;
}

function pixelsOf(
  canvas: OffscreenCanvas,
  draw: (context: OffscreenCanvasRenderingContext2D) => void,
): Uint8ClampedArray {
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  if (!context) throw new Error("no canvas");
  draw(context);
  return context.getImageData(0, 0, canvas.width, canvas.height).data;
}

function sized(picture: I420 | null, width: number, height: number): I420 {
  return picture?.width === width && picture.height === height ? picture : newI420(width, height);
}

const even = (length: number): number => Math.max(2, Math.floor(length) & ~1);
