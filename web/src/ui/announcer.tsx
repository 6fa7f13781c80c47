/** Live region that announces visible changes to screen readers. */
import {
  createContext,
  type ReactNode,
  use,
  useCallback,
  useEffect,
  useRef,
  useState,
} from "react";
import { enqueue } from "./announcements.ts";
import { VisuallyHidden } from "./parts/visually-hidden.tsx";

type Announce = (text: string) => void;

const AnnouncerContext = createContext<Announce>(() => {});

/** Time between two announcements: a screen reader skips one that is replaced at once. */
const INTERVAL_MS = 1_000;

export function Announcer({ children }: { children: ReactNode }) {
  const [announcement, setAnnouncement] = useState({ text: "", count: 0 });
  const waiting = useRef<string[]>([]);
  const isBusy = useRef(false);
  const next = useCallback(() => {
    const text = waiting.current.shift();
    isBusy.current = text !== undefined;
    if (text === undefined) return;
    setAnnouncement(({ count }) => ({ text, count: count + 1 }));
  }, []);
  // From when it is in the page: a busy page draws one late, and the next one not.
  useEffect(() => {
    if (announcement.count === 0) return;
    const timer = setTimeout(next, INTERVAL_MS);
    return () => clearTimeout(timer);
  }, [announcement, next]);
  const announce = useCallback<Announce>(
    (text) => {
      waiting.current = enqueue(waiting.current, text);
      if (!isBusy.current) next();
    },
    [next],
  );
  return (
    <AnnouncerContext value={announce}>
      {children}
      <VisuallyHidden>
        {/* The attribute keeps it audible while a dialog of React Aria hides what is behind it. */}
        <span aria-live="polite" data-live-announcer="true">
          {/* A new key makes screen readers announce the same text twice in a row. */}
          <span key={announcement.count}>{announcement.text}</span>
        </span>
      </VisuallyHidden>
    </AnnouncerContext>
  );
}

export function useAnnounce(): Announce {
  return use(AnnouncerContext);
}
