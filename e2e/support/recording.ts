// Recording of what a page receives from another participant over time, from getStats.

import type { ChromiumParticipant } from "./participant.ts";
import { until } from "./until.ts";

/** One sample of the media received from a participant. */
export interface Sample {
  /** Time since the recording began, in milliseconds. */
  at: number;
  /** Height of the decoded video; 0 before the first frame. */
  height: number;
  frames: number;
  audioPackets: number;
  /** Number and total duration of freezes (webrtc-stats `freezeCount`, `totalFreezesDuration`). */
  freezes: number;
  freezeSeconds: number;
}

declare global {
  interface Window {
    recordings?: Map<string, Sample[]>;
  }
}

const SAMPLE_INTERVAL_MS = 100;

/** Records what a page receives from another participant, while the page lives. */
export async function startRecording(
  person: ChromiumParticipant,
  other: ChromiumParticipant,
): Promise<void> {
  await person.page.evaluate(
    ([name, interval]) => {
      const samples: Sample[] = [];
      window.recordings ??= new Map();
      window.recordings.set(name, samples);
      const start = performance.now();
      const sampleOnce = async () => {
        const video = document.querySelector<HTMLVideoElement>(
          `[data-testid=tile][data-name="${name}"] video`,
        );
        const stream = video?.srcObject instanceof MediaStream ? video.srcObject : undefined;
        // Not by their ids, which two links to the media server share.
        const tracks = new Set(stream?.getTracks());
        const sample = {
          at: 0,
          height: 0,
          frames: 0,
          audioPackets: 0,
          freezes: 0,
          freezeSeconds: 0,
        };
        for (const { connection } of window.observed.peers) {
          if (connection.connectionState !== "connected") continue;
          const receivers = connection.getReceivers().filter(({ track }) => tracks.has(track));
          const reports = await Promise.all(receivers.map((receiver) => receiver.getStats()));
          for (const [, entry] of reports.flatMap((report) => [...report])) {
            if (entry.type !== "inbound-rtp") continue;
            if (entry.kind === "audio") sample.audioPackets = entry.packetsReceived ?? 0;
            if (entry.kind !== "video") continue;
            sample.height = entry.frameHeight ?? 0;
            sample.frames = entry.framesDecoded ?? 0;
            sample.freezes = entry.freezeCount ?? 0;
            sample.freezeSeconds = entry.totalFreezesDuration ?? 0;
          }
        }
        sample.at = performance.now() - start;
        samples.push(sample);
        setTimeout(sampleOnce, interval);
      };
      void sampleOnce();
    },
    [other.name, SAMPLE_INTERVAL_MS] as const,
  );
}

/** All samples so far. */
export async function samplesOf(
  person: ChromiumParticipant,
  other: ChromiumParticipant,
): Promise<Sample[]> {
  const samples = await person.page.evaluate((name) => window.recordings?.get(name), other.name);
  if (!samples) throw new Error(`${person.name} recorded nothing of ${other.name}`);
  return samples;
}

/** Time of the latest sample. */
export async function recordedUntil(
  person: ChromiumParticipant,
  other: ChromiumParticipant,
): Promise<number> {
  return (await samplesOf(person, other)).at(-1)?.at ?? 0;
}

/** Waits for a matching sample later than `since`, and returns the milliseconds between. */
export async function timeUntil(
  person: ChromiumParticipant,
  other: ChromiumParticipant,
  what: string,
  since: number,
  matches: (sample: Sample) => boolean,
): Promise<number> {
  const sample = await until(`${other.name} at ${person.name}'s to be ${what}`, async () => {
    const samples = await samplesOf(person, other);
    return {
      done: samples.find((sample) => sample.at > since && matches(sample)),
      seen: samples.slice(-3),
    };
  });
  return Math.round(sample.at - since);
}

/**
 * Longest time for which a counter did not change, in milliseconds: a track that follows another one
 * has a counter of its own.
 */
export function longestGap(samples: readonly Sample[], counter: "frames" | "audioPackets"): number {
  let longest = 0;
  let lastGrowth = samples[0];
  for (const sample of samples) {
    if (!lastGrowth) break;
    longest = Math.max(longest, sample.at - lastGrowth.at);
    const count = sample[counter];
    if (count > 0 && count !== lastGrowth[counter]) lastGrowth = sample;
  }
  return Math.round(longest);
}
