import { type KeyboardEvent, useState } from "react";
import { keyOf } from "./use-touch.ts";

const STEPS: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  ArrowUp: -1,
  ArrowRight: 1,
  ArrowDown: 1,
};

/** The tiles are one stop for Tab; arrow keys move between those in sight that have actions. */
export function useArrowKeys(keys: readonly string[]) {
  const [focused, setFocused] = useState<string | null>(null);
  const tabStop = focused !== null && keys.includes(focused) ? focused : (keys[0] ?? null);
  return {
    tabStop,
    onFocus: ({ target }: { target: EventTarget }) => setFocused(keyOf(target)),
    onKeyDown: (event: KeyboardEvent<HTMLUListElement>) => {
      const step = STEPS[event.key];
      if (step === undefined || event.defaultPrevented) return;
      const cells = [...event.currentTarget.querySelectorAll<HTMLElement>("[data-key]")].filter(
        (cell) =>
          keys.includes(cell.dataset.key ?? "") &&
          cell.querySelector("[data-tile-action]") !== null,
      );
      const current = cells.findIndex((cell) => cell.dataset.key === keyOf(event.target));
      const next = cells[(current + step + cells.length) % cells.length];
      if (current < 0 || !next || cells.length < 2) return;
      event.preventDefault();
      next.querySelector<HTMLElement>("[data-tile-action]")?.focus();
    },
  };
}
