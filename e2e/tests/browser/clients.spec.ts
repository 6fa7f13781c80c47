// The five published clients, as pages that send the same messages as each of them.

import { rmSync } from "node:fs";
import { test as base, expect } from "../../support/test.ts";
import { type Client, folderOf, Tutorial, type Version } from "../../support/tutorial.ts";

interface Fixtures {
  /** Serves a client's page with this version of socket.io-client. */
  tutorial: (client: Client, version: Version) => Promise<Tutorial>;
}

const test = base.extend<Fixtures>({
  tutorial: async ({ pool, server }, use) => {
    const started: Tutorial[] = [];
    await use(async (client, version) => {
      const tutorial = await Tutorial.onOwnOrigin(client, version, pool, server.url);
      started.push(tutorial);
      return tutorial;
    });
    for (const tutorial of started) await tutorial.stop();
  },
});

test("video chat: two connect, a third gets full and takes the place of a crashed one", async ({
  tutorial,
}) => {
  const pages = await tutorial("video-chat", "4.3.2");
  const ada = await pages.open("Ada");
  await ada.click("join");
  await ada.hasState("created");
  const grace = await pages.open("Grace", "tea", true);
  await grace.click("join");
  await ada.decodes(1);
  await grace.decodes(1);

  const hedy = await pages.open("Hedy");
  await hedy.click("join");
  await hedy.hasState("full");

  await grace.crash();
  await hedy.retryUntilJoined(() => hedy.click("join"));
  await ada.decodes(1);
  await hedy.decodes(1);
});

test("perfect negotiation: the first client can press Start", async ({ tutorial }) => {
  const pages = await tutorial("perfect-negotiation", "4.4.1");
  const ada = await pages.open("Ada");
  const grace = await pages.open("Grace");
  await ada.hasState("ready");
  await grace.hasState("ready");
  await ada.click("start");
  await ada.decodes(1);
  await grace.decodes(1);
});

test("perfect negotiation: the last client can press Start after another crashed", async ({
  tutorial,
}) => {
  const pages = await tutorial("perfect-negotiation", "4.4.1");
  const ada = await pages.open("Ada");
  await ada.hasState("ready");
  const gone = await pages.open("Gone", "", true);
  await gone.hasState("ready");
  await gone.crash();
  const grace = await pages.open("Grace");
  await grace.hasState("ready");
  await grace.click("start");
  await ada.decodes(1);
  await grace.decodes(1);
});

test("conference: three connect, one leaves and rejoins, another crashes", async ({ tutorial }) => {
  const pages = await tutorial("conference", "2.3.1");
  const ada = await pages.open("Ada");
  const grace = await pages.open("Grace", "", true);
  const hedy = await pages.open("Hedy");
  await ada.person.tab.fill("new-room", "차 한잔 ☕");
  await ada.click("make");
  for (const person of [ada, grace, hedy]) {
    await person.click("room");
    await person.hasState("joined");
  }
  for (const person of [ada, grace, hedy]) await person.decodes(2);
  // The newcomer is announced before it offers.
  expect(await ada.eventOrder("user joined", "offer")).toEqual([
    "user joined",
    "offer",
    "user joined",
    "offer",
  ]);

  const left = { username: "Hedy", streamID: await hedy.pageValue("streamId") };
  await hedy.click("leave");
  await hedy.hasState("left");
  for (const person of [ada, grace]) {
    expect(await person.receives("out user")).toEqual(["out user", left]);
    await person.decodes(1);
  }
  await hedy.click("room");
  for (const person of [ada, grace, hedy]) await person.decodes(2);

  const crashed = { username: "Grace", streamID: await grace.pageValue("streamId") };
  await grace.crash();
  for (const person of [ada, hedy]) {
    await person.receives("out user", ([, user]) => user.streamID === crashed.streamID);
    expect((await person.received()).findLast(([event]) => event === "out user")?.[1]).toEqual(
      crashed,
    );
    await person.decodes(1);
  }
});

