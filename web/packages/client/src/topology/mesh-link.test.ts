import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { meshQuality } from "../rtc/encoding.ts";
import { Negotiation, type Signal } from "../rtc/negotiation.ts";
import { ALL_RIGHTS, NO_TRACKS, type Tracks } from "../rtc/source.ts";
import { FakeTrack, fakeStream } from "../testing/media.ts";
import { FakePeer } from "../testing/peer.ts";
import { Scheduler } from "../testing/scheduler.ts";
import { MeshLink } from "./mesh-link.ts";

interface End {
  link: MeshLink;
  peer: () => FakePeer;
}

/** Two ends whose signals cross in a seeded order. */
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
      rights: ALL_RIGHTS,
      receivesVideo: true,
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

/** A polite link and a third-party client that offers sections of these kinds. */
function withForeignClient(seed: number, tracks: Tracks, offers: readonly string[]) {
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
    rights: ALL_RIGHTS,
    receivesVideo: true,
    send: (signal: Signal) =>
      world.queue("net:ours", () => void foreign.handle(structuredClone(signal))),
    onChange: () => {},
  });
  for (const kind of offers) theirs.addTransceiver(kind);
  return { world, link, theirs, ours: () => ours as FakePeer };
}

/** Tracks that a peer sends on its negotiated sections of a kind, in SDP order. */
const sentBy = (peer: FakePeer, kind: string) =>
  peer.transceivers
    .filter((section) => section.mid !== null && section.kind === kind)
    .map(({ sender }) => sender.track);

const cameraAndMicrophone = (): Tracks => ({
  ...NO_TRACKS,
  microphone: new FakeTrack("audio", "audio") as unknown as MediaStreamTrack,
  camera: new FakeTrack("video", "video") as unknown as MediaStreamTrack,
});

beforeEach(() => void vi.useFakeTimers());

afterEach(() => void vi.useRealTimers());

