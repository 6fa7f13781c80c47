import { expect, test } from "vitest";
import type { CallState } from "../api.ts";
import type { Joined, MediaState, Participant } from "../protocol.ts";
import { newCall, reduceCall } from "./call.ts";

const OFF: MediaState = { mic: false, camera: false, screen: false, hand: false };

const UNSEEN = { stream: null, screen: null };

function participant(id: string, media: MediaState = OFF): Participant {
  return { id, name: id.toUpperCase(), media, direct: false };
}

function joined(...others: string[]): Joined {
  return {
    self: participant("me"),
    room: { name: "tea", participants: others.length + 1, capacity: 9, locked: false },
    participants: others.map((id) => participant(id)),
    topology: "mesh",
    iceServers: [],
    resume: "token",
    resumeSeconds: 30,
    resumed: false,
    last: 0,
  };
}

const ids = (call: CallState) => call.others.map(({ id }) => id);

test("chat from before the join is shown, and after a new join own unsent messages stay", () => {
  const said = (n: number) => ({ from: "a", name: "A", text: `${n}`, at: n });
  let call = newCall({ ...joined("a"), chat: [said(1), said(2)] });
  expect(call.chat).toMatchObject([
    { text: "1", name: "A", status: "sent", earlier: true },
    { text: "2", earlier: true },
  ]);
  call = reduceCall(call, { is: "chat", from: "a", text: "3", at: 3, key: "a 3" });
  const own = { is: "chat:own", text: "mine", at: 4, key: "own 1" } as const;
  call = reduceCall(call, { ...own, status: "sending" });
  const again = { ...joined("a"), chat: [said(2), said(3), said(4)] };
  call = reduceCall(call, { is: "joined", joined: again });
  expect(call.chat.map(({ text }) => text)).toEqual(["1", "2", "3", "4", "mine"]);
  expect(new Set(call.chat.map(({ key }) => key)).size).toBe(5);
  call = reduceCall(call, { is: "joined", joined: joined("a") });
  expect(call.chat).toHaveLength(5);
});

test("participants keep the order in which they joined", () => {
  let call = newCall(joined("a", "b"));
  call = reduceCall(call, { is: "participant:joined", participant: participant("c") });
  expect(ids(call)).toEqual(["a", "b", "c"]);
  call = reduceCall(call, { is: "participant:left", id: "a" });
  expect(ids(call)).toEqual(["b", "c"]);
});

test("a repeated join updates the participant and keeps its link", () => {
  let call = newCall(joined("a"));
  call = reduceCall(call, { is: "link", id: "a", connection: "connected", ...UNSEEN });
  call = reduceCall(call, {
    is: "participant:joined",
    participant: participant("a", { ...OFF, mic: true }),
  });
  expect(call.others).toMatchObject([{ id: "a", connection: "connected", media: { mic: true } }]);
});

test("an update changes its participant only, and none that has left", () => {
  const call = newCall(joined("a", "b"));
  const hand = { ...OFF, hand: true };
  const next = reduceCall(call, { is: "participant:updated", participant: participant("b", hand) });
  expect(next.others[0]).toBe(call.others[0]);
  expect(next.others[1]?.media).toEqual(hand);
  const gone = { is: "participant:updated", participant: participant("z", hand) } as const;
  expect(reduceCall(call, gone)).toBe(call);
});

test("an event without effect returns the same object", () => {
  const call = newCall(joined("a"));
  expect(reduceCall(call, { is: "participant:left", id: "z" })).toBe(call);
  expect(reduceCall(call, { is: "speaking", ids: new Set(), speaker: null })).toBe(call);
  const link = { is: "link", id: "a", connection: "connecting", ...UNSEEN } as const;
  expect(reduceCall(call, link)).toBe(call);
});

