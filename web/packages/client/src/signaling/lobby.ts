// The live list of rooms.
import type { Lobby, LobbyState } from "../api.ts";
import type { CreateRoom, RoomSummary } from "../protocol.ts";
import { Store } from "../store.ts";
import type { Signaling } from "./signaling.ts";

/** The server's policy (`--list`), as long as it stands. */
const REFUSALS: ReadonlySet<string> = new Set(["api_only", "sign_in_required"]);

/** Requests the list while it is open, and again after each reconnection. */
export class LiveLobby implements Lobby {
  readonly #signaling: Signaling;
  readonly #state = new Store<LobbyState>({
    loaded: false,
    rooms: [],
    isShown: true,
    templates: [],
  });
  readonly #device: string;
  #openCount = 0;

  /** `device` makes this browser the host of the rooms that it creates. */
  constructor(signaling: Signaling, device: string) {
    this.#signaling = signaling;
    this.#device = device;
    signaling.on("room:list", ({ rooms }) => {
      this.#state.set({ ...this.getSnapshot(), loaded: true, rooms });
    });
    signaling.onConnected(() => {
      if (this.#openCount > 0) this.#load();
    });
  }

  getSnapshot = (): LobbyState => this.#state.getSnapshot();

  subscribe = (listener: () => void): (() => void) => this.#state.subscribe(listener);

  open(): () => void {
    this.#openCount += 1;
    if (this.#signaling.connected) this.#load();
    let isOpen = true;
    return () => {
      if (isOpen) this.#openCount -= 1;
      isOpen = false;
    };
  }

  async create(room: CreateRoom): Promise<RoomSummary> {
    const request = { ...room, device: this.#device };
    return (await this.#signaling.request("room:create", request)).room;
  }

  async isLocked(room: string): Promise<boolean> {
    return (await this.#signaling.request("room:check", { room })).locked;
  }

  /** The request also subscribes to updates. After a failure the next connection tries again. */
  #load(): void {
    this.#signaling.send("room:list", {}, (outcome) => {
      if ("ok" in outcome) {
        const { rooms, templates = [] } = outcome.ok;
        this.#state.set({ loaded: true, rooms, isShown: true, templates });
      } else if (REFUSALS.has(outcome.error.code)) {
        this.#state.set({ ...this.getSnapshot(), isShown: false });
      }
    });
  }
}
