import type { CallState } from "moim-client";
import { useCallback, useEffect, useRef } from "react";
import { useAnnounce } from "../announcer.tsx";
import { useI18n } from "../i18n/context.tsx";
import { preferences } from "../preferences.ts";
import { type CallEvent, callEventsBetween, callEventText } from "./call-events.ts";
import { CallNews } from "./call-news.ts";
import type { ShowToast } from "./toasts.tsx";

/** Minimum time between two announced reactions: applause would silence everything else. */
const REACTION_INTERVAL_MS = 3_000;

/**
 * Shows and announces call events, such as participants joining and leaving. `onPeople` shows the
 * list of people, in which raised hands have their order.
 */
export function useCallNews(state: CallState, show: ShowToast, onPeople: () => void): void {
  const { t } = useI18n();
  const announce = useAnnounce();
  const previous = useRef<CallState | null>(null);
  const news = useRef(new CallNews());
  const lastReaction = useRef(Number.NEGATIVE_INFINITY);
  const timer = useRef<number | undefined>(undefined);
  const latestOnPeople = useRef(onPeople);
  latestOnPeople.current = onPeople;
  const others = useRef(state.others.length);
  others.current = state.others.length;

  const tell = useCallback(
    (all: readonly CallEvent[]) => {
      const events = all.filter(isTold);
      const announced = events.filter(({ kind }) => {
        if (kind !== "reacted") return true;
        const isSoon = performance.now() - lastReaction.current < REACTION_INTERVAL_MS;
        if (!isSoon) lastReaction.current = performance.now();
        return !isSoon;
      });
      for (const event of announced) announce(callEventText(event, t));
      // The tile shows a reaction, a banner the state of the connection.
      const isShown = ({ kind }: CallEvent) => !ELSEWHERE.includes(kind);
      for (const event of events.filter(isShown)) {
        const isHand = event.kind === "raisedHand";
        const people = { label: t.people.show, run: () => latestOnPeople.current() };
        show(callEventText(event, t), "news", isHand ? people : undefined);
      }
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

/** The user may not want to be told of some. */
function isTold({ kind }: CallEvent): boolean {
  const preference = PREFERENCES[kind];
  return preference === undefined || preferences.read(preference) !== "off";
}

const PREFERENCES: Partial<Record<CallEvent["kind"], "toldComings" | "toldHands">> = {
  joined: "toldComings",
  joinedTogether: "toldComings",
  left: "toldComings",
  raisedHand: "toldHands",
};

const ELSEWHERE: readonly CallEvent["kind"][] = ["reacted", "reconnecting", "reconnected"];