test("speaking participants are marked, including this device, until they are silent", () => {
  const call = newCall(joined("a", "b"));
  const loud = reduceCall(call, { is: "speaking", ids: new Set(["b", "me"]), speaker: "b" });
  expect(loud.self.speaking).toBe(true);
  expect(loud.others.map(({ speaking }) => speaking)).toEqual([false, true]);
  expect(loud.speaker).toBe("b");
  const silent = reduceCall(loud, { is: "speaking", ids: new Set(), speaker: null });
  expect(silent).toEqual(call);
});

test("a resume keeps known participants, adds new ones and removes those that left", () => {
  let call = newCall(joined("a", "b"));
  call = reduceCall(call, { is: "link", id: "b", connection: "connected", ...UNSEEN });
  call = reduceCall(call, { is: "media", media: { ...OFF, camera: true } });
  call = reduceCall(call, { is: "disconnected" });
  expect(call.status).toBe("reconnecting");
  call = reduceCall(call, { is: "resumed", joined: joined("b", "c") });
  expect(call.status).toBe("joined");
  expect(call.self.media.camera).toBe(true);
  expect(call.others).toMatchObject([
    { id: "b", connection: "connected" },
    { id: "c", connection: "connecting" },
  ]);
});

test("joining as a new participant resets the links", () => {
  let call = newCall(joined("a"));
  call = reduceCall(call, { is: "link", id: "a", connection: "connected", ...UNSEEN });
  call = reduceCall(call, { is: "joined", joined: joined("a") });
  expect(call.others).toMatchObject([{ id: "a", connection: "connecting" }]);
});

test("an ended call keeps its error, has no participants and ignores a disconnect", () => {
  const error = { code: "room_full", message: "full" } as const;
  const call = reduceCall(newCall(joined("a")), { is: "ended", error });
  expect(call).toMatchObject({ status: "ended", error, others: [] });
  expect(reduceCall(call, { is: "disconnected" })).toBe(call);
});

test("chat messages are kept in order and bounded, own messages with their status", () => {
  let call = newCall(joined("a"));
  const said = { is: "chat:own", text: "hi", at: 5, key: "own 1" } as const;
  call = reduceCall(call, { ...said, status: "sending" });
  call = reduceCall(call, { is: "chat", from: "a", text: "ho", at: 6, key: "a 7" });
  call = reduceCall(call, { ...said, status: "sent" });
  expect(call.chat).toMatchObject([
    { from: "me", name: "ME", text: "hi", status: "sent" },
    { from: "a", name: "A", text: "ho", status: "sent" },
  ]);
  call = reduceCall(call, { is: "participant:left", id: "a" });
  expect(call.chat[1]?.name).toBe("A");
  for (let n = 0; n < 1_000; n++) {
    call = reduceCall(call, { is: "chat", from: "a", text: `${n}`, at: n, key: `a ${n + 10}` });
  }
  expect(call.chat).toHaveLength(500);
  expect(call.chat.at(-1)?.text).toBe("999");
});

test("a resume leaves the topology to the missed events", () => {
  const call = reduceCall(newCall(joined("a")), {
    is: "resumed",
    joined: { ...joined("a"), topology: "sfu" },
  });
  expect(call.topology).toBe("mesh");
});

test("a quality is set for each participant, and reset to unknown", () => {
  const call = newCall(joined("a", "b"));
  const judged = reduceCall(call, {
    is: "quality",
    qualities: new Map([
      ["a", "poor"],
      ["me", "good"],
    ]),
  });
  expect([judged.self, ...judged.others].map(({ quality }) => quality)).toEqual([
    "good",
    "poor",
    null,
  ]);
  expect(reduceCall(judged, { is: "quality", qualities: new Map() })).toEqual(call);
});

test("sources without a codec in common are listed until they are available", () => {
  const call = newCall(joined("a", "b"));
  const track = { mid: "1", participant: "a", source: "camera" } as const;
  const without = reduceCall(call, {
    is: "subscribed",
    tracks: [
      { ...track, unavailable: "codec" },
      { ...track, mid: "2", participant: "b" },
    ],
  });
  expect(without.others[0]?.unplayable).toEqual(["camera"]);
  expect(without.others[1]).toBe(call.others[1]);
  const same = reduceCall(without, {
    is: "subscribed",
    tracks: [{ ...track, unavailable: "codec" }],
  });
  expect(same).toBe(without);
  const comes = reduceCall(without, { is: "subscribed", tracks: [track] });
  expect(comes.others[0]).toEqual(call.others[0]);
});

