import { safeFileName } from "moim-client";

/** Time in which a browser begins to read what it was told to save. */
const REVOKE_AFTER_MS = 60_000;

/**
 * Saves a file under its name. It is never opened: its type is that of unknown bytes, and a link
 * with `download` shows nothing.
 */
export function saveBlob(content: Blob, name: string): void {
  const url = URL.createObjectURL(content.slice(0, content.size, "application/octet-stream"));
  const link = document.createElement("a");
  link.href = url;
  link.download = safeFileName(name);
  link.hidden = true;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), REVOKE_AFTER_MS);
}
