/** Pictures that may be shown, by their first bytes: never by what their sender claims. */

/** Bytes at the beginning of a file that tell. */
export const HEAD_BYTES = 64 << 10;
/** A picture of more pixels would fill the memory. */
const MAX_PIXELS = 50_000_000;
/** Larger files are not decoded. */
export const MAX_IMAGE_BYTES = 30_000_000;

type ImageType = "image/png" | "image/jpeg" | "image/gif" | "image/webp";

/** Type of a raster picture of bearable size; null for everything else, SVG included. */
export function imageType(head: Uint8Array): ImageType | null {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const size = sizeOf(view);
  if (!size) return null;
  const { type, width, height } = size;
  return width > 0 && height > 0 && width * height <= MAX_PIXELS ? type : null;
}

interface ImageSize {
  type: ImageType;
  width: number;
  height: number;
}

function sizeOf(view: DataView): ImageSize | null {
  try {
    return pngSize(view) ?? gifSize(view) ?? webpSize(view) ?? jpegSize(view);
  } catch {
    return null; // cut short
  }
}

function text(view: DataView, at: number, length: number): string {
  let characters = "";
  for (let i = 0; i < length; i++) characters += String.fromCharCode(view.getUint8(at + i));
  return characters;
}

function pngSize(view: DataView): ImageSize | null {
  if (text(view, 0, 8) !== "\x89PNG\r\n\x1a\n" || text(view, 12, 4) !== "IHDR") return null;
  return { type: "image/png", width: view.getUint32(16), height: view.getUint32(20) };
}

function gifSize(view: DataView): ImageSize | null {
  if (!/^GIF8[79]a$/.test(text(view, 0, 6))) return null;
  return { type: "image/gif", width: view.getUint16(6, true), height: view.getUint16(8, true) };
}

function webpSize(view: DataView): ImageSize | null {
  if (text(view, 0, 4) !== "RIFF" || text(view, 8, 4) !== "WEBP") return null;
  const type = "image/webp";
  const three = (at: number) => view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
  switch (text(view, 12, 4)) {
    case "VP8X":
      return { type, width: three(24) + 1, height: three(27) + 1 };
    case "VP8L": {
      const bits = view.getUint32(21, true);
      return { type, width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case "VP8 ":
      return {
        type,
        width: view.getUint16(26, true) & 0x3fff,
        height: view.getUint16(28, true) & 0x3fff,
      };
    default:
      return null;
  }
}

/** The frame header (SOFn) behind any number of other segments. */
function jpegSize(view: DataView): ImageSize | null {
  if (view.getUint16(0) !== 0xffd8) return null;
  for (let at = 2; ; at += 2 + view.getUint16(at + 2)) {
    if (view.getUint8(at) !== 0xff) return null;
    const marker = view.getUint8(at + 1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) {
      const [height, width] = [view.getUint16(at + 5), view.getUint16(at + 7)];
      return { type: "image/jpeg", width, height };
    }
  }
}