test("the mesh link decides what is unplayable for a direct participant", () => {
  const call = newCall(joined("a", "b"));
  const link = { is: "link", id: "a", connection: "connected", ...UNSEEN } as const;
  const without = reduceCall(call, { ...link, unplayable: ["camera"] });
  expect(without.others[0]?.unplayable).toEqual(["camera"]);
  expect(without.others[1]).toBe(call.others[1]);
  expect(reduceCall(without, { ...link, unplayable: ["camera"] })).toBe(without);
  expect(reduceCall(without, link)).toBe(without);
  const direct = participant("a");
  const turned = reduceCall(without, {
    is: "participant:updated",
    participant: { ...direct, direct: true },
  });
  const subscribed = reduceCall(turned, { is: "subscribed", tracks: [] });
  expect(subscribed.others[0]?.unplayable).toEqual(["camera"]);
  const comes = reduceCall(without, { ...link, unplayable: [] });
  expect(comes.others[0]).not.toHaveProperty("unplayable");
});

test("an interruption ends with the first update without it", () => {
  const ann = participant("a");
  const at = (call: CallState, participant: Participant) =>
    reduceCall(call, { is: "participant:updated", participant });
  const begin = reduceCall(newCall(joined()), { is: "participant:joined", participant: ann });
  const lost = at(begin, { ...ann, interrupted: true });
  expect(lost.others[0]?.interrupted).toBe(true);
  expect(at(lost, ann).others[0]?.interrupted).toBe(false);
});

test("a host's changes of this participant are taken, its media is not", () => {
  const call = newCall(joined());
  const { self } = joined();
  const muted = { ...self, role: "viewer", muted: ["microphone"], raised: 3 } as const;
  const next = reduceCall(call, {
    is: "participant:updated",
    participant: {
      ...muted,
      muted: [...muted.muted],
      media: { ...self.media, mic: !self.media.mic },
    },
  });
  expect(next.self).toMatchObject({ role: "viewer", muted: ["microphone"], raised: 3 });
  expect(next.self.media).toEqual(call.self.media);
  const after = reduceCall(next, { is: "participant:updated", participant: self });
  expect(after.self).not.toHaveProperty("muted");
  expect(after.self).not.toHaveProperty("raised");
});

test("the waiting room has everybody once", () => {
  const ben = { id: "w1", name: "Ben" };
  let call = newCall({ ...joined(), waiting: [ben] });
  call = reduceCall(call, { is: "waiting:joined", waiting: ben });
  call = reduceCall(call, { is: "waiting:joined", waiting: { id: "w2", name: "Cem" } });
  expect(call.waiting.map(({ id }) => id)).toEqual(["w1", "w2"]);
  call = reduceCall(call, { is: "waiting:left", id: "w1" });
  expect(call.waiting.map(({ id }) => id)).toEqual(["w2"]);
});

test("a host's request to unmute stays until it is answered", () => {
  const call = newCall(joined("a"));
  const asked = reduceCall(call, { is: "unmute", by: "a", sources: ["microphone"] });
  expect(asked.unmuteRequest).toEqual({ by: "A", sources: ["microphone"] });
  expect(reduceCall(asked, { is: "unmute:answered" }).unmuteRequest).toBeNull();
  expect(reduceCall(call, { is: "unmute:answered" })).toBe(call);
});

