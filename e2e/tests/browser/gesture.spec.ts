// No camera or microphone starts by a link of somebody else's before a gesture on the page itself.

import type { Page } from "@playwright/test";
import type { ChromiumParticipant } from "../../support/participant.ts";
import { Stranger, WAYS, type Way } from "../../support/stranger.ts";
import { test as base, expect } from "../../support/test.ts";

declare global {
  interface Window {
    /** What the page asked `getUserMedia` for. */
    asked: string[];
  }
}

const test = base.extend<{ stranger: Stranger }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of what a fixture needs.
  stranger: async ({}, use) => {
    const stranger = await Stranger.start();
    await use(stranger);
    await stranger.close();
  },
});

/** The stranger's page is another host's, and has no icon. */
const ELSEWHERE = [/request to another host/, /404/];

const NEEDS_CLICK: readonly Way[] = ["link", "form", "redirect", "popup"];

/** Records every call of `getUserMedia`. */
async function record(page: Page): Promise<void> {
  await page.context().addInitScript(() => {
    window.asked = [];
    const { mediaDevices } = navigator;
    if (!mediaDevices) return;
    const real = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = (wanted) => {
      window.asked.push(Object.keys(wanted ?? {}).join());
      return real(wanted);
    };
  });
}

/** Somebody who has been here before, and is remembered as `Real`. */
async function visited(victim: ChromiumParticipant): Promise<void> {
  await record(victim.page);
  await victim.page.goto(`${victim.url}/`);
  await victim.tab.fill("name-input", "Real");
  await expect
    .poll(() => victim.tab.evaluate(() => localStorage.getItem("moim.name")))
    .toBe("Real");
}

/** Follows the stranger's page, and gives the page that comes of it. */
async function lured(page: Page, way: Way, url: string): Promise<Page> {
  if (!NEEDS_CLICK.includes(way)) {
    // The stranger's page is gone before it has loaded.
    await page.goto(url, { waitUntil: "commit" });
    return page;
  }
  await page.goto(url);
  if (way !== "popup") {
    await page.click("#go");
    return page;
  }
  const [popup] = await Promise.all([page.context().waitForEvent("page"), page.click("#go")]);
  return popup;
}

for (const host of ["localhost", "127.0.0.1"] as const) {
  for (const way of Object.keys(WAYS).filter((way) => way !== "frame") as Way[]) {
    test(`${way} on a page of ${host} starts no device and joins nothing`, async ({
      open,
      stranger,
    }) => {
      const attacker = await open("Attacker");
      await attacker.enter("trap");
      const victim = await open("Victim", { allow: ELSEWHERE });
      await visited(victim);
      const page = await lured(victim.page, way, stranger.url(host, way, victim.roomUrl("trap")));

      await expect(page.getByTestId("start-devices")).toBeVisible();
      await expect(page.getByTestId("toggle-camera")).toHaveAttribute("aria-pressed", "false");
      await expect(page.getByTestId("toggle-mic")).toHaveAttribute("aria-pressed", "false");
      expect(await page.evaluate(() => window.asked)).toEqual([]);
      expect(await page.evaluate(() => localStorage.getItem("moim.name"))).toBe("Real");
      expect(await attacker.others(0)).toEqual([]);
      expect(
        (await attacker.tileChanges()).filter(({ name }) => name !== "Attacker"),
        "nobody came and went",
      ).toEqual([]);
    });
  }
}

test("a click turns the devices on after a stranger's link, and joining goes on as ever", async ({
  open,
  stranger,
}) => {
  const ada = await open("Ada");
  await ada.enter("invited");
  const grace = await open("Grace", { allow: ELSEWHERE });
  await record(grace.page);
  await lured(grace.page, "link", stranger.url("localhost", "link", grace.roomUrl("invited")));
  await expect(grace.page.getByTestId("start-devices")).toBeVisible();
  await expect(grace.page.getByTestId("name-input")).toHaveValue("Grace");
  await grace.tab.click("start-devices");
  await grace.preview();
  await expect(grace.page.getByTestId("start-devices")).toHaveCount(0);
  await grace.join();
  await ada.decodes(1);
  await grace.decodes(1);
  expect(await grace.page.evaluate(() => localStorage.getItem("moim.name"))).toBe("Grace");

  // The entry of the history on which devices were turned on may turn them on again.
  await grace.page.reload();
  await grace.self();
  await grace.decodes(1);
});

