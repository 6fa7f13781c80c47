import { expect, test } from "vitest";
import type { CallState, RemoteParticipant } from "../../client/index.ts";
import { en } from "../i18n/en.ts";
import {
  connectionText,
  featuredOf,
  screenLabel,
  sourceOf,
  tileLabel,
  tilesOf,
} from "./tile-view.ts";

const on = { mic: true, camera: true, screen: false, hand: false };
const stream = {} as MediaStream;

const ada: RemoteParticipant = {
  id: "a",
  name: "Ada",
  media: on,
  speaking: false,
  direct: false,
  quality: null,
  connection: "connected",
  stream,
  screen: null,
};

const OWN = { camera: null, screen: null };

function call(others: RemoteParticipant[], status: CallState["status"] = "joined"): CallState {
  return {
    status,
    error: null,
    room: { name: "tea", participants: others.length + 1, capacity: 8, locked: false },
    topology: "mesh",
    cutOff: false,
    speaker: null,
    chat: [],
    self: { id: "s", name: "Me", media: on, speaking: true, quality: null },
    others,
  };
}

function only(other: Partial<RemoteParticipant>) {
  const [tile] = tilesOf(call([{ ...ada, ...other }]), OWN);
  if (tile?.kind !== "person") throw new Error("a participant without a tile");
  return tile;
}

test("one's own tile comes last", () => {
  const ids = tilesOf(call([ada, { ...ada, id: "b" }]), OWN).map(({ id }) => id);
  expect(ids).toEqual(["a", "b", "s"]);
});

test("a camera that is off, or a picture not yet there, shows the avatar", () => {
  expect(only({}).showsPicture).toBe(true);
  expect(only({ media: { ...on, camera: false } }).showsPicture).toBe(false);
  expect(only({ stream: null }).showsPicture).toBe(false);
});

test("what the system pauses is told, and its black picture is not shown", () => {
  const media = { ...on, interrupted: { mic: true, camera: true } };
  const tile = only({ media });
  expect(tile).toMatchObject({ isMicPaused: true, isCameraPaused: true, showsPicture: false });
  expect(tileLabel(tile, en)).toContain(en.call.micPaused);
  expect(tileLabel(tile, en)).toContain(en.call.cameraPaused);
  // Off is off, whatever the system does besides.
  const off = only({ media: { ...media, mic: false, camera: false } });
  expect(off).toMatchObject({ isMicPaused: false, isCameraPaused: false, isMuted: true });
});

test("who is muted does not speak", () => {
  expect(only({ speaking: true }).isSpeaking).toBe(true);
  expect(only({ speaking: true, media: { ...on, mic: false } })).toMatchObject({
    isSpeaking: false,
    isMuted: true,
  });
});

test("a link that is not up says so in words", () => {
  expect(connectionText(only({}), en)).toBeNull();
  expect(connectionText(only({ connection: "connecting" }), en)).toBe(en.call.connecting);
  expect(connectionText(only({ connection: "reconnecting" }), en)).toBe(en.call.reconnecting);
  expect(connectionText(only({ connection: "failed" }), en)).toBe(en.call.failed);
});

test("a picture that this browser can't play says so in words, and no other", () => {
  const tile = only({ unplayable: ["camera"] });
  expect(tile).toMatchObject({ showsPicture: false, isUnplayable: true });
  expect(tileLabel(tile, en)).toBe(`Ada, ${en.call.unplayable}`);
  const off = only({ unplayable: ["camera"], media: { ...on, camera: false } });
  expect(tileLabel(off, en)).toBe("Ada, camera off");
  expect(only({ unplayable: ["screen"] })).toMatchObject({
    showsPicture: true,
    isUnplayable: false,
  });

  const sharing = { ...ada, media: { ...on, screen: true }, screen: stream };
  const [screen] = tilesOf(call([{ ...sharing, unplayable: ["screen"] }]), OWN);
  expect(screen).toMatchObject({ kind: "screen", isUnplayable: true });
  expect(tilesOf(call([sharing]), OWN)[0]).toMatchObject({ isUnplayable: false });
});

