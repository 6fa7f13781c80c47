import { expect, test } from "vitest";
import { en } from "../i18n/en.ts";
import { ko } from "../i18n/ko.ts";
import { newsBetween, newsText } from "./news.ts";

const media = { screen: false };
const ada = { id: "1", name: "Ada", media };
const jiwoo = { id: "2", name: "지우", media };

test("who came and who went", () => {
  expect(
    newsBetween({ status: "joined", others: [ada] }, { status: "joined", others: [jiwoo] }),
  ).toEqual([
    { kind: "left", name: "Ada" },
    { kind: "joined", name: "지우" },
  ]);
});

test("names that look alike are told apart by their number", () => {
  const second = { id: "3", name: "Ada", alike: 2, media };
  const sharing = { ...second, media: { screen: true } };
  const one = { status: "joined", others: [ada] } as const;
  const both = { status: "joined", others: [ada, second] } as const;
  expect(newsBetween(one, both)).toEqual([{ kind: "joined", name: "Ada (2)" }]);
  expect(newsBetween(both, { ...both, others: [ada, sharing] })).toEqual([
    { kind: "shares", name: "Ada (2)" },
  ]);
  expect(newsBetween(both, one)).toEqual([{ kind: "left", name: "Ada (2)" }]);
});

test("a new picture or voice is no news", () => {
  const renewed = { ...ada };
  expect(
    newsBetween({ status: "joined", others: [ada] }, { status: "joined", others: [renewed] }),
  ).toEqual([]);
});

test("a screen that is shared, and no longer, and one that was there before somebody came", () => {
  const alone = { status: "joined", others: [] } as const;
  const quiet = { status: "joined", others: [ada] } as const;
  const sharing = { status: "joined", others: [{ ...ada, media: { screen: true } }] } as const;
  expect(newsBetween(quiet, sharing)).toEqual([{ kind: "shares", name: "Ada" }]);
  expect(newsBetween(sharing, quiet)).toEqual([{ kind: "sharesNoMore", name: "Ada" }]);
  expect(newsBetween(alone, sharing).map(({ kind }) => kind)).toEqual(["joined", "shares"]);
});

test("losing the server and finding it again", () => {
  const joined = { status: "joined", others: [ada] } as const;
  const reconnecting = { status: "reconnecting", others: [ada] } as const;
  expect(newsBetween(joined, reconnecting)).toEqual([{ kind: "reconnecting" }]);
  expect(newsBetween(reconnecting, joined)).toEqual([{ kind: "reconnected" }]);
});

test("when one's own call ends, nobody is said to have left", () => {
  expect(newsBetween({ status: "joined", others: [ada] }, { status: "ended", others: [] })).toEqual(
    [],
  );
});

test("in words", () => {
  expect(newsText({ kind: "joined", name: "Ada" }, en)).toBe("Ada joined");
  expect(newsText({ kind: "left", name: "지우" }, ko)).toBe("지우님이 나갔어요");
});
