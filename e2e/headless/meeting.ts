// People who talk in one room, and notice whatever they hear that they should not.

import { isDeepStrictEqual } from "node:util";
import type { Client } from "../support/tutorial.ts";
import { Caller, type Event } from "./caller.ts";
import { SCRIPTS, type Script, type Words } from "./scripts.ts";

/** How long a room waits for what was said in it, also where the machine has much else to do. */
const PATIENCE = 180_000;

/** Things said by each before all wait until all have heard them. */
const BREATH = 20;

interface Person {
  caller: Caller;
  /** How many things they heard of each other. */
  heard: Map<number, number>;
}

export class Meeting {
  private readonly people: Person[] = [];
  private readonly script: Script;
  private said = 0;
  private settled = () => {};

  private constructor(
    readonly client: Client,
    readonly room: string,
    /** Told of everything that is wrong. */
    private readonly complain: (problem: string) => void,
  ) {
    this.script = SCRIPTS[client];
  }

  /** Brings so many people in, one after the other. */
  static async of(
    size: number,
    url: string,
    client: Client,
    room: string,
    complain: (problem: string) => void,
  ): Promise<Meeting> {
    const meeting = new Meeting(client, room, complain);
    for (let person = 0; person < size; person++) await meeting.admit(url);
    return meeting;
  }

  private async admit(url: string): Promise<void> {
    const caller = await Caller.connect(url, this.client);
    const number = this.people.length;
    this.people.push({ caller, heard: new Map() });
    await this.soon(`${number} was not let in`, (resolve) => {
      const welcomes = this.script.welcomes ?? [];
      caller.listen((event) => {
        if (welcomes.includes(event[0])) resolve();
        else this.hear(number, event);
      });
      const enter = this.script.enter?.(this.room, number);
      if (enter) caller.emit(...enter);
      else resolve();
    });
  }

  /** Each says so many things, in several breaths. */
  async talk(things: number): Promise<void> {
    for (const end = this.said + things; this.said < end; ) {
      const breath = Math.min(BREATH, end - this.said);
      for (let thing = 0; thing < breath; thing++, this.said++) {
        this.people.forEach(({ caller }, from) => {
          caller.emit(...this.says(from, this.said));
        });
      }
      await this.allHeard();
    }
  }

  leave(): void {
    for (const { caller } of this.people) caller.close();
  }

  /** The event by which somebody says their next thing. */
  private says(from: number, number: number): Event {
    const words: Words = { room: this.room, from, number, text: "여보세요 👋" };
    const other = this.people.findIndex((_, person) => person !== from);
    return this.script.say(words, this.people[from]!.caller, this.people[other]!.caller);
  }

  private hear(person: number, event: Event): void {
    if (this.script.gossip?.includes(event[0])) return;
    const problem = this.problem(person, event);
    if (problem) {
      const told = `${this.client}: ${person} in ${this.room} heard ${JSON.stringify(event)}`;
      this.complain(`${told}, ${problem}`);
    }
    if (this.said > 0 && [...this.people[person]!.heard.values()].includes(this.said)) {
      this.settled();
    }
  }

  /** What is wrong with what somebody heard; otherwise it is noted. */
  private problem(person: number, event: Event): string | undefined {
    const from = this.script.words(event)?.from;
    const { heard } = this.people[person]!;
    if (from === undefined || !this.people[from] || from === person)
      return "which was not for them";
    const next = heard.get(from) ?? 0;
    const expected = this.script.heard(this.says(from, next));
    heard.set(from, next + 1);
    const right = next < this.said && isDeepStrictEqual(event, expected);
    return right ? undefined : `not ${JSON.stringify(expected)}`;
  }

  private get missing(): string[] {
    return this.people.flatMap(({ heard }, person) =>
      this.people.flatMap((_, from) => {
        const count = heard.get(from) ?? 0;
        return from === person || count === this.said
          ? []
          : [`${person} heard ${count} of ${from}'s ${this.said}`];
      }),
    );
  }

  private allHeard(): Promise<void> {
    return this.soon("something is missing", (resolve) => {
      this.settled = () => {
        if (this.missing.length === 0) resolve();
      };
      this.settled();
    });
  }

  /** Waits for what should come soon. */
  private soon(otherwise: string, wait: (resolve: () => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        const missing = this.missing.join(", ");
        reject(new Error(`${this.client} in ${this.room}: ${otherwise}; ${missing}`));
      }, PATIENCE);
      wait(() => {
        clearTimeout(late);
        resolve();
      });
    });
  }
}
