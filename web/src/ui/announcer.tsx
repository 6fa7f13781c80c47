/** Says to screen readers what others see happen. */
import { createContext, type ReactNode, use, useCallback, useState } from "react";
import { Hidden } from "./parts/hidden.tsx";

type Announce = (text: string) => void;

const AnnouncerContext = createContext<Announce>(() => {});

export function Announcer({ children }: { children: ReactNode }) {
  const [said, setSaid] = useState({ text: "", turn: 0 });
  const announce = useCallback<Announce>((text) => {
    setSaid(({ turn }) => ({ text, turn: turn + 1 }));
  }, []);
  return (
    <AnnouncerContext value={announce}>
      {children}
      <Hidden>
        <span aria-live="polite">
          {/* The key makes the same words twice in a row be said twice. */}
          <span key={said.turn}>{said.text}</span>
        </span>
      </Hidden>
    </AnnouncerContext>
  );
}

export function useAnnounce(): Announce {
  return use(AnnouncerContext);
}
