import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { meshQuality } from "../rtc/encoding.ts";
import { Negotiation, type Signal } from "../rtc/negotiation.ts";
import { NO_TRACKS, type Tracks } from "../rtc/source.ts";
import { FakeTrack, fakeStream } from "../testing/media.ts";
import { FakePeer } from "../testing/peer.ts";
import { Scheduler } from "../testing/scheduler.ts";
import { MeshLink } from "./mesh-link.ts";

interface End {
  link: MeshLink;
  peer: () => FakePeer;
}

/** Two ends whose signals cross in an order drawn from the seed. */
function pair(seed: number): { world: Scheduler; polite: End; impolite: End } {
  const world = new Scheduler(seed);
  const ends = {} as Record<"polite" | "impolite", End>;
  const end = (name: "polite" | "impolite", other: "polite" | "impolite"): End => {
    let peer: FakePeer | undefined;
    const link = new MeshLink({
      createPeer: () => {
        peer = new FakePeer(world, name);
        return peer.asPeer;
      },
      createStream: fakeStream,
      polite: name === "polite",
      iceServers: [],
      tracks: NO_TRACKS,
      quality: meshQuality(1),
      send: (signal: Signal) =>
        world.queue(`net:${name}`, () => void ends[other].link.handle(structuredClone(signal))),
      onChange: () => {},
    });
    return { link, peer: () => peer as FakePeer };
  };
  ends.polite = end("polite", "impolite");
  ends.impolite = end("impolite", "polite");
  return { world, ...ends };
}

/** Our polite end and a client that is not ours, which has these sections to offer. */
function beside(seed: number, tracks: Tracks, offers: readonly string[]) {
  const world = new Scheduler(seed);
  const theirs = new FakePeer(world, "foreign");
  let ours: FakePeer | undefined;
  const foreign = new Negotiation({
    peer: theirs.asPeer,
    polite: false,
    send: (signal) => world.queue("net:foreign", () => void link.handle(structuredClone(signal))),
  });
  const link = new MeshLink({
    createPeer: () => {
      ours = new FakePeer(world, "ours");
      return ours.asPeer;
    },
    createStream: fakeStream,
    polite: true,
    iceServers: [],
    tracks,
    quality: meshQuality(1),
    send: (signal: Signal) =>
      world.queue("net:ours", () => void foreign.handle(structuredClone(signal))),
    onChange: () => {},
  });
  for (const kind of offers) theirs.addTransceiver(kind);
  return { world, link, theirs, ours: () => ours as FakePeer };
}

/** What a peer sends by its negotiated sections, by kind, in the order of its descriptions. */
const sentBy = (peer: FakePeer, kind: string) =>
  peer.sections
    .filter((section) => section.mid !== null && section.kind === kind)
    .map(({ sender }) => sender.track);

const face = (): Tracks => ({
  ...NO_TRACKS,
  microphone: new FakeTrack("audio", "audio") as unknown as MediaStreamTrack,
  camera: new FakeTrack("video", "video") as unknown as MediaStreamTrack,
});

beforeEach(() => void vi.useFakeTimers());

afterEach(() => void vi.useRealTimers());

describe("a client that is not ours", () => {
  test("offers one section alone, and both are carried both ways", async () => {
    for (let seed = 0; seed < 50; seed++) {
      for (const kind of ["audio", "video"]) {
        const tracks = face();
        const { world, link, theirs, ours } = beside(seed, tracks, [kind]);
        await world.run();
        expect(sentBy(ours(), "audio"), `${kind}, seed ${seed}`).toEqual([tracks.microphone]);
        expect(sentBy(ours(), "video"), `${kind}, seed ${seed}`).toEqual([tracks.camera]);
        expect(Object.keys(link.received).sort()).toEqual(["camera", "microphone"]);
        expect(theirs.sections.map((each) => each.kind).sort()).toEqual(["audio", "video"]);
        expect(theirs.signalingState).toBe("stable");
      }
    }
  });

  test("is offered no section that nothing is sent by, and gets it with the first track", async () => {
    const tracks = face();
    const { world, link, theirs, ours } = beside(1, { ...tracks, camera: null }, ["audio"]);
    await world.run();
    expect(theirs.sections.map(({ kind }) => kind)).toEqual(["audio"]);
    expect(ours().offers).toBe(0);
    link.setTracks(tracks);
    await world.run();
    expect(sentBy(ours(), "video")).toEqual([tracks.camera]);
    expect(theirs.sections.map(({ kind }) => kind)).toEqual(["audio", "video"]);
  });

  test("offers a format alone that this browser lacks, which is told, and is heard", async () => {
    for (let seed = 0; seed < 50; seed++) {
      const { world, link, ours } = beside(seed, face(), ["audio", "video"]);
      ours().lacks.add("video");
      await world.run();
      expect(link.unplayable, `seed ${seed}`).toEqual(["camera"]);
      expect(Object.keys(link.received)).toEqual(["microphone"]);
    }
  });

  test("offers another format later, which is no longer told", async () => {
    const { world, link, theirs, ours } = beside(1, face(), ["audio", "video"]);
    ours().lacks.add("video");
    await world.run();
    ours().lacks.clear();
    theirs.addTransceiver("video");
    await world.run();
    expect(link.unplayable).toEqual([]);
    expect(Object.keys(link.received).sort()).toEqual(["camera", "microphone"]);
  });

  test("is never shown a screen in the camera's section", async () => {
    const tracks = { ...screen(), microphone: face().microphone };
    const { world, ours } = beside(1, tracks, ["audio"]);
    await world.run();
    expect(sentBy(ours(), "video")).toEqual([null, tracks.screen]);
    expect(sentBy(ours(), "audio")).toEqual([tracks.microphone, tracks.screen_audio]);
  });

  test("waits for an offer, and is made one by the end that usually waits", async () => {
    const tracks = face();
    const { world, link, theirs, ours } = beside(1, tracks, []);
    await world.run();
    expect(theirs.remoteDescription).toBeNull();
    await vi.advanceTimersByTimeAsync(2_000);
    await world.run();
    expect(theirs.remoteDescription?.type).toBe("offer");
    expect(sentBy(ours(), "audio")).toEqual([tracks.microphone]);
    expect(sentBy(ours(), "video")).toEqual([tracks.camera]);
    expect(Object.keys(link.received).sort()).toEqual(["camera", "microphone"]);
    expect([ours().signalingState, theirs.signalingState]).toEqual(["stable", "stable"]);
  });

  test("is made no offer once its own has come, or the link is closed", async () => {
    const { world, ours } = beside(1, face(), ["audio", "video"]);
    await world.run();
    await vi.advanceTimersByTimeAsync(60_000);
    await world.run();
    expect(ours().offers).toBe(0);

    const closed = beside(1, face(), []);
    await closed.world.run();
    closed.link.close();
    await vi.advanceTimersByTimeAsync(60_000);
    await closed.world.run();
    expect(closed.theirs.remoteDescription).toBeNull();
  });
});

