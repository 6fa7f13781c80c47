/** What the system shows outside the page while nobody sees the page: messages, and who waits. */
import type { CallState, ChatMessage } from "moim-client";
import type { Messages } from "../i18n/en.ts";
import { clip } from "../parts/clip.ts";
import { distinctName } from "../parts/distinct-name.ts";

export interface DesktopNotice {
  /** The panel that it leads to. */
  panel: "chat" | "people";
  text: string;
}

const MAX_NAME = 24;
const MAX_TEXT = 160;

type Snapshot = Pick<CallState, "chat" | "self" | "waiting">;

/** The notices of what is new in `after`, at most one for each panel: the last one counts. */
export function desktopNotices(before: Snapshot, after: Snapshot, t: Messages): DesktopNotice[] {
  const notices: DesktopNotice[] = [];
  const known = new Set(before.waiting.map(({ id }) => id));
  const newcomer = after.waiting.findLast(({ id }) => !known.has(id));
  if (newcomer) {
    const count = after.waiting.length;
    const text =
      count === 1
        ? t.people.wantsToJoin(clip(newcomer.name, MAX_NAME))
        : t.people.manyWantToJoin(count);
    notices.push({ panel: "people", text });
  }
  const message = newMessage(before, after);
  if (message) {
    const from = message.name ? distinctName(message) : t.chat.unknownSender;
    const { wrote, wrotePrivately } = t.announcements;
    const say = message.isPrivate ? wrotePrivately : wrote;
    const text = say(clip(from, MAX_NAME), clip(message.text, MAX_TEXT));
    notices.push({ panel: "chat", text });
  }
  return notices;
}

/** The last message of another participant that came in between. */
function newMessage(before: Snapshot, after: Snapshot): ChatMessage | undefined {
  if (before.chat === after.chat) return undefined;
  const seen = new Set(before.chat.map(({ key }) => key));
  return after.chat.findLast(
    ({ key, from, earlier }) => !seen.has(key) && from !== after.self.id && !earlier,
  );
}
