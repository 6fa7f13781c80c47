// What one page receives of somebody over time, from getStats.

import type { ChromiumParticipant } from "./participant.ts";
import { until } from "./until.ts";

/** One look at what comes from somebody. */
export interface Moment {
  /** Milliseconds since the recording began. */
  at: number;
  /** Lines of the picture that is decoded; 0 before the first. */
  height: number;
  frames: number;
  voicePackets: number;
  /** Frames that came late enough to be seen (webrtc-stats `freezeCount`), and for how many seconds in all. */
  freezes: number;
  frozen: number;
}

declare global {
  interface Window {
    timelines?: Map<string, Moment[]>;
  }
}

/** How often it is looked, in milliseconds. */
const PERIOD = 100;

/** Records from now on what comes from somebody, as long as the page lives. */
export async function record(
  person: ChromiumParticipant,
  other: ChromiumParticipant,
): Promise<void> {
  await person.page.evaluate(
    ([name, period]) => {
      const moments: Moment[] = [];
      window.timelines ??= new Map();
      window.timelines.set(name, moments);
      const began = performance.now();
      const look = async () => {
        const video = document.querySelector<HTMLVideoElement>(
          `[data-testid=tile][data-name="${name}"] video`,
        );
        const stream = video?.srcObject instanceof MediaStream ? video.srcObject : undefined;
        const ids = new Set(stream?.getTracks().map(({ id }) => id));
        const moment = { at: 0, height: 0, frames: 0, voicePackets: 0, freezes: 0, frozen: 0 };
        for (const { connection } of window.observed.peers) {
          if (connection.connectionState !== "connected") continue;
          for (const [, entry] of await connection.getStats()) {
            if (entry.type !== "inbound-rtp" || !ids.has(entry.trackIdentifier)) continue;
            if (entry.kind === "audio") moment.voicePackets = entry.packetsReceived ?? 0;
            if (entry.kind !== "video") continue;
            moment.height = entry.frameHeight ?? 0;
            moment.frames = entry.framesDecoded ?? 0;
            moment.freezes = entry.freezeCount ?? 0;
            moment.frozen = entry.totalFreezesDuration ?? 0;
          }
        }
        moment.at = performance.now() - began;
        moments.push(moment);
        setTimeout(look, period);
      };
      void look();
    },
    [other.name, PERIOD] as const,
  );
}

/** All that was recorded. */
export async function recorded(
  person: ChromiumParticipant,
  other: ChromiumParticipant,
): Promise<Moment[]> {
  const moments = await person.page.evaluate((name) => window.timelines?.get(name), other.name);
  if (!moments) throw new Error(`${person.name} recorded nothing of ${other.name}`);
  return moments;
}

/** How far the recording has come. */
export async function now(
  person: ChromiumParticipant,
  other: ChromiumParticipant,
): Promise<number> {
  return (await recorded(person, other)).at(-1)?.at ?? 0;
}

/** Waits for a moment later than `since`; gives how long after it was, in milliseconds. */
export async function momentWhen(
  person: ChromiumParticipant,
  other: ChromiumParticipant,
  what: string,
  since: number,
  is: (moment: Moment) => boolean,
): Promise<number> {
  const found = await until(`${other.name} at ${person.name}'s to be ${what}`, async () => {
    const moments = await recorded(person, other);
    return {
      done: moments.find((moment) => moment.at > since && is(moment)),
      seen: moments.slice(-3),
    };
  });
  return Math.round(found.at - since);
}

/** The longest time in which a counter stood still, in milliseconds. */
export function longestGap(moments: readonly Moment[], counter: "frames" | "voicePackets"): number {
  let worst = 0;
  let since = moments[0];
  for (const moment of moments) {
    if (!since) break;
    worst = Math.max(worst, moment.at - since.at);
    if (moment[counter] > since[counter]) since = moment;
  }
  return Math.round(worst);
}