describe("a third-party client", () => {
  test("offers one section only, and both kinds flow in both directions", async () => {
    for (let seed = 0; seed < 50; seed++) {
      for (const kind of ["audio", "video"]) {
        const tracks = cameraAndMicrophone();
        const { world, link, theirs, ours } = withForeignClient(seed, tracks, [kind]);
        await world.run();
        expect(sentBy(ours(), "audio"), `${kind}, seed ${seed}`).toEqual([tracks.microphone]);
        expect(sentBy(ours(), "video"), `${kind}, seed ${seed}`).toEqual([tracks.camera]);
        expect(Object.keys(link.received).sort()).toEqual(["camera", "microphone"]);
        expect(theirs.transceivers.map((each) => each.kind).sort()).toEqual(["audio", "video"]);
        expect(theirs.signalingState).toBe("stable");
      }
    }
  });

  test("gets a missing section with the first track for it", async () => {
    const tracks = cameraAndMicrophone();
    const { world, link, theirs, ours } = withForeignClient(1, { ...tracks, camera: null }, [
      "audio",
    ]);
    await world.run();
    expect(theirs.transceivers.map(({ kind }) => kind)).toEqual(["audio"]);
    expect(ours().offerCount).toBe(0);
    link.setTracks(tracks);
    await world.run();
    expect(sentBy(ours(), "video")).toEqual([tracks.camera]);
    expect(theirs.transceivers.map(({ kind }) => kind)).toEqual(["audio", "video"]);
  });

  test("offers an unsupported video codec, which is reported, and its audio works", async () => {
    for (let seed = 0; seed < 50; seed++) {
      const { world, link, ours } = withForeignClient(seed, cameraAndMicrophone(), [
        "audio",
        "video",
      ]);
      ours().unsupportedKinds.add("video");
      await world.run();
      expect(link.unplayable, `seed ${seed}`).toEqual(["camera"]);
      expect(Object.keys(link.received)).toEqual(["microphone"]);
    }
  });

  test("offers a supported codec later, which ends the report", async () => {
    const { world, link, theirs, ours } = withForeignClient(1, cameraAndMicrophone(), [
      "audio",
      "video",
    ]);
    ours().unsupportedKinds.add("video");
    await world.run();
    ours().unsupportedKinds.clear();
    theirs.addTransceiver("video");
    await world.run();
    expect(link.unplayable).toEqual([]);
    expect(Object.keys(link.received).sort()).toEqual(["camera", "microphone"]);
  });

  test("never receives a screen in the camera's section", async () => {
    const tracks = { ...screen(), microphone: cameraAndMicrophone().microphone };
    const { world, ours } = withForeignClient(1, tracks, ["audio"]);
    await world.run();
    expect(sentBy(ours(), "video")).toEqual([null, tracks.screen]);
    expect(sentBy(ours(), "audio")).toEqual([tracks.microphone, tracks.screen_audio]);
  });

  test("waits for an offer, and gets one from the polite end after a timeout", async () => {
    const tracks = cameraAndMicrophone();
    const { world, link, theirs, ours } = withForeignClient(1, tracks, []);
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

  test("gets no offer after its own, or after the link is closed", async () => {
    const { world, ours } = withForeignClient(1, cameraAndMicrophone(), ["audio", "video"]);
    await world.run();
    await vi.advanceTimersByTimeAsync(60_000);
    await world.run();
    expect(ours().offerCount).toBe(0);

    const closed = withForeignClient(1, cameraAndMicrophone(), []);
    await closed.world.run();
    closed.link.close();
    await vi.advanceTimersByTimeAsync(60_000);
    await closed.world.run();
    expect(closed.theirs.remoteDescription).toBeNull();
  });
});

test("a first offer that arrives after the timeout still results in two sections", async () => {
  for (let seed = 0; seed < 200; seed++) {
    const { world, polite, impolite } = pair(seed);
    const theirs = cameraAndMicrophone();
    const ours = cameraAndMicrophone();
    polite.link.setTracks(theirs);
    impolite.link.setTracks(ours);
    // Some of the signals are in transit when the timeout passes.
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

/** Tracks that an end sends on its video sections, in SDP order. */
const sent = ({ peer }: End) =>
  peer()
    .transceivers.filter(({ mid, kind }) => mid !== null && kind === "video")
    .map(({ sender }) => sender.track);

describe("new ICE servers of a mesh link", () => {
  const servers = (password: string) => [
    { urls: ["turn:moim.test"], username: "u", credential: password },
  ];
  const passwordOf = ({ peer }: End) => peer().configuration.iceServers?.[0]?.credential;

  test("take effect with an ICE restart, at both ends whichever restarts", async () => {
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
  test("negotiates when either end first shares one, and never again", async () => {
    for (const first of ["polite", "impolite"] as const) {
      const { world, ...ends } = pair(1);
      await world.run();
      const tracks = screen();
      ends[first].link.setTracks(tracks);
      await world.run();
      expect(sent(ends[first])).toEqual([null, tracks.screen]);
      const other = ends[first === "polite" ? "impolite" : "polite"];
      expect(Object.keys(other.link.received)).toContain("screen");
      const offers = () => ends.polite.peer().offerCount + ends.impolite.peer().offerCount;
      const before = offers();
      ends[first].link.setTracks(NO_TRACKS);
      other.link.setTracks(screen());
      await world.run();
      expect(offers()).toBe(before);
      expect(sent(other)[1]).not.toBeNull();
    }
  });

  test("shared by both ends at once uses one section, however the offers cross", async () => {
    for (let seed = 0; seed < 200; seed++) {
      const { world, polite, impolite } = pair(seed);
      await world.run();
      const theirs = screen();
      const ours = screen();
      polite.link.setTracks(theirs);
      impolite.link.setTracks(ours);
      await world.run();
      expect(sent(polite), `seed ${seed}`).toEqual([null, theirs.screen]);
      expect(sent(impolite), `seed ${seed}`).toEqual([null, ours.screen]);
      expect(polite.peer().transceivers.filter(({ mid }) => mid === null)).toEqual([]);
    }
  });
});

test("a viewer's sections send nothing, and do once it is a speaker", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const { world, polite, impolite } = pair(seed);
    const directions = ({ peer }: End) => peer().transceivers.map(({ direction }) => direction);
    polite.link.setRights({ sends: [], receives: true });
    impolite.link.setRights({ sends: ["microphone", "screen"], receives: false });
    await world.run();
    expect(directions(polite), `seed ${seed}`).toEqual(["recvonly", "recvonly"]);
    expect(directions(impolite), `seed ${seed}`).toEqual(["sendonly", "inactive"]);
    for (const { link } of [polite, impolite]) link.setRights(ALL_RIGHTS);
    await world.run();
    for (const end of [polite, impolite]) expect(directions(end)).toEqual(["sendrecv", "sendrecv"]);
  }
});
