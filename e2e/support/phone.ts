// `moim doctor --phone`: the operator's terminal, in which the test of a page appears.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { binary } from "./server.ts";

export interface PhoneEvent {
  event: string;
  id?: string;
  check?: string;
  outcome?: string;
  findings?: { code: string }[];
}

/** A terminal whose one-time id waits for a page. */
export class PhoneTerminal {
  private constructor(
    readonly id: string,
    private readonly lines: AsyncIterator<string>,
    private readonly exit: Promise<number>,
  ) {}

  static async open(data: string): Promise<PhoneTerminal> {
    const args = ["doctor", "--phone", "--json", "--lang", "en", "--data", data];
    const child = spawn(binary(), args, { stdio: ["ignore", "pipe", "inherit"] });
    const exit = once(child, "exit").then(([code]) => code as number);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const first = await lines.next();
    const { id } = JSON.parse(first.value ?? "{}") as PhoneEvent;
    if (!id) throw new Error(`moim doctor --phone: ${first.value ?? "no output"}`);
    return new PhoneTerminal(id, lines, exit);
  }

  /** The events to the end, and the exit code. */
  async ended(): Promise<{ events: PhoneEvent[]; code: number }> {
    const events: PhoneEvent[] = [];
    for (let line = await this.lines.next(); !line.done; line = await this.lines.next()) {
      events.push(JSON.parse(line.value) as PhoneEvent);
    }
    return { events, code: await this.exit };
  }
}
