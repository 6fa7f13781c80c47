import { useEffect, useRef, useState } from "react";
import { type Poll, startPoll } from "../../admin/poll.ts";
import { useAdminApi } from "./admin-context.ts";

export interface Polled<T> {
  /** The last answer; null before the first. */
  value: T | null;
  /** The server does not answer just now. */
  isFailing: boolean;
  /** Asks at once, as after a change. */
  refresh: () => void;
}

/** Polls a path of the server while the page is visible. */
export function usePoll<T>(path: string): Polled<T> {
  const api = useAdminApi();
  const [value, setValue] = useState<T | null>(null);
  const [isFailing, setFailing] = useState(false);
  const poll = useRef<Poll | null>(null);
  useEffect(() => {
    const started = startPoll<T>({
      ask: (tag) => api.getIfChanged<T>(path, tag),
      onValue: setValue,
      onError: (error) => setFailing(error !== null),
      isVisible: () => document.visibilityState === "visible",
    });
    poll.current = started;
    document.addEventListener("visibilitychange", started.visibilityChanged);
    return () => {
      document.removeEventListener("visibilitychange", started.visibilityChanged);
      started.stop();
    };
  }, [api, path]);
  return { value, isFailing, refresh: () => poll.current?.now() };
}
