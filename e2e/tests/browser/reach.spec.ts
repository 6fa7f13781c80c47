import { readFile } from "node:fs/promises";
import { EmbeddingSite } from "../../support/embedding-site.ts";
import { expect, test } from "../../support/test.ts";
import { until } from "../../support/until.ts";

test("home joins by a pasted invitation and remembers the rooms of this device", async ({
  open,
}) => {
  const ada = await open("Ada");
  await ada.enter("tea");
  await ada.tab.click("open-people");
  await ada.tab.click("make-invitation");
  const invitation = await ada.page.getByTestId("invitation-link").inputValue();
  expect(invitation).toContain("/r/tea#k=");

  const ben = await open("Ben");
  const { page } = ben;
  await page.goto(`${ben.url}/`);
  await expect(page.getByTestId("own-rooms")).toHaveCount(0);
  await page.getByTestId("name-input").fill("Ben");
  await page.getByTestId("new-room-name").fill("..");
  await page.getByTestId("create-room").click();
  await expect(page.getByRole("alert")).toBeVisible();
  // The name of an open room leads into it.
  await expect(page.getByTestId("room-item")).toHaveCount(1);
  await page.getByTestId("new-room-name").fill("tea");
  await page.getByTestId("create-room").click();
  await expect(page).toHaveURL(`${ben.url}/r/tea`);
  await page.goBack();
  await page.getByTestId("new-room-name").fill(`Come: ${invitation} !`);
  await page.getByTestId("create-room").click();
  await ben.join();
  await expect(page).toHaveURL(`${ben.url}/r/tea`);
  await ben.remoteTiles(1);
  await ben.tab.click("leave");
  await expect(page.getByTestId("call-length")).toContainText("second");

  await page.getByTestId("go-home").click();
  const row = page.getByTestId("own-room");
  await expect(row).toHaveAttribute("data-room", "tea");
  await row.getByTestId("pin-room").click();
  await expect(row.getByTestId("pin-room")).toHaveAttribute("aria-pressed", "true");
  await page.reload();
  await expect(row.getByTestId("pin-room")).toHaveAttribute("aria-pressed", "true");
  await page.getByTestId("forget-rooms").click();
  await page.getByTestId("forget-rooms-yes").click();
  await expect(page.getByTestId("own-rooms")).toHaveCount(0);
  expect(await page.evaluate(() => localStorage.getItem("moim.rooms"))).toBeNull();
});

test("a room is sent as a QR code, by mail and as a calendar file", async ({ open }) => {
  const ada = await open("Ada");
  const { page } = ada;
  const requested: string[] = [];
  page.on("request", (request) => requested.push(request.url()));
  await ada.openPreview("tea, milk");
  await page.getByTestId("invite-people").click();
  const link = `${ada.url}/r/tea%2C%20milk`;
  expect(requested.filter((url) => url.includes("qr-code"))).toEqual([]);
  await page.getByTestId("invite-qr").click();
  await expect(page.getByTestId("qr-code")).toHaveAccessibleName(`QR code of the link ${link}`);
  const mail = await page.getByTestId("invite-mail").getAttribute("href");
  expect(decodeURIComponent(mail ?? "")).toContain(link);

  await page.getByTestId("invite-calendar").click();
  await page.getByTestId("invite-start").fill("2027-01-05T09:30");
  const downloading = page.waitForEvent("download");
  await page.getByTestId("invite-ics").click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe("call.ics");
  const file = (await readFile(await download.path(), "utf8")).replaceAll("\r\n ", "");
  const start = new Date(await page.evaluate(() => new Date("2027-01-05T09:30").getTime()));
  expect(file).toContain(`DTSTART:${start.toISOString().replace(/[-:]|\.000/g, "")}`);
  expect(file).toContain("SUMMARY:Video call: tea\\, milk\r\n");
  expect(file).toContain(`URL:${link}\r\n`);
});

test("the address sets language, scheme and devices of the visit, and stores nothing", async ({
  open,
}) => {
  const ada = await open("Ada");
  const { page } = ada;
  await page.goto(`${ada.url}/r/tea?name=Ada&lang=ko&theme=dark&mic=0&camera=1`);
  await ada.waitForPreview();
  await expect(page.locator("html")).toHaveAttribute("lang", "ko");
  const ground = () => getComputedStyle(document.documentElement).backgroundColor;
  expect(await page.evaluate(ground)).toBe("rgb(15, 22, 19)");
  await expect(page.getByTestId("toggle-mic")).toHaveAttribute("aria-pressed", "false");
  await page.getByTestId("join-without").click();
  await expect(page.getByTestId("toggle-camera")).toHaveAttribute("aria-pressed", "false");
  await ada.ownTile();
  await page.goto(`${ada.url}/`);
  await expect(page.locator("html")).toHaveAttribute("lang", "en");
  expect(await page.evaluate(ground)).toBe("rgb(244, 247, 245)");

  // A program's link turns on nothing that was off the last time.
  await page.goto(`${ada.url}/r/milk?name=Ada&mic=1&camera=1`);
  await expect(page.getByTestId("join")).toHaveText("Join without camera and microphone");
  await expect(page.getByText("Your camera is off")).toBeVisible();
  await expect(page.getByTestId("toggle-mic")).toHaveAttribute("aria-pressed", "false");
  expect(await page.evaluate(() => localStorage.getItem("moim.language"))).toBeNull();
});

