/** What the page remembers on this device; forgetting (private windows) is no error. */

interface Remembered {
  name: string;
  language: string;
  camera: string;
  mic: string;
  speaker: string;
  /** "off" where the person last chose to come without. */
  cameraOn: string;
  micOn: string;
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
