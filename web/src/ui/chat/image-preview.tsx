import type { Call, SharedFile } from "moim-client";
import { useEffect, useRef, useState } from "react";
import { useFileTexts } from "../parts/part-texts.ts";
import styles from "./file-card.module.css";
import { HEAD_BYTES, imageType, MAX_IMAGE_BYTES } from "./image-kind.ts";

/** Largest side in pixels; enough for a panel at double density. */
const MAX_SIDE = 560;

/**
 * A small picture of a file that was received. It is decoded to pixels and drawn: neither markup nor
 * an address of the file gets into the page.
 */
export function ImagePreview({ call, file }: { call: Call; file: SharedFile }) {
  const t = useFileTexts();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [bitmap, setBitmap] = useState<ImageBitmap | null>(null);
  useEffect(() => {
    let isGone = false;
    void decode(call, file).then((decoded) => {
      if (isGone) decoded?.close();
      else setBitmap(decoded);
    });
    return () => {
      isGone = true;
    };
  }, [call, file]);
  useEffect(() => {
    if (!bitmap || !canvas.current) return;
    canvas.current.width = bitmap.width;
    canvas.current.height = bitmap.height;
    canvas.current.getContext("2d")?.drawImage(bitmap, 0, 0);
    return () => bitmap.close();
  }, [bitmap]);
  if (!bitmap) return null;
  return (
    <canvas
      ref={canvas}
      className={styles.preview}
      role="img"
      aria-label={t.preview(file.name)}
      data-testid="file-preview"
    />
  );
}

async function decode(call: Call, file: SharedFile): Promise<ImageBitmap | null> {
  if (file.size > MAX_IMAGE_BYTES) return null;
  try {
    const content = await call.files.content(file.id);
    if (!content) return null;
    const type = imageType(new Uint8Array(await content.slice(0, HEAD_BYTES).arrayBuffer()));
    if (!type) return null;
    const whole = await createImageBitmap(content.slice(0, content.size, type));
    const scale = Math.min(1, MAX_SIDE / Math.max(whole.width, whole.height));
    if (scale === 1) return whole;
    const resized = await createImageBitmap(whole, {
      resizeWidth: Math.max(1, Math.round(whole.width * scale)),
      resizeHeight: Math.max(1, Math.round(whole.height * scale)),
      resizeQuality: "medium",
    });
    whole.close();
    return resized;
  } catch {
    return null; // no picture after all
  }
}
