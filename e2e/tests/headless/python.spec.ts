// python-socketio is no browser's client, and speaks the same protocol.

import { Caller, type Event } from "../../headless/caller.ts";
import { Robot } from "../../headless/robot.ts";
import { Snake } from "../../headless/snake.ts";
import { expect, test } from "../../support/test.ts";
import { until } from "../../support/until.ts";

const SDP = { type: "offer", sdp: "v=0\r\n여보세요 👋" };

/** What somebody heard, as it grows. */
function listen(caller: Caller): Event[] {
  const heard: Event[] = [];
  caller.listen((event) => heard.push(event));
  return heard;
}

/** Waits until the last thing heard has that name. */
const last = (heard: Event[], name: string) =>
  until(name, async () => ({ done: heard.at(-1)?.[0] === name || undefined, seen: heard }));

test("a client in Python and one in JavaScript talk in a video chat, whoever comes first", async ({
  server,
}) => {
  for (const pythonFirst of [true, false]) {
    const python = await Snake.connect(server.url);
    const script = await Caller.connect(server.url, "video-chat");
    const heard = listen(script);
    if (pythonFirst) {
      python.emit("join", "tea");
      await python.hears("created");
      script.emit("join", "tea");
      await last(heard, "joined");
    } else {
      script.emit("join", "tea");
      await last(heard, "created");
      python.emit("join", "tea");
      await python.hears("joined");
    }

    script.emit("ready", "tea");
    expect(await python.hears("ready")).toEqual([["ready"]]);
    python.emit("offer", SDP, "tea");
    await last(heard, "offer");
    expect(heard.at(-1)).toEqual(["offer", SDP]);
    script.emit("answer", { ...SDP, type: "answer" }, "tea");
    expect(await python.hears("answer")).toEqual([["answer", { ...SDP, type: "answer" }]]);

    const candidates = Array.from({ length: 100 }, (_, sdpMLineIndex) => ({ sdpMLineIndex }));
    const told = candidates.map((candidate) => ["candidate", candidate]);
    for (const candidate of candidates) {
      script.emit("candidate", candidate, "tea");
      python.emit("candidate", candidate, "tea");
    }
    expect(await python.hears("candidate", candidates.length)).toEqual(told);
    python.emit("ready", "tea");
    await last(heard, "ready");
    expect(heard.filter(([event]) => event === "candidate")).toEqual(told);

    expect(await python.close()).toBe("websocket");
    script.close();
  }
});

test("whoever takes the place of a client in Python that was killed is let in", async ({
  server,
}) => {
  const python = await Snake.connect(server.url);
  python.emit("join", "tea");
  await python.hears("created");
  const ada = await Caller.connect(server.url, "video-chat");
  const heard = listen(ada);
  ada.emit("join", "tea");
  await last(heard, "joined");
  const grace = await Caller.connect(server.url, "video-chat");
  const greeted = listen(grace);
  grace.emit("join", "tea");
  await last(greeted, "full");

  await python.kill();
  await until("Grace to be let in", async () => {
    const before = greeted.length;
    grace.emit("join", "tea");
    await until("an answer", async () => ({ done: greeted.length > before || undefined }));
    return { done: greeted.at(-1)?.[0] === "joined" || undefined, seen: greeted };
  });
  ada.close();
  grace.close();
});

test.describe("by the media server", () => {
  test.use({ flags: ["--topology", "sfu"] });

  test("two in Python with aiortc see and hear each other", async ({ server }) => {
    const ann = Robot.join(server.url, "tea", "Ann");
    const ben = Robot.join(server.url, "tea", "Ben");
    await ann.receives("Ben");
    await ben.receives("Ann");
    for (const robot of [ann, ben])
      expect(await robot.close()).toEqual({ code: 0, complaints: "" });
  });

  test("one in Python with aiortc and one in a browser see and hear each other", async ({
    server,
    open,
  }) => {
    const robot = Robot.join(server.url, "tea", "Robot");
    const ann = await open("Ann");
    await ann.enter("tea");
    await ann.decodes(1);
    await robot.receives("Ann");
    expect(await robot.close()).toEqual({ code: 0, complaints: "" });
  });
});
