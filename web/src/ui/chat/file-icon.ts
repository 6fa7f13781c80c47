/** The icon of a file, by its extension: a hint, nothing depends on it. */
import { splitFileName } from "moim-client";
import type { IconName } from "../parts/icon.tsx";

const KINDS: [IconName, RegExp][] = [
  ["fileImage", /^\.(png|jpe?g|gif|webp|avif|heic|svg|bmp|tiff?)$/i],
  ["fileVideo", /^\.(mp4|webm|mov|mkv|avi|m4v)$/i],
  ["fileAudio", /^\.(mp3|m4a|wav|ogg|opus|flac|aac)$/i],
  ["fileArchive", /^\.(zip|7z|rar|gz|xz|zst|tar|bz2|egg|alz)$/i],
  ["fileText", /^\.(txt|md|pdf|docx?|odt|rtf|hwpx?|pptx?|odp|xlsx?|ods|csv|pages|key)$/i],
];

export function fileIcon(name: string): IconName {
  const { extension } = splitFileName(name);
  return KINDS.find(([, pattern]) => pattern.test(extension))?.[0] ?? "file";
}
