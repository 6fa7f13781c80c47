import { useRef, useState } from "react";

const PANELS = ["chat", "people", "polls", "info", "connection"] as const;

export type PanelName = (typeof PANELS)[number];

const KEY = "moim.panel";

/** The one open panel, for as long as the tab shows this room. */
export function usePanel(room: string) {
  const [state, setState] = useState(() => ({ panel: load(room), isRestored: true }));
  const opener = useRef<Element | null>(null);
  const set = (panel: PanelName | null) => {
    save(room, panel);
    setState({ panel, isRestored: false });
  };
  const open = (panel: PanelName) => {
    opener.current = document.activeElement;
    set(panel);
  };
  const close = () => {
    if (state.panel) focusOpener(state.panel, opener.current);
    set(null);
  };
  return {
    panel: state.panel,
    /** It was open before a reload: it takes no focus, as nobody asked for it just now. */
    isRestored: state.isRestored,
    open,
    close,
    toggle: (panel: PanelName) => (state.panel === panel ? close() : open(panel)),
  };
}

/** Attribute of a control that opens panels: their names. */
export function opens(...panels: readonly PanelName[]): { "data-opens": string } {
  return { "data-opens": panels.join(" ") };
}

/** Focus returns to the control by which the panel was opened; to another one if that was in a menu. */
function focusOpener(panel: PanelName, opener: Element | null): void {
  const opens = `[data-opens~="${panel}"]`;
  const isThere = opener?.isConnected && opener.matches(opens);
  const control = isThere ? opener : document.querySelector(opens);
  if (control instanceof HTMLElement) control.focus();
}

function load(room: string): PanelName | null {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    const { panel, room: of } = (stored ?? {}) as { panel?: unknown; room?: unknown };
    return of === room ? (PANELS.find((each) => each === panel) ?? null) : null;
  } catch {
    return null;
  }
}

function save(room: string, panel: PanelName | null): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ room, panel }));
  } catch {
    // Storage is forbidden: the panel stays as long as the page.
  }
}
