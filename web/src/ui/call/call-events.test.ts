import { expect, test } from "vitest";
import { en } from "../i18n/en.ts";
import { ko } from "../i18n/ko.ts";
import { callEventsBetween, callEventText } from "./call-events.ts";

const media = { screen: false };
const ada = { id: "1", name: "Ada", media };
const jiwoo = { id: "2", name: "지우", media };

test("joining and leaving are events", () => {
  expect(
    callEventsBetween({ status: "joined", others: [ada] }, { status: "joined", others: [jiwoo] }),
  ).toEqual([
    { kind: "left", name: "Ada" },
    { kind: "joined", name: "지우" },
  ]);
});

test("duplicate names are distinguished by a number", () => {
  const second = { id: "3", name: "Ada", alike: 2, media };
  const sharing = { ...second, media: { screen: true } };
  const one = { status: "joined", others: [ada] } as const;
  const both = { status: "joined", others: [ada, second] } as const;
  expect(callEventsBetween(one, both)).toEqual([{ kind: "joined", name: "Ada (2)" }]);
  expect(callEventsBetween(both, { ...both, others: [ada, sharing] })).toEqual([
    { kind: "startedSharing", name: "Ada (2)" },
  ]);
  expect(callEventsBetween(both, one)).toEqual([{ kind: "left", name: "Ada (2)" }]);
});

test("a new stream is no event", () => {
  const updated = { ...ada };
  expect(
    callEventsBetween({ status: "joined", others: [ada] }, { status: "joined", others: [updated] }),
  ).toEqual([]);
});

test("starting and stopping to share a screen are events, also for a new participant", () => {
  const alone = { status: "joined", others: [] } as const;
  const quiet = { status: "joined", others: [ada] } as const;
  const sharing = { status: "joined", others: [{ ...ada, media: { screen: true } }] } as const;
  expect(callEventsBetween(quiet, sharing)).toEqual([{ kind: "startedSharing", name: "Ada" }]);
  expect(callEventsBetween(sharing, quiet)).toEqual([{ kind: "stoppedSharing", name: "Ada" }]);
  expect(callEventsBetween(alone, sharing).map(({ kind }) => kind)).toEqual([
    "joined",
    "startedSharing",
  ]);
});

test("a hand that a host lowers is told with the host's name, each time once", () => {
  const before = { status: "joined", others: [ada], handLoweredBy: null } as const;
  const after = { ...before, handLoweredBy: { name: "Ada" } };
  const lowered = { kind: "loweredHand", by: "Ada" } as const;
  expect(callEventsBetween(before, after)).toEqual([lowered]);
  expect(callEventsBetween(after, { ...after })).toEqual([]);
  expect(callEventsBetween(after, { ...after, handLoweredBy: { name: "Ada" } })).toEqual([lowered]);
  expect(callEventText(lowered, en)).toBe("Ada lowered your hand");
  expect(callEventText(lowered, ko)).toBe("Ada님이 내 손을 내렸어요");
  // Gone meanwhile, or the application.
  expect(callEventText({ ...lowered, by: "" }, en)).toBe("The host lowered your hand");
});

test("losing and regaining the server are events", () => {
  const joined = { status: "joined", others: [ada] } as const;
  const reconnecting = { status: "reconnecting", others: [ada] } as const;
  expect(callEventsBetween(joined, reconnecting)).toEqual([{ kind: "reconnecting" }]);
  expect(callEventsBetween(reconnecting, joined)).toEqual([{ kind: "reconnected" }]);
});

test("the end of one's own call does not report others as left", () => {
  expect(
    callEventsBetween({ status: "joined", others: [ada] }, { status: "ended", others: [] }),
  ).toEqual([]);
});

test("events have a text in each language", () => {
  expect(callEventText({ kind: "joined", name: "Ada" }, en)).toBe("Ada joined");
  expect(callEventText({ kind: "left", name: "지우" }, ko)).toBe("지우님이 나갔어요");
});
