// A link on another site starts neither camera nor microphone before a gesture on moim's page.

import type { Page } from "@playwright/test";
import { NAVIGATIONS, type NavigationKind, OtherSite } from "../../support/other-site.ts";
import type { ChromiumParticipant } from "../../support/participant.ts";
import { test as base, expect } from "../../support/test.ts";

declare global {
  interface Window {
    /** Kinds requested by each call of `getUserMedia`. */
    mediaRequests: string[];
  }
}

const test = base.extend<{ otherSite: OtherSite }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright needs a pattern.
  otherSite: async ({}, use) => {
    const otherSite = await OtherSite.start();
    await use(otherSite);
    await otherSite.close();
  },
});

/** Errors caused by the other site's page: it is another host, and has no favicon. */
const OTHER_SITE_ERRORS = [/request to another host/, /404/];

const NEEDS_CLICK: readonly NavigationKind[] = ["link", "form", "redirect", "popup"];

/** Records every call of `getUserMedia`. */
async function recordMediaRequests(page: Page): Promise<void> {
  await page.context().addInitScript(() => {
    window.mediaRequests = [];
    const { mediaDevices } = navigator;
    if (!mediaDevices) return;
    const real = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = (constraints) => {
      window.mediaRequests.push(Object.keys(constraints ?? {}).join());
      return real(constraints);
    };
  });
}

/** Visits the page once, so that the name `Real` is stored. */
async function visitBefore(victim: ChromiumParticipant): Promise<void> {
  await recordMediaRequests(victim.page);
  await victim.page.goto(`${victim.url}/`);
  await victim.tab.fill("name-input", "Real");
  await expect
    .poll(() => victim.tab.evaluate(() => localStorage.getItem("moim.name")))
    .toBe("Real");
}

/** Opens the other site's page, follows its link, and returns the resulting page. */
async function followLink(page: Page, kind: NavigationKind, url: string): Promise<Page> {
  if (!NEEDS_CLICK.includes(kind)) {
    // The other site's page navigates away before it has loaded.
    await page.goto(url, { waitUntil: "commit" });
    return page;
  }
  await page.goto(url);
  if (kind !== "popup") {
    await page.click("#go");
    return page;
  }
  const [popup] = await Promise.all([page.context().waitForEvent("page"), page.click("#go")]);
  return popup;
}

for (const host of ["localhost", "127.0.0.1"] as const) {
  const kinds = Object.keys(NAVIGATIONS) as NavigationKind[];
  for (const kind of kinds.filter((kind) => kind !== "frame")) {
    test(`${kind} on a page of ${host} starts no device and joins no room`, async ({
      open,
      otherSite,
    }) => {
      const attacker = await open("Attacker");
      await attacker.enter("trap");
      const victim = await open("Victim", { allow: OTHER_SITE_ERRORS });
      await visitBefore(victim);
      const url = otherSite.url(host, kind, victim.roomUrl("trap"));
      const page = await followLink(victim.page, kind, url);

      await expect(page.getByTestId("start-devices")).toBeVisible();
      await expect(page.getByTestId("toggle-camera")).toHaveAttribute("aria-pressed", "false");
      await expect(page.getByTestId("toggle-mic")).toHaveAttribute("aria-pressed", "false");
      expect(await page.evaluate(() => window.mediaRequests)).toEqual([]);
      expect(await page.evaluate(() => localStorage.getItem("moim.name"))).toBe("Real");
      expect(await attacker.remoteTiles(0)).toEqual([]);
      expect(
        (await attacker.tileChanges()).filter(({ name }) => name !== "Attacker"),
        "nobody joined or left",
      ).toEqual([]);
    });
  }
}

test("after another site's link, a click starts the devices and joining works", async ({
  open,
  otherSite,
}) => {
  const ada = await open("Ada");
  await ada.enter("invited");
  const grace = await open("Grace", { allow: OTHER_SITE_ERRORS });
  await recordMediaRequests(grace.page);
  await followLink(
    grace.page,
    "link",
    otherSite.url("localhost", "link", grace.roomUrl("invited")),
  );
  await expect(grace.page.getByTestId("start-devices")).toBeVisible();
  await expect(grace.page.getByTestId("name-input")).toHaveValue("Grace");
  await grace.tab.click("start-devices");
  await grace.waitForPreview();
  await expect(grace.page.getByTestId("start-devices")).toHaveCount(0);
  await grace.join();
  await ada.decodes(1);
  await grace.decodes(1);
  expect(await grace.page.evaluate(() => localStorage.getItem("moim.name"))).toBe("Grace");

  // A reload of the history entry on which devices were started may start them again.
  await grace.page.reload();
  await grace.ownTile();
  await grace.decodes(1);
});

