import type { CallState, Poll } from "moim-client";
import { useEffect, useRef } from "react";
import { useAnnounce } from "../announcer.tsx";
import { clip } from "../parts/clip.ts";
import { usePollTexts } from "../parts/part-texts.ts";
import type { ShowToast } from "./toasts.tsx";

/** Length of a question in a notice; the panel has the whole one. */
const MAX_QUESTION = 80;

/** Number of open polls in which this participant has not voted. */
export function pendingPolls(polls: readonly Poll[]): number {
  return polls.filter(({ closed, mine }) => !closed && mine.length === 0).length;
}

/** A poll that has been opened or closed since. Those that a newcomer finds open are news to it. */
export function pollNews(before: readonly Poll[], after: readonly Poll[]): readonly Poll[] {
  return after.filter((poll) => {
    const known = before.find(({ id }) => id === poll.id);
    return known ? poll.closed && !known.closed : !poll.closed && poll.mine.length === 0;
  });
}

/** Shows and announces polls that open and close. `onShow` shows the polls. */
export function usePollNews(
  { polls }: Pick<CallState, "polls">,
  isOpen: boolean,
  show: ShowToast,
  onShow: () => void,
): void {
  const pollTexts = usePollTexts();
  const announce = useAnnounce();
  const previous = useRef<readonly Poll[]>([]);
  const latestOnShow = useRef(onShow);
  latestOnShow.current = onShow;
  useEffect(() => {
    const news = pollNews(previous.current, polls);
    previous.current = polls;
    for (const { question, closed } of news) {
      const text = (closed ? pollTexts.ended : pollTexts.opened)(clip(question, MAX_QUESTION));
      announce(text);
      const action = { label: pollTexts.show, run: () => latestOnShow.current() };
      if (!isOpen) show(text, "news", action);
    }
  }, [polls, isOpen, pollTexts, announce, show]);
}
