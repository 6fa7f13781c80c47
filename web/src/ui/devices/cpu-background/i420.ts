/** Frames in main memory as I420: a plane of brightness, and two of colour at half its size. */

export interface I420 {
  readonly width: number;
  readonly height: number;
  /** All planes, one behind the other. */
  readonly data: Uint8Array<ArrayBuffer>;
  readonly y: Uint8Array<ArrayBuffer>;
  readonly u: Uint8Array<ArrayBuffer>;
  readonly v: Uint8Array<ArrayBuffer>;
}

/** Relation of I420 to RGB. */
export interface ColourSpace {
  readonly matrix: "bt709" | "smpte170m";
  readonly fullRange: boolean;
}

/** The one that decoders of WebRTC assume if a frame says nothing else. */
export const DEFAULT_COLOUR_SPACE: ColourSpace = { matrix: "smpte170m", fullRange: false };

export function colourSpaceOf({ matrix, fullRange }: VideoColorSpace): ColourSpace {
  return { matrix: matrix === "bt709" ? "bt709" : "smpte170m", fullRange: fullRange === true };
}

export const chroma = (length: number): number => (length + 1) >> 1;

export function newI420(width: number, height: number): I420 {
  const luma = width * height;
  const colour = chroma(width) * chroma(height);
  const data = new Uint8Array(luma + 2 * colour);
  return {
    width,
    height,
    data,
    y: data.subarray(0, luma),
    u: data.subarray(luma, luma + colour),
    v: data.subarray(luma + colour),
  };
}

/** Splits the two planes of colour that NV12 stores as pairs. */
export function splitPairs(pairs: Uint8Array, u: Uint8Array, v: Uint8Array): void {
  for (let i = 0; i < u.length; i++) {
    u[i] = pairs[2 * i] as number;
    v[i] = pairs[2 * i + 1] as number;
  }
}

/** Means of `factor` × `factor` pixels of a plane. */
export function shrink(
  from: { readonly plane: Uint8Array; readonly width: number },
  to: { readonly plane: Uint8Array; readonly width: number; readonly height: number },
  factor: number,
): void {
  const count = factor * factor;
  for (let y = 0; y < to.height; y++) {
    for (let x = 0; x < to.width; x++) {
      let sum = count >> 1;
      for (let dy = 0; dy < factor; dy++) {
        const at = (y * factor + dy) * from.width + x * factor;
        for (let dx = 0; dx < factor; dx++) sum += from.plane[at + dx] as number;
      }
      to.plane[y * to.width + x] = sum / count;
    }
  }
}

/** Writes pixels of RGBA into a frame of the same even size. */
export function fromRgba(rgba: Uint8ClampedArray, frame: I420, space: ColourSpace): void {
  const { width, height, y, u, v } = frame;
  const red = space.matrix === "bt709" ? 0.2126 : 0.299;
  const blue = space.matrix === "bt709" ? 0.0722 : 0.114;
  const green = 1 - red - blue;
  const [scale, offset] = space.fullRange ? [1, 0] : [219 / 255, 16];
  const chromaScale = space.fullRange ? 1 : 224 / 255;
  const toU = chromaScale / (2 * (1 - blue));
  const toV = chromaScale / (2 * (1 - red));
  const pixels = rgba as ArrayLike<number>;
  let colourAt = 0;
  for (let row = 0; row < height; row += 2) {
    for (let column = 0; column < width; column += 2) {
      let r4 = 0;
      let g4 = 0;
      let b4 = 0;
      for (let i = 0; i < 4; i++) {
        const at = (row + (i >> 1)) * width + column + (i & 1);
        const r = pixels[4 * at] as number;
        const g = pixels[4 * at + 1] as number;
        const b = pixels[4 * at + 2] as number;
        y[at] = (red * r + green * g + blue * b) * scale + offset + 0.5;
        r4 += r;
        g4 += g;
        b4 += b;
      }
      const luma = red * r4 + green * g4 + blue * b4;
      u[colourAt] = ((b4 - luma) / 4) * toU + 128.5;
      v[colourAt] = ((r4 - luma) / 4) * toV + 128.5;
      colourAt++;
    }
  }
}
