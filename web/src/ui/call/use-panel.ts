import { useState } from "react";

const PANELS = ["chat", "people", "info", "connection"] as const;

export type PanelName = (typeof PANELS)[number];

const KEY = "moim.panel";

/** The one open panel, for as long as the tab shows this room. */
export function usePanel(room: string) {
  const [state, setState] = useState(() => ({ panel: load(room), isRestored: true }));
  const set = (panel: PanelName | null) => {
    save(room, panel);
    setState({ panel, isRestored: false });
  };
  const close = () => {
    if (state.panel) focusOpener(state.panel);
    set(null);
  };
  return {
    panel: state.panel,
    /** It was open before a reload: it takes no focus, as nobody asked for it just now. */
    isRestored: state.isRestored,
    open: set,
    close,
    toggle: (panel: PanelName) => (state.panel === panel ? close() : set(panel)),
  };
}

/** Attribute of a control that opens panels: their names. */
export function opens(...panels: readonly PanelName[]): { "data-opens": string } {
  return { "data-opens": panels.join(" ") };
}

/** Focus returns to the control from which the panel opens. */
function focusOpener(panel: PanelName): void {
  document.querySelector<HTMLElement>(`[data-opens~="${panel}"]`)?.focus();
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
