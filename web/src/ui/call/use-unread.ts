/** Messages that came while the chat was closed. */
import { useEffect, useRef, useState } from "react";
import type { CallState } from "../../client/index.ts";
import { useAnnounce } from "../announcer.tsx";
import { useSpeech } from "../i18n/context.tsx";
import { distinctName } from "../parts/distinct-name.ts";

export function useUnread(
  { chat, self }: Pick<CallState, "chat" | "self">,
  isOpen: boolean,
  show: (text: string) => void,
): number {
  const { t } = useSpeech();
  const announce = useAnnounce();
  const [unread, setUnread] = useState(0);
  const seen = useRef(chat.at(-1)?.key);
  useEffect(() => {
    const last = chat.findLastIndex(({ key }) => key === seen.current);
    const fresh = chat.slice(last + 1).filter(({ from }) => from !== self.id);
    seen.current = chat.at(-1)?.key;
    if (isOpen) {
      setUnread(0);
      return;
    }
    for (const message of fresh) {
      const from = message.name ? distinctName(message) : t.chat.somebody;
      const said = t.said.wrote(from, message.text);
      announce(said);
      show(said);
    }
    setUnread((count) => count + fresh.length);
  }, [chat, self.id, isOpen, announce, show, t]);
  return unread;
}