test("while the server is out of reach one's own tile is reconnecting", () => {
  expect(tilesOf(call([], "reconnecting"), OWN)[0]).toMatchObject({ connection: "reconnecting" });
});

test("a tile's label holds all it shows", () => {
  const tile = only({ media: { ...on, mic: false, camera: false }, connection: "failed" });
  expect(tileLabel(tile, en)).toBe("Ada, No connection, microphone off, camera off");
  const self = tilesOf(call([]), { ...OWN, camera: stream })[0];
  expect(self?.kind === "person" && tileLabel(self, en)).toBe("Me (you)");
  expect(tileLabel(only({ quality: "good" }), en)).toBe("Ada");
  expect(tileLabel(only({ quality: "poor" }), en)).toBe("Ada, Poor connection");
});

test("a shared screen has a tile of its own before the people, while it is shared", () => {
  const shares = { ...ada, media: { ...on, screen: true }, screen: stream };
  const keys = (other: RemoteParticipant) => tilesOf(call([other]), OWN).map(({ key }) => key);
  expect(keys(shares)).toEqual(["a screen", "a", "s"]);
  expect(keys({ ...shares, media: on })).toEqual(["a", "s"]);
  expect(keys({ ...shares, screen: null })).toEqual(["a", "s"]);
  const own = tilesOf(call([]), { ...OWN, screen: stream });
  expect(own).toMatchObject([{ kind: "screen", isSelf: true }, { kind: "person" }]);
  expect(own.map(sourceOf)).toEqual([null, null]);
  expect(tilesOf(call([shares]), OWN).map(sourceOf)).toEqual(["screen", "camera", null]);
});

test("large is the pinned tile, else the newest screen of another, else who speaks", () => {
  const people = [ada, { ...ada, id: "b" }, { ...ada, id: "c" }];
  const grid = { pinned: null, isSpeakerView: false, speaker: "b" };
  const tiles = tilesOf(call(people), { ...OWN, screen: stream });
  expect(featuredOf(tiles, grid)).toBeNull();
  expect(featuredOf(tiles, { ...grid, isSpeakerView: true })).toBe("b");
  expect(featuredOf(tiles, { ...grid, isSpeakerView: true, speaker: null })).toBe("a");
  expect(featuredOf(tiles, { ...grid, pinned: "c" })).toBe("c");
  expect(featuredOf(tiles, { ...grid, pinned: "gone" })).toBeNull();
  const sharing = people.map((each) => ({
    ...each,
    media: { ...on, screen: true },
    screen: stream,
  }));
  const screens = tilesOf(call(sharing), OWN);
  expect(featuredOf(screens, grid)).toBe("c screen");
  expect(featuredOf(screens, { ...grid, pinned: "a" })).toBe("a");
  expect(featuredOf(tilesOf(call([]), OWN), { ...grid, isSpeakerView: true })).toBeNull();
});

test("one from whom the media server receives nothing is shown as reconnecting", () => {
  const tile = (other: Partial<RemoteParticipant>, topology: CallState["topology"]) =>
    tilesOf({ ...call([{ ...ada, ...other }]), topology }, OWN)[0];
  expect(tile({ interrupted: true }, "sfu")).toMatchObject({ connection: "reconnecting" });
  expect(tile({ interrupted: false }, "sfu")).toMatchObject({ connection: "connected" });
  expect(tile({ interrupted: true }, "mesh")).toMatchObject({ connection: "connected" });
  expect(tile({ interrupted: true, direct: true }, "sfu")).toMatchObject({
    connection: "connected",
  });
  expect(tile({ interrupted: true, connection: "failed" }, "sfu")).toMatchObject({
    connection: "failed",
  });
});

test("a name like another's is told apart for whoever hears it", () => {
  expect(tileLabel(only({ alike: 2 }), en)).toContain("Ada, another person with this name (2)");
  expect(tileLabel(only({}), en)).not.toContain("another");
  const sharing = { ...ada, alike: 2, media: { ...on, screen: true }, screen: stream };
  const [screen] = tilesOf(call([sharing]), OWN);
  if (screen?.kind !== "screen") throw new Error("a shared screen without a tile");
  expect(screenLabel(screen, en)).toBe("Ada (2)'s screen");
});
