/**
 * Notices of a call's events. Those who come one after another are told in one line, and
 * whoever is gone for a moment only, as by a reload or a restart of the server, not at all.
 */
import type { CallEvent } from "./call-events.ts";

/** Time for which those who join are collected into one line. */
const COLLECT_MS = 800;
/** Time in which a participant may come back without having left. */
const RETURN_MS = 4_000;
/** The same after this device lost the server, where everybody has to come back. */
const RETURN_AFTER_LOSS_MS = 20_000;
/** Number of other participants above which coming and going is no news. */
const MAX_AUDIENCE = 10;

interface Pending {
  kind: "joined" | "left";
  name: string;
  /** Time at which it is told. */
  at: number;
}

export class CallNews {
  #pending: Pending[] = [];

  /** Takes in simultaneous events and returns those to be told now. */
  add(events: readonly CallEvent[], now: number): CallEvent[] {
    const isBack = events.some(({ kind }) => kind === "reconnected");
    const patience = isBack ? RETURN_AFTER_LOSS_MS : RETURN_MS;
    const told: CallEvent[] = [];
    // Those who left come first: with new ids, the same people leave and join at once.
    for (const event of events) {
      if (event.kind === "joined") this.#add("joined", event.name, now + COLLECT_MS);
      else if (event.kind === "left") this.#add("left", event.name, now + patience);
      else told.push(event);
    }
    return told;
  }

  /** Returns the events that are due. `others` is the number of other participants. */
  take(now: number, others: number): CallEvent[] {
    const joins = this.#pending.filter(({ kind }) => kind === "joined");
    // The first to join decides when all are told.
    const areJoinsDue = joins.some(({ at }) => at <= now);
    const isDue = ({ kind, at }: Pending) => (kind === "joined" ? areJoinsDue : at <= now);
    const due = this.#pending.filter(isDue);
    this.#pending = this.#pending.filter((pending) => !isDue(pending));
    if (others > MAX_AUDIENCE) return [];
    const joined = due.filter(({ kind }) => kind === "joined").map(({ name }) => name);
    const left = due.filter(({ kind }) => kind === "left");
    return [
      ...left.map(({ name }): CallEvent => ({ kind: "left", name })),
      ...(joined.length > 1 ? [{ kind: "joinedTogether", names: joined } as const] : []),
      ...(joined.length === 1 ? [{ kind: "joined", name: joined[0] ?? "" } as const] : []),
    ];
  }

  /** Time of the next event that becomes due; null without one. */
  get dueAt(): number | null {
    return this.#pending.length === 0 ? null : Math.min(...this.#pending.map(({ at }) => at));
  }

  /** Whoever leaves and comes back, or the reverse, has done neither. */
  #add(kind: Pending["kind"], name: string, at: number): void {
    const opposite = this.#pending.findIndex((other) => other.name === name && other.kind !== kind);
    if (opposite >= 0) this.#pending.splice(opposite, 1);
    else this.#pending.push({ kind, name, at });
  }
}