test("joining with the devices off does not start them", async ({ open, otherSite }) => {
  const ada = await open("Ada");
  await ada.enter("quiet");
  const grace = await open("Grace", { allow: OTHER_SITE_ERRORS });
  await recordMediaRequests(grace.page);
  await followLink(
    grace.page,
    "location",
    otherSite.url("localhost", "location", grace.previewUrl("quiet")),
  );
  await expect(grace.page.getByTestId("start-devices")).toBeVisible();
  await grace.join();
  await grace.decodes(1);
  expect(await grace.page.evaluate(() => window.mediaRequests)).toEqual([]);
  await grace.tab.click("toggle-mic");
  await grace.tab.click("toggle-camera");
  await ada.decodes(1);
});

test("another site's history navigation into a call starts no device", async ({
  open,
  otherSite,
}) => {
  const ada = await open("Ada", { allow: OTHER_SITE_ERRORS });
  await recordMediaRequests(ada.page);
  await ada.enter("again");
  const url = otherSite.url("localhost", "link", `${ada.url}/nowhere`);
  await ada.page.goto(url);
  await ada.page.evaluate(() => history.go(-2));
  await expect(ada.page.getByTestId("start-devices")).toBeVisible();
  expect(await ada.page.evaluate(() => window.mediaRequests)).toEqual([]);
});

test("another site's link to an address opened by hand before starts no device", async ({
  open,
  otherSite,
}) => {
  const ada = await open("Ada", { allow: OTHER_SITE_ERRORS });
  await recordMediaRequests(ada.page);
  // The browser has the page in its cache, with the `Server-Timing` of that request.
  await ada.enter("cached");
  await ada.page.reload();
  await ada.ownTile();
  await followLink(
    ada.page,
    "location",
    otherSite.url("localhost", "location", ada.roomUrl("cached")),
  );
  await expect(ada.page.getByTestId("start-devices")).toBeVisible();
  expect(await ada.page.evaluate(() => window.mediaRequests)).toEqual([]);
});

test("the page can't be framed, and a name in the address does not replace a stored one", async ({
  open,
  otherSite,
}) => {
  const ada = await open("Ada", {
    allow: [...OTHER_SITE_ERRORS, /frame|ancestor/i],
  });
  await visitBefore(ada);
  await ada.page.goto(otherSite.url("localhost", "frame", ada.roomUrl("framed")));
  await expect(ada.page.frameLocator("iframe").getByTestId("join")).toHaveCount(0);

  for (const path of ["/?name=Planted", "/r/planted?name=Planted&join=1"]) {
    await followLink(ada.page, "location", otherSite.url("127.0.0.1", "location", ada.url + path));
    await expect(ada.page.getByTestId("name-input")).toHaveValue("Planted");
    expect(await ada.tab.evaluate(() => localStorage.getItem("moim.name"))).toBe("Real");
  }
});

test("a message from another window, a fragment or a drop has no effect", async ({
  open,
  otherSite,
}) => {
  const ada = await open("Ada", { allow: OTHER_SITE_ERRORS });
  await recordMediaRequests(ada.page);
  const page = await followLink(
    ada.page,
    "popup",
    otherSite.url("localhost", "popup", ada.roomUrl("messages")),
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
  expect(await page.evaluate(() => window.mediaRequests)).toEqual([]);
});

test("in Firefox, another site's link starts no device, and a typed address joins", async ({
  open,
  pool,
  firefox,
  server,
  otherSite,
}) => {
  const ada = await open("Ada");
  await ada.enter("fox");
  const grace = await pool.openFirefox("Grace", firefox, {}, server.url, OTHER_SITE_ERRORS);
  await grace.enter("fox");
  await ada.decodes(1);
  await grace.decodes(1);
  const pageState = () => ({
    needsClick: document.querySelector("[data-testid=start-devices]") !== null,
    tiles: document.querySelectorAll("[data-testid=tile]").length,
  });
  for (const host of ["localhost", "127.0.0.1"] as const) {
    await grace.tab.goto(otherSite.url(host, "location", grace.roomUrl("fox")));
    await expect.poll(() => grace.tab.evaluate(pageState)).toEqual({ needsClick: true, tiles: 0 });
  }
});
