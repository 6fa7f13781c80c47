// The live list of rooms.
import type { Lobby, LobbyState } from "../api.ts";
import type { CreateRoom, RoomSummary } from "../protocol.ts";
import type { Signaling } from "./signaling.ts";
import { Store } from "../store.ts";

/** Asks for the list while somebody looks at it, and again after each reconnection. */
export class LiveLobby implements Lobby {
  readonly #signaling: Signaling;
  readonly #state = new Store<LobbyState>({ loaded: false, rooms: [] });
  #viewers = 0;

  constructor(signaling: Signaling) {
    this.#signaling = signaling;
    signaling.on("room:list", ({ rooms }) => this.#state.set({ loaded: true, rooms }));
    signaling.onConnected(() => {
      if (this.#viewers > 0) this.#load();
    });
  }

  getSnapshot = (): LobbyState => this.#state.getSnapshot();

  subscribe = (listener: () => void): (() => void) => this.#state.subscribe(listener);

  open(): () => void {
    this.#viewers += 1;
    if (this.#signaling.connected) this.#load();
    let open = true;
    return () => {
      if (open) this.#viewers -= 1;
      open = false;
    };
  }

  async create(room: CreateRoom): Promise<RoomSummary> {
    return (await this.#signaling.request("room:create", room)).room;
  }

  /** Asking subscribes as well. Where it fails, the next connection asks again. */
  #load(): void {
    this.#signaling.send("room:list", {}, (outcome) => {
      if ("ok" in outcome) this.#state.set({ loaded: true, rooms: outcome.ok.rooms });
    });
  }
}
