// Leaves TCP for UDP. A browser stops gathering once a pair connects: if the answer of the TURN
// server over UDP comes later than the one over TCP, as after one lost packet, the connection stays
// on TCP, where each loss holds up everything behind it. Only an ICE restart gathers again, and the
// pair in use stays until a better one stands (RFC 8445 §9).

/**
 * Milliseconds from the connection, or the last restart, to each check. Few: where UDP is blocked,
 * none of them helps.
 */
const CHECKS_MS = [4_000, 30_000, 120_000];

export interface UdpUpgradeOptions {
  /** Protocol of the first hop; null if it is unknown. */
  protocol: () => Promise<string | null>;
  restart: () => void;
  /** Milliseconds that each check comes later, so that usually only one end restarts. */
  extraDelay: number;
}

export class UdpUpgrade {
  readonly #options: UdpUpgradeOptions;
  #restarts = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: UdpUpgradeOptions) {
    this.#options = options;
  }

  /** The connection's state changed. */
  observe(state: RTCPeerConnectionState): void {
    this.close();
    if (state === "connected") this.#schedule();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(): void {
    const delay = CHECKS_MS[this.#restarts];
    if (delay === undefined) return;
    const timer = setTimeout(() => void this.#check(timer), delay + this.#options.extraDelay);
    this.#timer = timer;
  }

  async #check(timer: ReturnType<typeof setTimeout>): Promise<void> {
    const protocol = await this.#options.protocol();
    // Closed, or another state, meanwhile.
    if (this.#timer !== timer || protocol === null || protocol === "udp") return;
    this.#restarts += 1;
    this.#options.restart();
    this.#schedule();
  }
}
