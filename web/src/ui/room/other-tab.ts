/**
 * Tabs of this browser that are in calls. Two open microphones of one device howl in the same call,
 * and are heard in both of two calls, so the second tab asks first. Web Locks tell which tabs are
 * there, also after one has crashed.
 */
import type { LocalMedia } from "moim-client";

/** Time for the other tab to leave or to mute itself. A frozen one can't. */
const ANSWER_TIMEOUT_MS = 3_000;
const CALL = "moim.call ";
const MICROPHONE = "moim.microphone ";

export interface TabPlatform {
  locks: Pick<LockManager, "query" | "request"> | undefined;
  createChannel: () => Pick<BroadcastChannel, "postMessage" | "close"> & {
    onmessage: BroadcastChannel["onmessage"];
  };
}

export class CallTabs {
  readonly #platform: TabPlatform;
  readonly #room: string;

  constructor(platform: TabPlatform, room: string) {
    this.#platform = platform;
    this.#room = room;
  }

  /** Another tab is in the call. */
  async isElsewhere(): Promise<boolean> {
    return (await this.#held()).includes(CALL + this.#room);
  }

  /** Other rooms in whose calls the microphone is on, in other tabs. */
  async microphonesElsewhere(): Promise<string[]> {
    const names = (await this.#held()).filter((name) => name.startsWith(MICROPHONE));
    const rooms = new Set(names.map((name) => name.slice(MICROPHONE.length)));
    rooms.delete(this.#room);
    return [...rooms];
  }

  /** This tab is in the call until the returned function is called. */
  hold(onMove: () => void): () => void {
    return this.#hold(CALL + this.#room, onMove);
  }

  /** The microphone is heard in the call whenever it is on, until the returned function is called. */
  holdMicrophone(
    media: Pick<LocalMedia, "getSnapshot" | "subscribe" | "setMicrophone">,
  ): () => void {
    let release: (() => void) | null = null;
    const update = () => {
      const { on } = media.getSnapshot().microphone;
      if (on) {
        release ??= this.#hold(MICROPHONE + this.#room, () => void media.setMicrophone(false));
      } else {
        release?.();
        release = null;
      }
    };
    const unsubscribe = media.subscribe(update);
    update();
    return () => {
      unsubscribe();
      release?.();
    };
  }

  /** Asks the other tabs to leave, and waits for it. */
  moveHere(): Promise<void> {
    return this.#ask(CALL + this.#room);
  }

  /** Asks tabs in other calls to turn their microphones off, and waits for it. */
  async muteElsewhere(): Promise<void> {
    const rooms = await this.microphonesElsewhere();
    await Promise.all(rooms.map((room) => this.#ask(MICROPHONE + room)));
  }

  async #held(): Promise<string[]> {
    try {
      const { held = [] } = (await this.#platform.locks?.query()) ?? {};
      return held.flatMap(({ name }) => name ?? []);
    } catch {
      return [];
    }
  }

  #hold(name: string, onAsked: () => void): () => void {
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    void this.#platform.locks?.request(name, { mode: "shared" }, () => released).catch(() => {});
    const channel = this.#platform.createChannel();
    channel.onmessage = ({ data }) => {
      if (data === name) onAsked();
    };
    return () => {
      channel.close();
      release();
    };
  }

  /** Asks the tabs that hold a lock to release it, and waits for it. */
  async #ask(name: string): Promise<void> {
    const channel = this.#platform.createChannel();
    channel.postMessage(name);
    try {
      const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
      await this.#platform.locks?.request(name, { mode: "exclusive", signal }, () => {});
    } catch {
      // Both go on then, which is better than neither.
    } finally {
      channel.close();
    }
  }
}

export function pageTabs(room: string): CallTabs {
  const createChannel = () => new BroadcastChannel("moim.call");
  return new CallTabs({ locks: navigator.locks, createChannel }, room);
}