test("a first offer that takes longer than its end is waited for still makes two sections", async () => {
  for (let seed = 0; seed < 200; seed++) {
    const { world, polite, impolite } = pair(seed);
    const [theirs, ours] = [face(), face()];
    polite.link.setTracks(theirs);
    impolite.link.setTracks(ours);
    // The signals are under way, some of them, when the time is over.
    await world.run(world.below(6));
    await vi.advanceTimersByTimeAsync(2_000);
    await world.run();
    for (const [end, tracks] of [
      [polite, theirs],
      [impolite, ours],
    ] as const) {
      expect(sentBy(end.peer(), "audio"), `seed ${seed}`).toEqual([tracks.microphone]);
      expect(sentBy(end.peer(), "video"), `seed ${seed}`).toEqual([tracks.camera]);
      expect(end.peer().signalingState).toBe("stable");
    }
  }
});

function screen(): Tracks {
  const track = (kind: string) => new FakeTrack(kind, kind) as unknown as MediaStreamTrack;
  return { ...NO_TRACKS, screen: track("video"), screen_audio: track("audio") };
}

/** What an end sends by its video sections, in the order of its descriptions. */
const sent = ({ peer }: End) =>
  peer()
    .sections.filter(({ mid, kind }) => mid !== null && kind === "video")
    .map(({ sender }) => sender.track);

describe("fresh servers of a mesh link", () => {
  const servers = (password: string) => [
    { urls: ["turn:moim.test"], username: "u", credential: password },
  ];
  const passwordOf = ({ peer }: End) => peer().configuration.iceServers?.[0]?.credential;

  test("wait for a restart, and reach both ends whichever restarts", async () => {
    for (const first of ["polite", "impolite"] as const) {
      const { world, ...ends } = pair(1);
      for (const { link } of [ends.polite, ends.impolite]) link.setIceServers(servers("first"));
      await world.run();
      expect(Object.values(ends).map(passwordOf)).toEqual(["first", "first"]);
      for (const { link } of [ends.polite, ends.impolite]) link.setIceServers(servers("second"));
      ends[first].link.setTracks(screen());
      await world.run();
      expect(Object.values(ends).map(passwordOf)).toEqual(["first", "first"]);
      ends[first].link.restart();
      await world.run();
      expect(Object.values(ends).map(passwordOf)).toEqual(["second", "second"]);
    }
  });
});

describe("a screen over a mesh link", () => {
  test("negotiates when first shared, whichever end shares, and never again", async () => {
    for (const first of ["polite", "impolite"] as const) {
      const { world, ...ends } = pair(1);
      await world.run();
      const tracks = screen();
      ends[first].link.setTracks(tracks);
      await world.run();
      expect(sent(ends[first])).toEqual([null, tracks.screen]);
      const other = ends[first === "polite" ? "impolite" : "polite"];
      expect(Object.keys(other.link.received)).toContain("screen");
      const offers = () => ends.polite.peer().offers + ends.impolite.peer().offers;
      const before = offers();
      ends[first].link.setTracks(NO_TRACKS);
      other.link.setTracks(screen());
      await world.run();
      expect(offers()).toBe(before);
      expect(sent(other)[1]).not.toBeNull();
    }
  });

  test("shared by both in the same moment takes one section, whichever way offers cross", async () => {
    for (let seed = 0; seed < 200; seed++) {
      const { world, polite, impolite } = pair(seed);
      await world.run();
      const [theirs, ours] = [screen(), screen()];
      polite.link.setTracks(theirs);
      impolite.link.setTracks(ours);
      await world.run();
      expect(sent(polite), `seed ${seed}`).toEqual([null, theirs.screen]);
      expect(sent(impolite), `seed ${seed}`).toEqual([null, ours.screen]);
      expect(polite.peer().sections.filter(({ mid }) => mid === null)).toEqual([]);
    }
  });
});
