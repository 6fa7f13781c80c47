// The five published clients, as pages of our own that keep to what each says on the wire.

import { rmSync } from "node:fs";
import { test as base, expect } from "../../support/test.ts";
import { type Client, folderOf, Tutorial, type Version } from "../../support/tutorial.ts";

interface Fixtures {
  /** Serves a client's page with that version of socket.io-client. */
  tutorial: (client: Client, version: Version) => Promise<Tutorial>;
}

const test = base.extend<Fixtures>({
  tutorial: async ({ company, server }, use) => {
    const started: Tutorial[] = [];
    await use(async (client, version) => {
      const tutorial = await Tutorial.elsewhere(client, version, company, server.url);
      started.push(tutorial);
      return tutorial;
    });
    for (const tutorial of started) await tutorial.stop();
  },
});

test("video chat: two talk, a third hears that the room is full, and has the place of one killed", async ({
  tutorial,
}) => {
  const pages = await tutorial("video-chat", "4.3.2");
  const ada = await pages.open("Ada");
  await ada.click("join");
  await ada.says("created");
  const grace = await pages.open("Grace", "tea", true);
  await grace.click("join");
  await ada.decodes(1);
  await grace.decodes(1);

  const hedy = await pages.open("Hedy");
  await hedy.click("join");
  await hedy.says("full");

  await grace.kill();
  await hedy.insists(() => hedy.click("join"));
  await ada.decodes(1);
  await hedy.decodes(1);
});

test("perfect negotiation: whoever was there first presses Start", async ({ tutorial }) => {
  const pages = await tutorial("perfect-negotiation", "4.4.1");
  const ada = await pages.open("Ada");
  const grace = await pages.open("Grace");
  await ada.says("ready");
  await grace.says("ready");
  await ada.click("start");
  await ada.decodes(1);
  await grace.decodes(1);
});

test("perfect negotiation: who came last presses Start, after another was killed", async ({
  tutorial,
}) => {
  const pages = await tutorial("perfect-negotiation", "4.4.1");
  const ada = await pages.open("Ada");
  await ada.says("ready");
  const gone = await pages.open("Gone", "", true);
  await gone.says("ready");
  await gone.kill();
  const grace = await pages.open("Grace");
  await grace.says("ready");
  await grace.click("start");
  await ada.decodes(1);
  await grace.decodes(1);
});

test("conference: three talk, one leaves and comes back, another is killed", async ({
  tutorial,
}) => {
  const pages = await tutorial("conference", "2.3.1");
  const ada = await pages.open("Ada");
  const grace = await pages.open("Grace", "", true);
  const hedy = await pages.open("Hedy");
  await ada.person.tab.fill("new-room", "차 한잔 ☕");
  await ada.click("make");
  for (const person of [ada, grace, hedy]) {
    await person.click("room");
    await person.says("joined");
  }
  for (const person of [ada, grace, hedy]) await person.decodes(2);
  // The newcomer is announced before it offers.
  expect(await ada.order("user joined", "offer")).toEqual([
    "user joined",
    "offer",
    "user joined",
    "offer",
  ]);

  const left = { username: "Hedy", streamID: await hedy.noted("streamId") };
  await hedy.click("leave");
  await hedy.says("left");
  for (const person of [ada, grace]) {
    expect(await person.heard("out user")).toEqual(["out user", left]);
    await person.decodes(1);
  }
  await hedy.click("room");
  for (const person of [ada, grace, hedy]) await person.decodes(2);

  const killed = { username: "Grace", streamID: await grace.noted("streamId") };
  await grace.kill();
  for (const person of [ada, hedy]) {
    await person.heard("out user", ([, user]) => user.streamID === killed.streamID);
    expect((await person.all()).findLast(([event]) => event === "out user")?.[1]).toEqual(killed);
    await person.decodes(1);
  }
});

test("one to one: from another origin, a third hears that the room is full, and has the place of one killed", async ({
  tutorial,
  server,
}) => {
  const pages = await tutorial("one-to-one", "2.3.0");
  const ada = await pages.open("Ada");
  await ada.says("joined");
  const grace = await pages.open("Grace", "tea", true);
  await ada.decodes(1);
  await grace.decodes(1);
  expect(await grace.heard("all_users")).toEqual([
    "all_users",
    [{ id: await ada.noted("socketId"), email: "Ada" }],
  ]);

  const hedy = await pages.open("Hedy");
  await hedy.says("full");

  const id = await grace.noted("socketId");
  await grace.kill();
  expect(await ada.heard("user_exit")).toEqual(["user_exit", { id }]);

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

// The page of this one comes from moim, with a client of 2.x in its folder or moim's own of 4.x.
for (const version of ["2.3.0", undefined] as const) {
  const client = version ?? "moim's own";
  test.describe(`with socket.io-client ${client}`, () => {
    test.use({
      // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of what a fixture needs.
      flags: async ({}, use) => {
        const folder = folderOf("codelab", version);
        await use(["--static", folder]);
        rmSync(folder, { recursive: true });
      },
    });

    test("codelab: two talk, a third hears that the room is full, and has the place of one killed", async ({
      company,
      server,
    }) => {
      const pages = Tutorial.at(server.url, company);
      const ada = await pages.open("Ada");
      await ada.says("created");
      const script = await ada.person.page.request.get(`${server.url}/socket.io/socket.io.js`);
      expect((await script.text()).split("\n")[1]).toContain(version ?? "v4.");
      const grace = await pages.open("Grace", "tea", true);
      await ada.decodes(1);
      await grace.decodes(1);
      const order = await ada.order("created", "join", "message");
      expect(order.slice(0, 3)).toEqual(["created", "join", "message"]);
      expect((await ada.all()).find(([event]) => event === "message")?.[1]).toBe("got user media");

      const hedy = await pages.open("Hedy");
      await hedy.says("full");
      await grace.kill();
      await hedy.insists(() => hedy.person.page.reload());
      const joins = () => ada.order("join", "ready");
      await expect.poll(joins).toEqual(["join", "ready", "join", "ready"]);
      await pages.stop();
    });
  });
}

test("the page lists another app's room while somebody is in it, and has no way in", async ({
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
  await hedy.kill();
  await expect(rows).toHaveCount(0);
});
