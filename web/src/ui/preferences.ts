/**
 * The user's choices, one entry of `localStorage` each (`moim.KEY`), shared by all tabs. An entry of
 * another version of the page that this one does not understand counts as no choice; a choice whose
 * values change their meaning gets another key. Where nothing can be stored (private windows),
 * choices last as long as the page.
 */

/** Maximum length of a participant's or room's name, as enforced by the server. */
export const MAX_NAME_LENGTH = 64;

/** Reads what is stored of a choice; undefined if it is none of its values. */
type Reader<T> = (stored: string) => T | undefined;

const text: Reader<string> = (stored) => stored;

const number: Reader<number> = (stored) => {
  const value = Number(stored);
  return stored.trim() === "" || !Number.isFinite(value) ? undefined : value;
};

const oneOf =
  <T extends string>(...values: readonly T[]): Reader<T> =>
  (stored) =>
    values.find((value) => value === stored);

const onOff = oneOf("on", "off");

const READERS = {
  name: text,
  language: text,
  /** True if the user last chose to join with it. */
  camera: onOff,
  microphone: onOff,
  /** Layout of a call. */
  view: oneOf("auto", "grid", "speaker", "side"),
  /** True if one's own video is shown as in a mirror. */
  mirror: onOff,
  /** The place of one's own video during a call; floating: always above the others. */
  self: oneOf("shown", "floating", "hidden"),
  /** True if people without camera have a tile. */
  cameraless: oneOf("shown", "hidden"),
  /** Corner of the stage in which one's own video floats. */
  corner: text,
  /** Width (px) of the side panel of a call. */
  panelWidth: number,
  /** Colours; those of the system if there is no choice. */
  theme: oneOf("system", "light", "dark"),
  /** True if movement is reduced; the system's setting if there is no choice. */
  motion: oneOf("system", "reduced"),
  /** True if it is shown and announced that people come, go and raise a hand. */
  toldComings: onOff,
  toldHands: onOff,
  /** True if messages are shown and read while the chat is closed. */
  toldMessages: onOff,
  /** Whether the system shows messages and people who wait while the page is hidden. */
  toldOutside: onOff,
  /** Suppression of noise from the microphone. */
  noise: oneOf("off", "browser", "strong"),
  /** True if the browser evens out the microphone's volume. */
  autoGain: onOff,
  /** True if the microphone picks up music, without processing. */
  music: onOff,
  /** True if the microphone is on only while a key is held. */
  pushToTalk: onOff,
  /** What stands behind the person in the own picture: as it is, blurred, or a picture. */
  background: oneOf("none", "slight", "strong", "room", "hills", "lights"),
  /**
   * Whether hints are shown: about speech while muted, a silent microphone, a weak upload, a
   * background that makes the picture stutter.
   */
  mutedHint: onOff,
  silentHint: onOff,
  uploadHint: onOff,
  slowHint: onOff,
  /** The media to receive: everything, small videos or sound only. */
  receive: oneOf("all", "less", "sound"),
  /** Limit of the camera that is sent. */
  send: oneOf("auto", "low", "saver"),
} satisfies Record<string, Reader<string | number>>;

export type PreferenceKey = keyof typeof READERS;

export type Preference<K extends PreferenceKey> = NonNullable<ReturnType<(typeof READERS)[K]>>;

const PREFIX = "moim.";

const listeners = new Set<() => void>();

/** Values written since the page was loaded. */
const unstored = new Map<PreferenceKey, string>();

export const preferences = {
  read<K extends PreferenceKey>(key: K): Preference<K> | undefined {
    const stored = load(key) ?? unstored.get(key);
    return stored === undefined ? undefined : (READERS[key](stored) as Preference<K> | undefined);
  },

  write<K extends PreferenceKey>(key: K, value: Preference<K>): void {
    unstored.set(key, String(value));
    try {
      localStorage.setItem(PREFIX + key, String(value));
    } catch {
      // Storage is full or forbidden: the page works without it.
    }
    tell();
  },

  /** Calls `listener` after each change, by other tabs as well, until the returned function is called. */
  subscribe(listener: () => void): () => void {
    if (listeners.size === 0) globalThis.addEventListener?.("storage", onStorage);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) globalThis.removeEventListener?.("storage", onStorage);
    };
  },
};

function load(key: PreferenceKey): string | undefined {
  try {
    return localStorage.getItem(PREFIX + key) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Another tab has changed an entry, or all of them (`key` is null then). */
function onStorage({ key }: Pick<StorageEvent, "key">): void {
  if (key !== null && !key.startsWith(PREFIX)) return;
  // What is stored counts from now on, also that it is no longer there.
  unstored.clear();
  tell();
}

function tell(): void {
  for (const listener of [...listeners]) listener();
}
