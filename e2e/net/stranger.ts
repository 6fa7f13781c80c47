// Attacks, and the well-behaved clients that they must not affect (e2e/stranger), each in its own
// network namespace.

import { once } from "node:events";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { binary, type Server } from "../support/server.ts";
import type { Namespace } from "./namespace.ts";

/** Delay and loss of one flow of the well-behaved clients. */
export interface Flow {
  sent: number;
  arrived: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

export interface Witness {
  /** Signals from one participant to another. */
  signal: Flow;
  /** Packets from one TURN client to another. */
  relay: Flow;
  /** Newcomers: each joins a locked room, creates a room and an allocation, on new connections. */
  newcomers: { count: number; failures: string[]; slowestMs: number };
}

/** Statistics of one kind of track, as written by `moim load --json`. */
export interface Tracks {
  tracks: number;
  packets: number;
  lost: number;
  freezes: number;
  longestGapMs: number;
  delayMs: { p50: number; p99: number; max: number };
}

/** A call through the media server, as written by `moim load --json`. */
export interface Call {
  participants: number;
  failures: Record<string, number>;
  expected: { sound: number; pictures: number };
  sound: Tracks;
  pictures: Tracks;
}

export interface Attack {
  /** Number of attempts and of each outcome. */
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

/** Attacks with idle scheduling priority, as real attackers don't use the server's CPUs. */
export async function attack(
  host: Namespace,
  server: Server,
  url: string,
  seconds: number,
  name: string,
): Promise<Attack> {
  const options = ["--url", url, "--ca", server.ca, "--seconds", `${seconds}`];
  const idle = ["chrt", "--idle", "0"];
  return (await run(host, [...idle, program(), ...options, "attack", name])) as Attack;
}

/** Runs a call of two headless participants through the media server. */
export async function call(
  host: Namespace,
  server: Server,
  url: string,
  seconds: number,
): Promise<Call> {
  const options = ["--url", url, "--ca", server.ca, "--duration", `${seconds}s`];
  const people = ["--publishers", "2", "--media", "single", "--json"];
  // Exit code 1 means that media was lost, which the test asserts in detail.
  return (await run(host, [binary(), "load", ...options, ...people], [0, 1])) as Call;
}

async function run(host: Namespace, command: string[], allowed = [0]): Promise<unknown> {
  const child = host.spawn(command, { stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    stdout += chunk;
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr += chunk;
  });
  const [code] = await once(child, "close");
  if (!allowed.includes(code) || stdout === "")
    throw new Error(`${command.join(" ")} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout);
}
