// Attackers and the well-behaved clients that must not notice them (e2e/stranger), each in a network of its own.

import { once } from "node:events";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { binary, type Server } from "../support/server.ts";
import type { Namespace } from "./namespace.ts";

/** Delays and losses of one flow of the witness's. */
export interface Flow {
  sent: number;
  arrived: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

export interface Witness {
  /** One of a pair signals the other. */
  signal: Flow;
  /** One TURN client sends to another. */
  relay: Flow;
  /** Each joins a locked room, makes a room and allocates, all with clients of its own. */
  newcomers: { count: number; failures: string[]; slowestMs: number };
}

/** What `moim load --json` tells of one kind of track. */
export interface Tracks {
  tracks: number;
  packets: number;
  lost: number;
  freezes: number;
  longestGapMs: number;
  delayMs: { p50: number; p99: number; max: number };
}

/** A call by the media server. */
export interface Call {
  participants: number;
  failures: Record<string, number>;
  expected: { sound: number; pictures: number };
  sound: Tracks;
  pictures: Tracks;
}

export interface Attack {
  /** What became of what was tried. */
  counts: Record<string, number>;
}

/** `MOIM_STRANGER`, or the release build of this checkout. */
function program(): string {
  const path = resolve(
    process.env.MOIM_STRANGER ?? join(import.meta.dirname, "../../target/release/moim-stranger"),
  );
  if (!existsSync(path))
    throw new Error(
      `${path} is missing: \`cargo build --release -p moim-stranger\`, or set MOIM_STRANGER`,
    );
  return path;
}

export async function witness(
  host: Namespace,
  server: Server,
  url: string,
  seconds: number,
): Promise<Witness> {
  const options = ["--url", url, "--ca", server.ca, "--seconds", `${seconds}`];
  return (await run(host, [program(), ...options, "witness"])) as Witness;
}

/**
 * Attacks with what the witness and the server leave of this machine's time: real strangers bring processors of
 * their own.
 */
export async function attack(
  host: Namespace,
  server: Server,
  url: string,
  seconds: number,
  name: string,
): Promise<Attack> {
  const options = ["--url", url, "--ca", server.ca, "--seconds", `${seconds}`];
  const idly = ["chrt", "--idle", "0"];
  return (await run(host, [...idly, program(), ...options, "attack", name])) as Attack;
}

/** Two people in a room of the media server's, without browsers. */
export async function call(
  host: Namespace,
  server: Server,
  url: string,
  seconds: number,
): Promise<Call> {
  const options = ["--url", url, "--ca", server.ca, "--duration", `${seconds}s`];
  const people = ["--publishers", "2", "--media", "single", "--json"];
  // It ends with failure where somebody missed something, which the caller sees for itself.
  return (await run(host, [binary(), "load", ...options, ...people], [0, 1])) as Call;
}

async function run(host: Namespace, command: string[], allowed = [0]): Promise<unknown> {
  const child = host.spawn(command, { stdio: ["ignore", "pipe", "pipe"] });
  let [told, complaint] = ["", ""];
  child.stdout?.on("data", (chunk: Buffer) => {
    told += chunk;
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    complaint += chunk;
  });
  const [code] = await once(child, "close");
  if (!allowed.includes(code) || told === "")
    throw new Error(`${command.join(" ")} ended with ${code}: ${complaint}`);
  return JSON.parse(told);
}
