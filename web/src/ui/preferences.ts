/** Preferences in `localStorage`. Storage that is unavailable (private windows) is not an error. */

/** Maximum length of a participant's or room's name, as enforced by the server. */
export const MAX_NAME_LENGTH = 64;

interface Preferences {
  name: string;
  language: string;
  /** "off" if the user last chose to join without it. */
  camera: string;
  microphone: string;
  /** Layout of a call: "speaker" or "grid". */
  view: string;
}

const PREFIX = "moim.";

export const preferences = {
  read(key: keyof Preferences): string | undefined {
    try {
      return localStorage.getItem(PREFIX + key) ?? undefined;
    } catch {
      return undefined;
    }
  },

  write(key: keyof Preferences, value: string): void {
    try {
      localStorage.setItem(PREFIX + key, value);
    } catch {
      // Storage is full or forbidden: the page works without it.
    }
  },
};
