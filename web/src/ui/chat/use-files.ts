import type { Call, CallState, FilesState, ReceivedFile } from "moim-client";
import { useCallback, useEffect, useRef } from "react";
import { useAnnounce } from "../announcer.tsx";
import { useReadable } from "../client-context.ts";
import { clip } from "../parts/clip.ts";
import { useFileTexts } from "../parts/part-texts.ts";
import { fileEventsBetween } from "./file-events.ts";
import { saveBlob } from "./save-blob.ts";

/** Length of a name in a sentence. */
const MAX_NAME = 40;

/**
 * Tells what becomes of files, whether the chat is open or not, and saves each that the user has
 * asked for once it is there.
 */
export function useFileNews(
  call: Call,
  state: Pick<CallState, "status">,
  show: (text: string, kind: "news") => void,
): void {
  const files = useReadable(call.files);
  const t = useFileTexts();
  const announce = useAnnounce();
  const previous = useRef<FilesState>(files);
  useEffect(() => {
    const before = previous.current;
    previous.current = files;
    if (before === files || state.status === "ended") return;
    for (const event of fileEventsBetween(before, files)) {
      const file = clip(event.file, MAX_NAME);
      const text =
        "name" in event
          ? t.announced[event.kind](clip(event.name, MAX_NAME), file)
          : t.announced[event.kind](file);
      announce(text);
      show(text, "news");
      if (event.kind === "received") void save(call, event.received);
    }
  }, [files, call, state.status, announce, show, t]);
}

/** Saves a file that was received. */
export function useSave(call: Call): (received: ReceivedFile) => void {
  return useCallback((received) => void save(call, received), [call]);
}

async function save(call: Call, { file }: ReceivedFile): Promise<void> {
  const content = await call.files.content(file.id);
  if (content) saveBlob(content, file.name);
}
