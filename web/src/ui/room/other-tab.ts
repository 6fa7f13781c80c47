/**
 * Tabs of this browser that are in the same call. Two open microphones of one device howl, so the
 * second tab asks first. Web Locks tell which tabs are there, also after one has crashed.
 */

/** Time for the other tab to leave. A frozen one can't. */
const MOVE_TIMEOUT_MS = 3_000;

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
    try {
      const { held = [] } = (await this.#platform.locks?.query()) ?? {};
      return held.some(({ name }) => name === this.#name);
    } catch {
      return false;
    }
  }

  /** This tab is in the call until the returned function is called. */
  hold(onMove: () => void): () => void {
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    void this.#platform.locks
      ?.request(this.#name, { mode: "shared" }, () => released)
      .catch(() => {});
    const channel = this.#platform.createChannel();
    channel.onmessage = ({ data }) => {
      if (data === this.#name) onMove();
    };
    return () => {
      channel.close();
      release();
    };
  }

  /** Asks the other tabs to leave, and waits for it. */
  async moveHere(): Promise<void> {
    const channel = this.#platform.createChannel();
    channel.postMessage(this.#name);
    try {
      const signal = AbortSignal.timeout(MOVE_TIMEOUT_MS);
      await this.#platform.locks?.request(this.#name, { mode: "exclusive", signal }, () => {});
    } catch {
      // Both are in the call then, which is better than neither.
    } finally {
      channel.close();
    }
  }

  get #name(): string {
    return `moim.call ${this.#room}`;
  }
}

export function pageTabs(room: string): CallTabs {
  const createChannel = () => new BroadcastChannel("moim.call");
  return new CallTabs({ locks: navigator.locks, createChannel }, room);
}