test("one's own hand is raised after those of the others, and keeps its place", () => {
  const call = newCall(joined("a", "b"));
  const before = { ...participant("a"), raised: 7 };
  const up = reduceCall(reduceCall(call, { is: "participant:updated", participant: before }), {
    is: "media",
    media: { ...OFF, hand: true },
  });
  expect(up.self.raised).toBe(8);
  const later = { ...participant("b"), raised: 12 };
  const next = reduceCall(reduceCall(up, { is: "participant:updated", participant: later }), {
    is: "media",
    media: { ...OFF, hand: true, mic: true },
  });
  expect(next.self.raised).toBe(8);
  expect(reduceCall(next, { is: "media", media: OFF }).self).not.toHaveProperty("raised");
});

test("a reaction is the sender's, also one's own, and each is a new one", () => {
  const call = newCall(joined("a"));
  const theirs = reduceCall(call, { is: "reaction", from: "a", emoji: "👍" });
  expect(theirs.reaction).toEqual({ key: 1, from: "a", name: "A", emoji: "👍" });
  const own = reduceCall(theirs, { is: "reaction", from: "me", emoji: "👍" });
  expect(own.reaction).toEqual({ key: 2, from: "me", name: "ME", emoji: "👍" });
});

test("a host who steps down no longer sees who waits", () => {
  const update = (role: "co_host" | "speaker") =>
    ({ is: "participant:updated", participant: { ...participant("me"), role } }) as const;
  let call = newCall(joined());
  call = reduceCall(call, { is: "waiting:joined", waiting: { id: "w", name: "W" } });
  expect(reduceCall(call, update("co_host")).waiting).toHaveLength(1);
  expect(reduceCall(call, update("speaker")).waiting).toEqual([]);
});

test("private messages are marked, and stay after a new join that knows nothing of them", () => {
  const said = (n: number) => ({ from: "a", name: "A", text: `${n}`, at: n });
  let call = newCall({ ...joined("a"), chat: [said(1)] });
  const to = { id: "a", name: "A" };
  const own = { is: "chat:own", text: "to you", at: 2, key: "own 1", to } as const;
  call = reduceCall(call, { ...own, status: "sent" });
  const whisper = { from: "a", text: "to me", at: 4, isPrivate: true, key: "a 4" };
  call = reduceCall(call, { is: "chat", ...whisper });
  call = reduceCall(call, { is: "chat", from: "a", text: "3", at: 3, key: "a 3" });
  expect(call.chat.map(({ isPrivate = false, to }) => [isPrivate, to?.name])).toEqual([
    [false, undefined],
    [true, "A"],
    [true, undefined],
    [false, undefined],
  ]);
  call = reduceCall(call, { is: "joined", joined: { ...joined("a"), chat: [said(1), said(3)] } });
  expect(call.chat.map(({ text }) => text)).toEqual(["1", "to you", "3", "to me"]);
});

test("polls come with the join, change with votes, and are the server's after a resume", () => {
  const poll = { id: 1, question: "Lunch?", multiple: false, named: false, closed: false };
  const options = (...votes: number[]) => votes.map((votes, n) => ({ text: `${n}`, votes }));
  const lunch = { ...poll, options: options(0, 0), voters: 0, by: "A", at: 1 };
  let call = newCall({ ...joined("a"), polls: [{ ...lunch, mine: [1] }] });
  expect(call.polls).toMatchObject([{ id: 1, mine: [1] }]);
  call = reduceCall(call, { is: "poll", poll: { ...lunch, options: options(2, 1), voters: 3 } });
  expect(call.polls).toMatchObject([{ voters: 3, mine: [1] }]);
  call = reduceCall(call, { is: "poll:voted", poll: 1, options: [0] });
  call = reduceCall(call, { is: "poll", poll: { ...lunch, id: 2 } });
  expect(call.polls.map(({ id, mine }) => [id, mine])).toEqual([
    [1, [0]],
    [2, []],
  ]);
  call = reduceCall(call, { is: "poll:removed", poll: 1 });
  expect(call.polls.map(({ id }) => id)).toEqual([2]);
  call = reduceCall(call, { is: "resumed", joined: joined("a") });
  expect(call.polls).toEqual([]);
});
