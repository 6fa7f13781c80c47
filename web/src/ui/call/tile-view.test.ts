import { expect, test } from "vitest";
import type { CallState, RemoteParticipant } from "../../client/index.ts";
import { en } from "../i18n/en.ts";
import { connectionText, tileLabel, tilesOf } from "./tile-view.ts";

const on = { mic: true, camera: true, screen: false, hand: false };
const stream = {} as MediaStream;

const ada: RemoteParticipant = {
  id: "a",
  name: "Ada",
  media: on,
  speaking: false,
  connection: "connected",
  stream,
};

function call(others: RemoteParticipant[], status: CallState["status"] = "joined"): CallState {
  return {
    status,
    error: null,
    room: { name: "tea", participants: others.length + 1, capacity: 8, locked: false },
    topology: "mesh",
    self: { id: "s", name: "Me", media: on, speaking: true },
    others,
  };
}

function only(other: Partial<RemoteParticipant>) {
  const [tile] = tilesOf(call([{ ...ada, ...other }]), null);
  if (!tile) throw new Error("a participant without a tile");
  return tile;
}

test("one's own tile comes last", () => {
  const ids = tilesOf(call([ada, { ...ada, id: "b" }]), stream).map(({ id }) => id);
  expect(ids).toEqual(["a", "b", "s"]);
});

test("a camera that is off, or a picture not yet there, shows the avatar", () => {
  expect(only({}).showsPicture).toBe(true);
  expect(only({ media: { ...on, camera: false } }).showsPicture).toBe(false);
  expect(only({ stream: null }).showsPicture).toBe(false);
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

test("while the server is out of reach one's own tile is reconnecting", () => {
  expect(tilesOf(call([], "reconnecting"), null)[0]?.connection).toBe("reconnecting");
});

test("a tile's label holds all it shows", () => {
  const tile = only({ media: { ...on, mic: false, camera: false }, connection: "failed" });
  expect(tileLabel(tile, en)).toBe("Ada, No connection, microphone off, camera off");
  const self = tilesOf(call([]), stream)[0];
  expect(self && tileLabel(self, en)).toBe("Me (you)");
});
