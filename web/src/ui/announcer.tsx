/** Live region that announces visible changes to screen readers. */
import { createContext, type ReactNode, use, useCallback, useState } from "react";
import { VisuallyHidden } from "./parts/visually-hidden.tsx";

type Announce = (text: string) => void;

const AnnouncerContext = createContext<Announce>(() => {});

export function Announcer({ children }: { children: ReactNode }) {
  const [announcement, setAnnouncement] = useState({ text: "", count: 0 });
  const announce = useCallback<Announce>((text) => {
    setAnnouncement(({ count }) => ({ text, count: count + 1 }));
  }, []);
  return (
    <AnnouncerContext value={announce}>
      {children}
      <VisuallyHidden>
        <span aria-live="polite">
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