test("joining with the devices off stays without them", async ({ open, stranger }) => {
  const ada = await open("Ada");
  await ada.enter("quiet");
  const grace = await open("Grace", { allow: ELSEWHERE });
  await record(grace.page);
  await lured(
    grace.page,
    "location",
    stranger.url("localhost", "location", grace.doorUrl("quiet")),
  );
  await expect(grace.page.getByTestId("start-devices")).toBeVisible();
  await grace.join();
  await grace.decodes(1);
  expect(await grace.page.evaluate(() => window.asked)).toEqual([]);
  await grace.tab.click("toggle-mic");
  await grace.tab.click("toggle-camera");
  await ada.decodes(1);
});

test("a stranger's history.back() into a call starts nothing", async ({ open, stranger }) => {
  const ada = await open("Ada", { allow: ELSEWHERE });
  await record(ada.page);
  await ada.enter("again");
  const url = stranger.url("localhost", "link", `${ada.url}/nowhere`);
  await ada.page.goto(url);
  await ada.page.evaluate(() => history.go(-2));
  await expect(ada.page.getByTestId("start-devices")).toBeVisible();
  expect(await ada.page.evaluate(() => window.asked)).toEqual([]);
});

test("an address that was opened by hand is still no licence for a stranger's link to it", async ({
  open,
  stranger,
}) => {
  const ada = await open("Ada", { allow: ELSEWHERE });
  await record(ada.page);
  // The browser has the page's answer in its cache, with what was told then.
  await ada.enter("cached");
  await ada.page.reload();
  await ada.self();
  await lured(ada.page, "location", stranger.url("localhost", "location", ada.roomUrl("cached")));
  await expect(ada.page.getByTestId("start-devices")).toBeVisible();
  expect(await ada.page.evaluate(() => window.asked)).toEqual([]);
});

test("the page is shown in nobody's frame, and a name in an address replaces none that is known", async ({
  open,
  stranger,
}) => {
  const ada = await open("Ada", {
    allow: [...ELSEWHERE, /frame|ancestor/i],
  });
  await visited(ada);
  await ada.page.goto(stranger.url("localhost", "frame", ada.roomUrl("framed")));
  await expect(ada.page.frameLocator("iframe").getByTestId("join")).toHaveCount(0);

  for (const path of ["/?name=Planted", "/r/planted?name=Planted&join=1"]) {
    await lured(ada.page, "location", stranger.url("127.0.0.1", "location", ada.url + path));
    await expect(ada.page.getByTestId("name-input")).toHaveValue("Planted");
    expect(await ada.tab.evaluate(() => localStorage.getItem("moim.name"))).toBe("Real");
  }
});

test("a message from another window, another fragment or a drop changes nothing", async ({
  open,
  stranger,
}) => {
  const ada = await open("Ada", { allow: ELSEWHERE });
  await record(ada.page);
  const page = await lured(
    ada.page,
    "popup",
    stranger.url("localhost", "popup", ada.roomUrl("messages")),
  );
  await expect(page.getByTestId("start-devices")).toBeVisible();
  await ada.page.evaluate(() => {
    const { popup } = window as unknown as { popup: Window };
    for (const message of ["join", { type: "join", join: 1 }, { room: "messages", camera: true }]) {
      popup.postMessage(message, "*");
    }
  });
  await page.evaluate(() => {
    location.hash = "join=1";
    const data = new DataTransfer();
    data.setData("text/uri-list", `${location.origin}/r/dropped?join=1&name=X`);
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true }));
  });
  await expect(page.getByTestId("start-devices")).toBeVisible();
  expect(await page.evaluate(() => window.asked)).toEqual([]);
});

test("in Firefox, too, a stranger's link starts nothing and an address opened by hand joins", async ({
  open,
  company,
  firefox,
  server,
  stranger,
}) => {
  const ada = await open("Ada");
  await ada.enter("fox");
  const grace = await company.openFirefox("Grace", firefox, {}, server.url, ELSEWHERE);
  await grace.enter("fox");
  await ada.decodes(1);
  await grace.decodes(1);
  const seen = () => ({
    waits: document.querySelector("[data-testid=start-devices]") !== null,
    tiles: document.querySelectorAll("[data-testid=tile]").length,
  });
  for (const host of ["localhost", "127.0.0.1"] as const) {
    await grace.tab.goto(stranger.url(host, "location", grace.roomUrl("fox")));
    await expect.poll(() => grace.tab.evaluate(seen)).toEqual({ waits: true, tiles: 0 });
  }
});