test("Chromium offers to install the page", async ({ open }) => {
  const ada = await open("Ada");
  await ada.page.goto(`${ada.url}/`);
  const devtools = await ada.page.context().newCDPSession(ada.page);
  const manifest = await devtools.send("Page.getAppManifest");
  expect(manifest.errors).toEqual([]);
  expect(JSON.parse(manifest.data ?? "{}").name).toBe("moim");
  const { installabilityErrors } = await devtools.send("Page.getInstallabilityErrors");
  // Playwright's contexts are incognito windows, in which nothing is installed.
  const errors = installabilityErrors.map(({ errorId }) => errorId);
  expect(errors.filter((error) => error !== "in-incognito")).toEqual([]);

  // Every picture that the page names is there, of the size that it says.
  await ada.page.goto(`${ada.url}/r/tea`);
  await expect(ada.page.locator('meta[property="og:title"]')).toHaveAttribute("content", "tea");
  const preview = ada.page.locator('meta[property="og:image"]');
  const touch = ada.page.locator('link[rel="apple-touch-icon"]');
  const { icons } = JSON.parse(manifest.data ?? "{}") as {
    icons: { src: string; sizes: string; purpose: string }[];
  };
  expect(icons.map(({ purpose }) => purpose)).toContain("maskable");
  const pictures = new Map(icons.map(({ src, sizes }) => [src, sizes]));
  pictures.set((await touch.getAttribute("href")) ?? "", "180x180");
  pictures.set((await preview.getAttribute("content")) ?? "", "1200x630");
  for (const [src, sizes] of pictures) {
    const response = await ada.page.request.get(new URL(src, ada.url).href);
    expect(response.status(), src).toBe(200);
    if (sizes === "any") continue;
    expect(response.headers()["content-type"], src).toBe("image/png");
    // The header of a PNG (§11.2.2).
    const body = await response.body();
    expect(`${body.readUInt32BE(16)}x${body.readUInt32BE(20)}`, src).toBe(sizes);
  }
});

test.describe("a site that --embed names", () => {
  let site: EmbeddingSite;
  let stranger: EmbeddingSite;

  test.beforeAll(async () => {
    site = await EmbeddingSite.start();
    stranger = await EmbeddingSite.start();
  });
  test.afterAll(async () => {
    await site.close();
    await stranger.close();
  });
  test.use({
    // biome-ignore lint/correctness/noEmptyPattern: Playwright needs a pattern.
    flags: async ({}, use) => use(["--embed", site.origin]),
  });

  test("shows a call, joins, mutes and leaves; another site can't show it", async ({
    open,
    server,
  }) => {
    const host = new URL(server.url).host;
    const ada = await open("Ada", { url: site.origin, server: server.url });
    const { page } = ada;
    await page.goto(site.framing(`http://${host}/r/tea`));
    const frame = page.frameLocator("iframe");
    // The site has navigated here, so that nothing starts by itself.
    await expect(frame.getByTestId("start-devices")).toBeVisible();
    const told = (type: string) =>
      page.evaluate(
        (type) => window.told.filter(({ data }) => data.type === type).at(-1)?.data,
        type,
      );
    expect(await told("state")).toBeUndefined();

    await page.evaluate(() => window.order({ moim: 1, type: "join", name: "Ada", camera: true }));
    await until("the site to learn of the call", async () => {
      const seen = [await told("state"), await told("media"), await told("participants")];
      const [state, media, participants] = seen;
      const done = state?.state === "call" && media?.camera === true && participants?.count === 1;
      return { done: done || undefined, seen };
    });
    expect(await told("media")).toMatchObject({ microphone: false });
    await page.evaluate(() =>
      window.order({ moim: 1, type: "mute", camera: true, microphone: false }),
    );
    await expect(frame.getByTestId("toggle-camera")).toHaveAttribute("aria-pressed", "false");
    await expect(frame.getByTestId("toggle-mic")).toHaveAttribute("aria-pressed", "true");
    await page.evaluate(() => window.order({ moim: 1, type: "leave" }));
    await expect(frame.getByTestId("left")).toBeVisible();
    await until("the site to learn of the end", async () => {
      const seen = await told("state");
      return { done: (seen?.state === "ended" && seen.reason === "left") || undefined, seen };
    });
    const origins = await page.evaluate(
      () => new Set(window.told.map(({ origin }) => origin)).size,
    );
    expect(origins).toBe(1);

    const eve = await open("Eve", {
      url: stranger.origin,
      server: server.url,
      allow: [/frame-ancestors/, /Refused to frame/, /Framing/],
    });
    await eve.page.goto(stranger.framing(`http://${host}/r/tea`));
    await until("the frame to be refused", async () => {
      const urls = eve.page.frames().map((each) => each.url());
      return { done: urls.some((url) => url.startsWith("chrome-error:")) || undefined, seen: urls };
    });
    expect(await eve.page.evaluate(() => window.told.length)).toBe(0);
  });
});
