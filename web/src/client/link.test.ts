import { describe, expect, test } from "vitest";
import { meshQuality } from "./encoding.ts";
import { Link } from "./link.ts";
import type { Signal } from "./negotiation.ts";
import { NO_TRACKS, type Tracks } from "./source.ts";
import { FakeTrack, fakeStream } from "./testing/media.ts";
import { FakePeer } from "./testing/peer.ts";
import { Scheduler } from "./testing/scheduler.ts";

interface End {
  link: Link;
  peer: () => FakePeer;
}

/** Two ends whose signals cross in an order drawn from the seed. */
function pair(seed: number): { world: Scheduler; polite: End; impolite: End } {
  const world = new Scheduler(seed);
  const ends = {} as Record<"polite" | "impolite", End>;
  const end = (name: "polite" | "impolite", other: "polite" | "impolite"): End => {
    let peer: FakePeer | undefined;
    const link = new Link({
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
      changed: () => {},
    });
    return { link, peer: () => peer as FakePeer };
  };
  ends.polite = end("polite", "impolite");
  ends.impolite = end("impolite", "polite");
  return { world, ...ends };
}

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
