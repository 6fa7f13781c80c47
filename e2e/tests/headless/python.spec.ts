// Clients in Python: python-socketio, and aiortc through the media server.

import { AiortcClient } from "../../headless/aiortc-client.ts";
import { PythonClient } from "../../headless/python-client.ts";
import { type Event, SocketClient } from "../../headless/socket-client.ts";
import { expect, test } from "../../support/test.ts";
import { until } from "../../support/until.ts";

const SDP = { type: "offer", sdp: "v=0\r\n여보세요 👋" };

/** Records the events of a client in a live array. */
function recordEvents(client: SocketClient): Event[] {
  const events: Event[] = [];
  client.listen((event) => events.push(event));
  return events;
}

/** Waits until the last event has this name. */
const lastIs = (events: Event[], name: string) =>
  until(name, async () => ({ done: events.at(-1)?.[0] === name || undefined, seen: events }));

test("clients in Python and JavaScript share a video chat in either order of joining", async ({
  server,
}) => {
  for (const pythonFirst of [true, false]) {
    const python = await PythonClient.connect(server.url);
    const js = await SocketClient.connect(server.url, "video-chat");
    const events = recordEvents(js);
    if (pythonFirst) {
      python.emit("join", "tea");
      await python.receives("created");
      js.emit("join", "tea");
      await lastIs(events, "joined");
    } else {
      js.emit("join", "tea");
      await lastIs(events, "created");
      python.emit("join", "tea");
      await python.receives("joined");
    }

    js.emit("ready", "tea");
    expect(await python.receives("ready")).toEqual([["ready"]]);
    python.emit("offer", SDP, "tea");
    await lastIs(events, "offer");
    expect(events.at(-1)).toEqual(["offer", SDP]);
    js.emit("answer", { ...SDP, type: "answer" }, "tea");
    expect(await python.receives("answer")).toEqual([["answer", { ...SDP, type: "answer" }]]);

    const candidates = Array.from({ length: 100 }, (_, sdpMLineIndex) => ({ sdpMLineIndex }));
    const expected = candidates.map((candidate) => ["candidate", candidate]);
    for (const candidate of candidates) {
      js.emit("candidate", candidate, "tea");
      python.emit("candidate", candidate, "tea");
    }
    expect(await python.receives("candidate", candidates.length)).toEqual(expected);
    python.emit("ready", "tea");
    await lastIs(events, "ready");
    expect(events.filter(([event]) => event === "candidate")).toEqual(expected);

    expect(await python.close()).toBe("websocket");
    js.close();
  }
});

test("a client can take the place of a killed client in Python", async ({ server }) => {
  const python = await PythonClient.connect(server.url);
  python.emit("join", "tea");
  await python.receives("created");
  const ada = await SocketClient.connect(server.url, "video-chat");
  const adasEvents = recordEvents(ada);
  ada.emit("join", "tea");
  await lastIs(adasEvents, "joined");
  const grace = await SocketClient.connect(server.url, "video-chat");
  const gracesEvents = recordEvents(grace);
  grace.emit("join", "tea");
  await lastIs(gracesEvents, "full");

  await python.kill();
  await until("Grace to join", async () => {
    const before = gracesEvents.length;
    grace.emit("join", "tea");
    await until("an answer", async () => ({ done: gracesEvents.length > before || undefined }));
    return { done: gracesEvents.at(-1)?.[0] === "joined" || undefined, seen: gracesEvents };
  });
  ada.close();
  grace.close();
});

test.describe("through the media server", () => {
  test.use({ flags: ["--topology", "sfu"] });

  test("two aiortc clients receive each other's audio and video", async ({ server }) => {
    const ann = AiortcClient.join(server.url, "tea", "Ann");
    const ben = AiortcClient.join(server.url, "tea", "Ben");
    await ann.receives("Ben");
    await ben.receives("Ann");
    for (const client of [ann, ben]) {
      expect(await client.close()).toEqual({ code: 0, stderr: "" });
    }
  });

  test("an aiortc client and a browser receive each other's audio and video", async ({
    server,
    open,
  }) => {
    const aiortc = AiortcClient.join(server.url, "tea", "Aiortc");
    const ann = await open("Ann");
    await ann.enter("tea");
    await ann.decodes(1);
    await aiortc.receives("Ann");
    expect(await aiortc.close()).toEqual({ code: 0, stderr: "" });
  });
});
