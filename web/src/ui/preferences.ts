/** What the page remembers on this device; forgetting (private windows) is no error. */

/** The most characters that the server takes for a name, of a person or a room. */
export const MAX_NAME = 64;

interface Remembered {
  name: string;
  language: string;
  /** "off" where the person last chose to come without. */
  camera: string;
  microphone: string;
  /** How the people in a call are arranged: "speaker" or "grid". */
  view: string;
}

const PREFIX = "moim.";

export const preferences = {
  read(key: keyof Remembered): string | undefined {
    try {
      return localStorage.getItem(PREFIX + key) ?? undefined;
    } catch {
      return undefined;
    }
  },

  write(key: keyof Remembered, value: string): void {
    try {
      localStorage.setItem(PREFIX + key, value);
    } catch {
      // Storage is full or forbidden: the page works, it only won't remember.
    }
  },
};
