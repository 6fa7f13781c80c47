/** Changes the background of frames, one after the other, without a graphics processor. */
import { Blur, newGridPicture, STRENGTHS } from "./blur.ts";
import { compose } from "./compose.ts";
import type { Step } from "./effort.ts";
import { covering, FrameReader, type ReadFrame } from "./frame-reader.ts";
import { sample } from "./grid.ts";
import { chroma, type I420 } from "./i420.ts";
import { MaskRefiner } from "./mask.ts";
import type { Segmenter } from "./segmenter.ts";

/** A blur, or a picture in place of the background. */
export type Behind = keyof typeof STRENGTHS | ImageBitmap;

export class BackgroundChanger {
  readonly #segmenter: Segmenter;
  readonly #behind: Behind;
  readonly #reader = new FrameReader();
  readonly #refiner = new MaskRefiner();
  readonly #blur = new Blur();
  readonly #grid = newGridPicture();
  #image: { picture: I420; space: string } | null = null;
  /** Frames until the model looks again. */
  #untilGuess = 0;

  constructor(segmenter: Segmenter, behind: Behind) {
    this.#segmenter = segmenter;
    this.#behind = behind;
  }

  /** A frame of the same moment; the caller closes both. */
  async change(frame: VideoFrame, { lines, everyFrames }: Step): Promise<VideoFrame> {
    const read = await this.#reader.read(frame, lines);
    const { picture, space, colorSpace } = read;
    const { width, height, y, u, v } = picture;
    const grid = this.#grid;
    sample(y, width, height, grid.y);
    sample(u, chroma(width), chroma(height), grid.u);
    sample(v, chroma(width), chroma(height), grid.v);
    if (this.#untilGuess <= 0) {
      this.#refiner.update(this.#segmenter.run(grid, space));
      this.#untilGuess = everyFrames;
    }
    this.#untilGuess--;
    const alpha = this.#refiner.refine(grid.y);
    const background =
      typeof this.#behind === "string"
        ? this.#blur.run(grid, alpha, STRENGTHS[this.#behind])
        : this.#imageFor(this.#behind, read);
    compose(picture, alpha, background);
    return new VideoFrame(picture.data, {
      format: "I420",
      codedWidth: width,
      codedHeight: height,
      timestamp: frame.timestamp,
      colorSpace: colorSpace ?? { ...space, primaries: space.matrix, transfer: space.matrix },
    });
  }

  #imageFor(image: ImageBitmap, { picture, space }: ReadFrame): I420 {
    const key = `${space.matrix} ${space.fullRange}`;
    const known = this.#image;
    const isKnown =
      known?.space === key &&
      known.picture.width === picture.width &&
      known.picture.height === picture.height;
    if (known && isKnown) return known.picture;
    const made = covering(image, picture, space);
    this.#image = { picture: made, space: key };
    return made;
  }
}
