/** Preferences in `localStorage`. Storage that is unavailable (private windows) is not an error. */

/** Maximum length of a participant's or room's name, as enforced by the server. */
export const MAX_NAME_LENGTH = 64;

interface Preferences {
  name: string;
  language: string;
  /** "off" if the user last chose to join without it. */
  camera: string;
  microphone: string;
  /** Layout of a call: "auto", "grid", "speaker" or "side" (side by side). */
  view: string;
  /** "off" if one's own video is not shown as in a mirror. */
  mirror: string;
  /** "hidden" if one's own video is not shown during a call, "floating" if always above the others. */
  self: string;
  /** "hidden" if people without camera have no tile. */
  cameraless: string;
  /** Corner of the stage in which one's own video floats. */
  corner: string;
  /** Width (px) of the side panel of a call. */
  panelWidth: string;
}

export type PreferenceKey = keyof Preferences;

const PREFIX = "moim.";

const listeners = new Set<() => void>();

export const preferences = {
  read(key: PreferenceKey): string | undefined {
    try {
      return localStorage.getItem(PREFIX + key) ?? undefined;
    } catch {
      return undefined;
    }
  },

  write(key: PreferenceKey, value: string): void {
    try {
      localStorage.setItem(PREFIX + key, value);
    } catch {
      // Storage is full or forbidden: the page works without it.
    }
    for (const listener of [...listeners]) listener();
  },

  /** Calls `listener` after each change by this page, until the returned function is called. */
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};
