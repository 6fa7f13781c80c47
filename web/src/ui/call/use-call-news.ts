import { useCallback, useEffect, useRef } from "react";
import type { CallState } from "../../client/index.ts";
import { useAnnounce } from "../announcer.tsx";
import { useI18n } from "../i18n/context.tsx";
import { type CallEvent, callEventsBetween, callEventText } from "./call-events.ts";
import { CallNews } from "./call-news.ts";

/** Minimum time between two announced reactions: applause would silence everything else. */
const REACTION_INTERVAL_MS = 3_000;

/** Shows and announces call events, such as participants joining and leaving. */
export function useCallNews(state: CallState, show: (text: string) => void): void {
  const { t } = useI18n();
  const announce = useAnnounce();
  const previous = useRef<CallState | null>(null);
  const news = useRef(new CallNews());
  const lastReaction = useRef(Number.NEGATIVE_INFINITY);
  const timer = useRef<number | undefined>(undefined);
  const others = useRef(state.others.length);
  others.current = state.others.length;

  const tell = useCallback(
    (events: readonly CallEvent[]) => {
      const announced = events.filter(({ kind }) => {
        if (kind !== "reacted") return true;
        const isSoon = performance.now() - lastReaction.current < REACTION_INTERVAL_MS;
        if (!isSoon) lastReaction.current = performance.now();
        return !isSoon;
      });
      if (announced.length > 0) announce(announced.map((one) => callEventText(one, t)).join(" "));
      // The tile shows a reaction, a banner the state of the connection.
      const isShown = ({ kind }: CallEvent) => !ELSEWHERE.includes(kind);
      for (const event of events.filter(isShown)) show(callEventText(event, t));
    },
    [announce, show, t],
  );

  const latestTell = useRef(tell);
  latestTell.current = tell;
  const schedule = useCallback(() => {
    clearTimeout(timer.current);
    const { dueAt } = news.current;
    if (dueAt === null) return;
    timer.current = window.setTimeout(() => {
      latestTell.current(news.current.take(performance.now(), others.current));
      schedule();
    }, dueAt - performance.now());
  }, []);
  useEffect(() => () => clearTimeout(timer.current), []);

  useEffect(() => {
    const before = previous.current;
    previous.current = state;
    if (!before) announce(t.announcements.joinedCall(state.room.name));
    if (!before || before === state) return;
    const events = callEventsBetween(before, state);
    if (events.length === 0) return;
    tell(news.current.add(events, performance.now()));
    schedule();
  }, [state, t, announce, tell, schedule]);
}

const ELSEWHERE: readonly CallEvent["kind"][] = ["reacted", "reconnecting", "reconnected"];
