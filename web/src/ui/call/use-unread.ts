/** Counts and announces messages that arrive while the chat is closed. */
import { useEffect, useRef, useState } from "react";
import type { CallState } from "../../client/index.ts";
import { useAnnounce } from "../announcer.tsx";
import { useI18n } from "../i18n/context.tsx";
import { distinctName } from "../parts/distinct-name.ts";

export function useUnread(
  { chat, self }: Pick<CallState, "chat" | "self">,
  isOpen: boolean,
  show: (text: string) => void,
): number {
  const { t } = useI18n();
  const announce = useAnnounce();
  const [unread, setUnread] = useState(0);
  const lastSeen = useRef(chat.at(-1)?.key);
  useEffect(() => {
    const last = chat.findLastIndex(({ key }) => key === lastSeen.current);
    const added = chat.slice(last + 1).filter(({ from }) => from !== self.id);
    lastSeen.current = chat.at(-1)?.key;
    if (isOpen) {
      setUnread(0);
      return;
    }
    for (const message of added) {
      const from = message.name ? distinctName(message) : t.chat.unknownSender;
      const text = t.announcements.wrote(from, message.text);
      announce(text);
      show(text);
    }
    setUnread((count) => count + added.length);
  }, [chat, self.id, isOpen, announce, show, t]);
  return unread;
}
