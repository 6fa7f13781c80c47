// A media router among fake peer connections, and a media server that it talks to. Importing this
// makes a new one for each test.
import { afterEach, beforeEach, vi } from "vitest";
import type { ConnectionState, RemoteParticipant } from "../api.ts";
import type { SubscribedTrack, Topology, TrackSource } from "../protocol.ts";
import { NO_TRACKS, type Tracks } from "../rtc/source.ts";
import type { Done } from "../signaling/outbox.ts";
import type { ParticipantStreams } from "../topology/remote-streams.ts";
import { MediaRouter } from "../topology/router.ts";
import { FakeTrack, fakeStream } from "./media.ts";
import { FakePeer } from "./peer.ts";
import { Scheduler } from "./scheduler.ts";

export const ON = { mic: true, camera: true, screen: false, hand: false };

interface SentRequest {
  event: string;
  payload: Record<string, unknown>;
  done?: Done;
}

export let world: Scheduler;
export let peers: FakePeer[];
export let sent: SentRequest[];
export let seen: Map<string, { connection: ConnectionState; streams: ParticipantStreams }>;
export let sfuUnreachable: boolean;
export let timesLost: number;
export let router: MediaRouter;
export let server: FakePeer;

beforeEach(() => {
  vi.useFakeTimers();
  world = new Scheduler(1);
  peers = [];
  sent = [];
  seen = new Map();
  sfuUnreachable = false;
  timesLost = 0;
  server = new FakePeer(world, "server");
  router = new MediaRouter({
    createPeer: (configuration) => {
      const peer = new FakePeer(world, `p${peers.length}`, configuration);
      peers.push(peer);
      return peer.asPeer;
    },
    createStream: fakeStream,
    send: (event, payload, done) =>
      sent.push({ event, payload: structuredClone(payload), ...(done && { done }) }),
    onParticipant: (id, connection, streams) => seen.set(id, { connection, streams }),
    onSfuUnreachable: (unreachable) => {
      sfuUnreachable = unreachable;
    },
    onSfuLost: () => {
      timesLost += 1;
    },
  });
  router.setTracks(sending("microphone", "camera"));
});
afterEach(() => {
  router.close();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

export function sending(...sources: TrackSource[]): Tracks {
  const track = (source: string) =>
    new FakeTrack(/mic|audio/.test(source) ? "audio" : "video", source);
  const made = sources.map((source) => [source, track(source)]);
  return { ...NO_TRACKS, ...(Object.fromEntries(made) as unknown as Tracks) };
}

/** A room of participant `m`, which is impolite to `a` and opens the link to it. */
export function room(topology: Topology, ...others: (string | Partial<RemoteParticipant>)[]): void {
  router.update({
    self: { id: "m", name: "M", media: ON, speaking: false, quality: null },
    topology,
    others: others.map((other) => ({
      id: typeof other === "string" ? other : "",
      name: "",
      media: ON,
      direct: false,
      speaking: false,
      quality: null,
      connection: "connecting",
      stream: null,
      screen: null,
      ...(typeof other === "string" ? {} : other),
    })),
  });
}

export const of = (event: string) => sent.filter((each) => each.event === event);
export const payloads = (event: string) => of(event).map(({ payload }) => payload);

/** Delivers signals to the media server, and its answers back. */
export async function serve(): Promise<void> {
  await world.run();
  for (const { payload } of of("signal")) {
    const description = payload.description as RTCSessionDescription | undefined;
    if (payload.to !== "sfu" || !description) continue;
    if (description.type === "offer" && server.signalingState === "stable") {
      void server.setRemoteDescription(description);
      void server.setLocalDescription();
      await world.run();
      router.handleSignal("sfu", { description: { ...server.localDescription } as never });
    } else if (server.signalingState === "have-local-offer") {
      void server.setRemoteDescription(description);
    }
  }
  sent = sent.filter(({ event, payload }) => event !== "signal" || payload.to !== "sfu");
  await world.run();
}

/** Connects the link to the media server. */
export async function connectSfu(): Promise<FakePeer> {
  await serve();
  const link = peers.at(-1);
  if (!link) throw new Error("there is no link");
  link.setConnectionState("connected");
  await world.run();
  return link;
}

/** The media server forwards tracks: it announces their publishers and offers the sections. */
export async function forward(
  ...tracks: [participant: string, source: TrackSource][]
): Promise<string[]> {
  const sections = tracks.map(([, source]) =>
    server.addTransceiver(/mic|audio/.test(source) ? "audio" : "video"),
  );
  void server.setLocalDescription();
  await world.run();
  const mids = sections.map(({ mid }) => mid ?? "");
  subscribed(...tracks.map(([participant, source], i) => [mids[i] ?? "", participant, source]));
  router.handleSignal("sfu", { description: { ...server.localDescription } as never });
  await serve();
  return mids;
}

export function subscribed(...tracks: (readonly string[])[]): void {
  router.handleSubscribed(
    tracks.map(([mid, participant, source]) => ({ mid, participant, source }) as SubscribedTrack),
  );
}

/** Passes time, in which the arrivals are polled. */
export async function poll(): Promise<void> {
  await vi.advanceTimersByTimeAsync(600);
  await world.run();
}

/** Delivers media on these sections for long enough to count as arrived. */
export async function flow(peer: FakePeer | undefined, ...mids: string[]): Promise<void> {
  for (let n = 0; n < 4; n++) {
    for (const mid of mids) peer?.deliver(mid);
    await poll();
  }
}

export const trackIds = (id: string) =>
  seen
    .get(id)
    ?.streams.stream?.getTracks()
    .map((track) => track.id);
export const trackAt = (peer: FakePeer | undefined, mid: string) =>
  peer?.transceivers.find((section) => section.mid === mid)?.receiver.track.id;

/** Forgets what was sent so far. */
export function forgetSent(): void {
  sent = [];
}

/** The media server runs in another process from now on. */
export function replaceServer(): void {
  server = new FakePeer(world, "next");
}
