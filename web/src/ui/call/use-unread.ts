/** Counts and announces messages that arrive while the chat is closed. */

import type { CallState } from "moim-client";
import { startTransition, useEffect, useRef, useState } from "react";
import { useAnnounce } from "../announcer.tsx";
import { fileSize } from "../chat/file-size.ts";
import { useI18n } from "../i18n/context.tsx";
import { clip } from "../parts/clip.ts";
import { distinctName } from "../parts/distinct-name.ts";
import { useFileTexts } from "../parts/part-texts.ts";
import { preferences } from "../preferences.ts";

export function useUnread(
  { chat, self }: Pick<CallState, "chat" | "self">,
  isOpen: boolean,
  show: (text: string, kind: "message") => void,
): number {
  const { t, language } = useI18n();
  const { announced } = useFileTexts();
  const announce = useAnnounce();
  const [unread, setUnread] = useState(0);
  const count = useRef(0);
  const lastSeen = useRef(chat.at(-1)?.key);
  useEffect(() => {
    const last = chat.findLastIndex(({ key }) => key === lastSeen.current);
    const added = chat.slice(last + 1).filter(({ from, earlier }) => from !== self.id && !earlier);
    lastSeen.current = chat.at(-1)?.key;
    // A transition: in a burst of messages React takes updates of every effect for an endless loop.
    const update = (next: number) => {
      if (next === count.current) return;
      count.current = next;
      startTransition(() => setUnread(next));
    };
    if (isOpen) {
      update(0);
      return;
    }
    const isTold = preferences.read("toldMessages") !== "off";
    for (const message of isTold ? added : []) {
      const from = message.name ? distinctName(message) : t.chat.unknownSender;
      const { wrote, wrotePrivately } = t.announcements;
      const { file, isPrivate } = message;
      const text = file
        ? (isPrivate ? announced.offeredPrivately : announced.offered)(
            clip(from, 24),
            clip(file.name, 60),
            fileSize(file.size, language),
          )
        : (isPrivate ? wrotePrivately : wrote)(clip(from, 24), message.text);
      announce(text);
      show(text, "message");
    }
    update(count.current + added.length);
  }, [chat, self.id, isOpen, announce, show, t, announced, language]);
  return unread;
}