test("one to one: on another origin, a third gets room_full, then a crashed one's place", async ({
  tutorial,
  server,
}) => {
  const pages = await tutorial("one-to-one", "2.3.0");
  const ada = await pages.open("Ada");
  await ada.hasState("joined");
  const grace = await pages.open("Grace", "tea", true);
  await ada.decodes(1);
  await grace.decodes(1);
  expect(await grace.receives("all_users")).toEqual([
    "all_users",
    [{ id: await ada.pageValue("socketId"), email: "Ada" }],
  ]);

  const hedy = await pages.open("Hedy");
  await hedy.hasState("full");

  const id = await grace.pageValue("socketId");
  await grace.crash();
  expect(await ada.receives("user_exit")).toEqual(["user_exit", { id }]);

  const upgraded = hedy.person.page.waitForEvent("websocket");
  const polled = hedy.person.page.waitForResponse((response) => response.url().includes("polling"));
  await hedy.person.page.reload();
  const headers = (await polled).headers();
  expect(new URL(server.url).origin).not.toBe(pages.origin);
  expect(headers["access-control-allow-origin"]).toBe(pages.origin);
  expect(headers["access-control-allow-credentials"]).toBe("true");
  expect((await upgraded).url()).toContain("transport=websocket");
  await ada.decodes(1);
  await hedy.decodes(1);
});

// This page is served by moim, with socket.io-client 2.x from its folder or moim's own 4.x.
for (const version of ["2.3.0", undefined] as const) {
  const client = version ?? "moim's own";
  test.describe(`with socket.io-client ${client}`, () => {
    test.use({
      // biome-ignore lint/correctness/noEmptyPattern: Playwright needs a pattern.
      flags: async ({}, use) => {
        const folder = folderOf("codelab", version);
        await use(["--static", folder]);
        rmSync(folder, { recursive: true });
      },
    });

    test("codelab: two connect, a third gets full and takes the place of a crashed one", async ({
      pool,
      server,
    }) => {
      const pages = Tutorial.onServer(server.url, pool);
      const ada = await pages.open("Ada");
      await ada.hasState("created");
      const script = await ada.person.page.request.get(`${server.url}/socket.io/socket.io.js`);
      expect((await script.text()).split("\n")[1]).toContain(version ?? "v4.");
      const grace = await pages.open("Grace", "tea", true);
      await ada.decodes(1);
      await grace.decodes(1);
      const order = await ada.eventOrder("created", "join", "message");
      expect(order.slice(0, 3)).toEqual(["created", "join", "message"]);
      expect((await ada.received()).find(([event]) => event === "message")?.[1]).toBe(
        "got user media",
      );

      const hedy = await pages.open("Hedy");
      await hedy.hasState("full");
      await grace.crash();
      await hedy.retryUntilJoined(() => hedy.person.page.reload());
      const joins = () => ada.eventOrder("join", "ready");
      await expect.poll(joins).toEqual(["join", "ready", "join", "ready"]);
      await pages.stop();
    });
  });
}

test("the room list shows another app's room while it is occupied, without a link to it", async ({
  open,
  tutorial,
}) => {
  const ada = await open("Ada");
  await ada.enter("tea");
  const grace = await open("Grace");
  await grace.tab.goto(`${grace.url}/`);
  const rows = grace.page.getByTestId("room-elsewhere");
  await expect(grace.page.getByTestId("room-item")).toHaveCount(1);
  await expect(rows).toHaveCount(0);

  const pages = await tutorial("video-chat", "4.3.2");
  const hedy = await pages.open("Hedy", "tea", true);
  await hedy.click("join");
  await expect(rows).toHaveText(/tea.*In another app.*1 person/);
  await expect(grace.page.getByTestId("room-item")).toHaveCount(1);
  await rows.click();
  await expect(grace.page).toHaveURL(`${grace.url}/`);
  await hedy.crash();
  await expect(rows).toHaveCount(0);
});
