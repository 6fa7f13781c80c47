import type { CallState, RemoteParticipant, Role, TrackSource } from "moim-client";
import { expect, test } from "vitest";
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
    sfuUnreachable: false,
    reception: "all",
    speaker: null,
    policy: null,
    waiting: [],
    spotlight: [],
    unmuteRequest: null,
    mutedBy: null,
    handLoweredBy: null,
    reaction: null,
    chat: [],
    polls: [],
    formerIds: [],
    self: { id: "s", name: "Me", media: on, speaking: true, quality: null },
    others,
  };
}

function only(other: Partial<RemoteParticipant>) {
  const [tile] = tilesOf(call([{ ...ada, ...other }]), OWN);
  if (tile?.kind !== "person") throw new Error("a participant without a tile");
  return tile;
}

test("the own tile comes last", () => {
  const ids = tilesOf(call([ada, { ...ada, id: "b" }]), OWN).map(({ id }) => id);
  expect(ids).toEqual(["a", "b", "s"]);
});

test("a camera that is off or has no stream yet shows the avatar", () => {
  expect(only({}).showsVideo).toBe(true);
  expect(only({ media: { ...on, camera: false } }).showsVideo).toBe(false);
  expect(only({ stream: null }).showsVideo).toBe(false);
});

test("a participant that receives sound only is not told that the others' cameras are off", () => {
  const seen = { ...call([ada]), reception: "sound" as const };
  const [tile] = tilesOf(seen, OWN);
  if (tile?.kind !== "person") throw new Error("a participant without a tile");
  expect(tile.showsVideo).toBe(false);
  expect(tileLabel(tile, en)).not.toContain(en.call.cameraMuted);
  expect(tileLabel(only({ media: { ...on, camera: false } }), en)).toContain(en.call.cameraMuted);
});

test("a source paused by the system is labelled, and its black video is hidden", () => {
  const media = { ...on, interrupted: { mic: true, camera: true } };
  const tile = only({ media });
  expect(tile).toMatchObject({ isMicPaused: true, isCameraPaused: true, showsVideo: false });
  expect(tileLabel(tile, en)).toContain(en.call.micPaused);
  expect(tileLabel(tile, en)).toContain(en.call.cameraPaused);
  // A source that is off is not paused.
  const off = only({ media: { ...media, mic: false, camera: false } });
  expect(off).toMatchObject({ isMicPaused: false, isCameraPaused: false, isMuted: true });
});

test("a muted participant is not speaking", () => {
  expect(only({ speaking: true }).isSpeaking).toBe(true);
  expect(only({ speaking: true, media: { ...on, mic: false } })).toMatchObject({
    isSpeaking: false,
    isMuted: true,
  });
});

test("a tile that is not connected says so", () => {
  expect(connectionText(only({}), en)).toBeNull();
  expect(connectionText(only({ connection: "connecting" }), en)).toBe(en.call.connecting);
  expect(connectionText(only({ connection: "reconnecting" }), en)).toBe(en.call.reconnecting);
  expect(connectionText(only({ connection: "failed" }), en)).toBe(en.call.failed);
});

test("only the source that this browser can't decode is marked unplayable", () => {
  const tile = only({ unplayable: ["camera"] });
  expect(tile).toMatchObject({ showsVideo: false, isUnplayable: true });
  expect(tileLabel(tile, en)).toBe(`Ada, ${en.call.unplayable}`);
  const off = only({ unplayable: ["camera"], media: { ...on, camera: false } });
  expect(tileLabel(off, en)).toBe("Ada, camera off");
  expect(only({ unplayable: ["screen"] })).toMatchObject({
    showsVideo: true,
    isUnplayable: false,
  });

  const sharing = { ...ada, media: { ...on, screen: true }, screen: stream };
  const [screen] = tilesOf(call([{ ...sharing, unplayable: ["screen"] }]), OWN);
  expect(screen).toMatchObject({ kind: "screen", isUnplayable: true });
  expect(tilesOf(call([sharing]), OWN)[0]).toMatchObject({ isUnplayable: false });
});

test("the own tile is reconnecting while the server is unreachable", () => {
  expect(tilesOf(call([], "reconnecting"), OWN)[0]).toMatchObject({ connection: "reconnecting" });
});

test("the accessible name of a tile contains everything it shows", () => {
  const tile = only({ media: { ...on, mic: false, camera: false }, connection: "failed" });
  expect(tileLabel(tile, en)).toBe("Ada, No connection, microphone off, camera off");
  const self = tilesOf(call([]), { ...OWN, camera: stream })[0];
  expect(self?.kind === "person" && tileLabel(self, en)).toBe("Me (you)");
  expect(tileLabel(only({ quality: "good" }), en)).toBe("Ada");
  expect(tileLabel(only({ quality: "poor" }), en)).toBe("Ada, Poor connection");
});

test("a shared screen has its own tile before the participants", () => {
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

test("the large tile is the pinned one, else another's newest screen, else the speaker", () => {
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

test("a participant whose media the server does not receive is reconnecting", () => {
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

test("the accessible name distinguishes participants with the same name", () => {
  expect(tileLabel(only({ alike: 2 }), en)).toContain("Ada, another person with this name (2)");
  expect(tileLabel(only({}), en)).not.toContain("another");
  const sharing = { ...ada, alike: 2, media: { ...on, screen: true }, screen: stream };
  const [screen] = tilesOf(call([sharing]), OWN);
  if (screen?.kind !== "screen") throw new Error("a shared screen without a tile");
  expect(screenLabel(screen, en)).toBe("Ada (2)'s screen");
});

test("what a participant may not send is neither heard nor seen, whatever arrives", () => {
  const all = { ...on, screen: true };
  const sending = { ...ada, media: all, screen: stream };
  const policy = {
    entry: "open",
    chat: "everybody",
    screen: "hosts",
    newcomers: "viewer",
  } as const;
  const shown = (role: Role, muted: TrackSource[] = []) => {
    const tiles = tilesOf({ ...call([{ ...sending, role, muted }]), policy }, OWN);
    const person = tiles.find(({ kind, isSelf }) => kind === "person" && !isSelf);
    const screen = tiles.find(({ kind }) => kind === "screen");
    if (person?.kind !== "person") throw new Error("a participant without a tile");
    const sound = screen?.kind === "screen" ? !screen.isSilenced : false;
    return [!person.isSilenced, person.showsVideo, screen !== undefined, sound];
  };
  expect(shown("viewer")).toEqual([false, false, false, false]);
  expect(shown("speaker")).toEqual([true, true, false, false]);
  expect(shown("host")).toEqual([true, true, true, true]);
  expect(shown("host", ["microphone", "screen_audio"])).toEqual([false, true, true, false]);
  expect(shown("host", ["camera", "screen"])).toEqual([true, false, false, false]);
});
