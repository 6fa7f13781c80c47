// A room of one client under load, which checks that each member receives exactly what it should.

import { isDeepStrictEqual } from "node:util";
import type { Client } from "../support/tutorial.ts";
import { CLIENT_SCRIPTS, type ClientScript, type Payload } from "./client-scripts.ts";
import { type Event, SocketClient } from "./socket-client.ts";

/** Time to wait for messages, also on a machine under load. */
const TIMEOUT_MS = 180_000;

/** Number of messages that each member sends before it waits until all are received. */
const BATCH = 20;

interface Member {
  client: SocketClient;
  /** Number of messages received from each other member. */
  received: Map<number, number>;
}

export class LoadRoom {
  private readonly members: Member[] = [];
  private readonly script: ClientScript;
  /** Number of messages that each member has sent. */
  private sent = 0;
  private checkComplete = () => {};

  private constructor(
    readonly client: Client,
    readonly room: string,
    private readonly onProblem: (problem: string) => void,
  ) {
    this.script = CLIENT_SCRIPTS[client];
  }

  /** Creates a room whose members have joined one after the other. */
  static async of(
    size: number,
    url: string,
    client: Client,
    room: string,
    onProblem: (problem: string) => void,
  ): Promise<LoadRoom> {
    const loadRoom = new LoadRoom(client, room, onProblem);
    for (let member = 0; member < size; member++) await loadRoom.addMember(url);
    return loadRoom;
  }

  private async addMember(url: string): Promise<void> {
    const client = await SocketClient.connect(url, this.client);
    const member = this.members.length;
    this.members.push({ client, received: new Map() });
    await this.withTimeout(`${member} did not join`, (resolve) => {
      const joinEvents = this.script.joinEvents ?? [];
      client.listen((event) => {
        if (joinEvents.includes(event[0])) resolve();
        else this.handle(member, event);
      });
      const join = this.script.join?.(this.room, member);
      if (join) client.emit(...join);
      else resolve();
    });
  }

  /** Lets each member send this number of messages, in batches. */
  async exchange(messages: number): Promise<void> {
    for (const end = this.sent + messages; this.sent < end; ) {
      const batch = Math.min(BATCH, end - this.sent);
      for (let message = 0; message < batch; message++, this.sent++) {
        this.members.forEach(({ client }, from) => {
          client.emit(...this.message(from, this.sent));
        });
      }
      await this.allReceived();
    }
  }

  leave(): void {
    for (const { client } of this.members) client.close();
  }

  /** The event with which a member sends its message of this number. */
  private message(from: number, number: number): Event {
    const payload: Payload = { room: this.room, from, number, text: "여보세요 👋" };
    const other = this.members.findIndex((_, member) => member !== from);
    return this.script.send(payload, this.members[from]!.client, this.members[other]!.client);
  }

  private handle(member: number, event: Event): void {
    if (this.script.ignoredEvents?.includes(event[0])) return;
    const problem = this.problemWith(member, event);
    if (problem) {
      const received = `${this.client}: ${member} in ${this.room} received ${JSON.stringify(event)}`;
      this.onProblem(`${received}, ${problem}`);
    }
    if (this.sent > 0 && [...this.members[member]!.received.values()].includes(this.sent)) {
      this.checkComplete();
    }
  }

  /** Counts a received event, and describes what is wrong with it, if anything. */
  private problemWith(member: number, event: Event): string | undefined {
    const from = this.script.payloadOf(event)?.from;
    const { received } = this.members[member]!;
    if (from === undefined || !this.members[from] || from === member) return "which was not for it";
    const next = received.get(from) ?? 0;
    const expected = this.script.expected(this.message(from, next));
    received.set(from, next + 1);
    const isRight = next < this.sent && isDeepStrictEqual(event, expected);
    return isRight ? undefined : `not ${JSON.stringify(expected)}`;
  }

  private get missing(): string[] {
    return this.members.flatMap(({ received }, member) =>
      this.members.flatMap((_, from) => {
        const count = received.get(from) ?? 0;
        return from === member || count === this.sent
          ? []
          : [`${member} received ${count} of ${from}'s ${this.sent}`];
      }),
    );
  }

  private allReceived(): Promise<void> {
    return this.withTimeout("messages are missing", (resolve) => {
      this.checkComplete = () => {
        if (this.missing.length === 0) resolve();
      };
      this.checkComplete();
    });
  }

  private withTimeout(failure: string, wait: (resolve: () => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const timeout = setTimeout(() => {
        const missing = this.missing.join(", ");
        reject(new Error(`${this.client} in ${this.room}: ${failure}; ${missing}`));
      }, TIMEOUT_MS);
      wait(() => {
        clearTimeout(timeout);
        resolve();
      });
    });
  }
}
