import { expectFaultless } from "../../support/accessibility.ts";
import type { ChromiumParticipant } from "../../support/participant.ts";
import { ALL_SIZES, takeScreenshots } from "../../support/screenshots.ts";
import { waitForTopology } from "../../support/sfu.ts";
import {
  attachNoise,
  breakTransfers,
  fileIs,
  lastFile,
  savedWith,
  watchSaving,
} from "../../support/sharing.ts";
import { TcpProxy } from "../../support/tcp-proxy.ts";
import { expect, test } from "../../support/test.ts";
import { until } from "../../support/until.ts";

const SMALL = { camera: "tiny" } as const;
const card = ({ page }: ChromiumParticipant) => page.getByTestId("file").last();

interface Sample {
  name: string;
  mimeType?: string;
  buffer: Buffer;
}

async function share(person: ChromiumParticipant, ...files: Sample[]): Promise<void> {
  const all = files.map((file) => ({ mimeType: "text/plain", ...file }));
  await person.page.getByTestId("chat").locator("input[type=file]").setInputFiles(all);
  await expect(person.page.getByTestId("staged").getByRole("listitem")).toHaveCount(files.length);
  await person.tab.click("chat-send");
}

test("a file of 30 MB reaches the other in a mesh, with progress, and is saved whole", async ({
  open,
}) => {
  test.setTimeout(240_000);
  const reducedMotion = "reduce" as const;
  const ada = await open("Ada", { observer: SMALL, context: { reducedMotion } });
  const context = { locale: "ko-KR", reducedMotion };
  const grace = await open("Grace", { observer: SMALL, context });
  await ada.enter("files");
  await grace.enter("files");
  await ada.remoteTiles(1);
  await ada.tab.click("chat-open");
  const hash = await attachNoise(ada);
  await expect(ada.page.getByTestId("chat-send")).toHaveAccessibleName("Send files");
  await expectFaultless(ada.page, "a file to send");
  await takeScreenshots(ada.page, "files-staged", ALL_SIZES);
  await ada.page.getByTestId("chat-input").press("Enter");

  // The other one is told, in Korean, and need not have the chat open.
  const toast = grace.page.getByTestId("toast");
  await expect(toast).toContainText("Ada님이 파일을 공유했어요: noise 소음.bin, 30MB");
  await grace.tab.click("chat-open");
  await fileIs(grace, "offered");
  await expectFaultless(grace.page, "a file offered");
  await takeScreenshots(grace.page, "files-offered", ALL_SIZES);
  await watchSaving(grace);
  const download = grace.page.waitForEvent("download");
  await grace.page.getByTestId("file-receive").press("Enter");
  await fileIs(grace, "receiving", 1, 99);
  await savedWith(grace, hash);
  expect((await download).suggestedFilename()).toBe("noise 소음.bin");
  await expect(grace.page.locator("[aria-live]", { hasText: "다 받았어요" })).toHaveCount(1);
  await expect(card(ada)).toContainText("Grace has it");
  await takeScreenshots(grace.page, "files-received");
  await takeScreenshots(ada.page, "files-sent");
  await expectFaultless(grace.page, "a file received");
  // Each transfer's connection is closed once it is over.
  await expect(async () => {
    const { connections } = await ada.report();
    expect(connections).toHaveLength(1);
  }).toPass();
});

test("three people in a room with a media server share files, to all and to one", async ({
  open,
}) => {
  test.setTimeout(240_000);
  const ada = await open("Ada", { observer: SMALL });
  const grace = await open("Grace", { observer: SMALL });
  const ben = await open("Ben", { observer: SMALL });
  const people = [ada, grace, ben];
  for (const person of people) await person.enter("class");
  for (const person of people) await waitForTopology(person, "sfu");
  for (const person of people) await person.tab.click("chat-open");
  const hash = await attachNoise(ada);
  await ada.tab.click("chat-send");
  for (const person of [grace, ben]) {
    await fileIs(person, "offered");
    await watchSaving(person);
    await person.tab.click("file-receive");
  }
  for (const person of [grace, ben]) await savedWith(person, hash);
  await expect(card(ada)).toContainText("Ben has it");

  // Privately: nobody else sees the file, nor does who comes later.
  await ada.page.getByTestId("chat-to").selectOption({ label: "To Ben only" });
  await share(ada, { name: "salary.txt", buffer: Buffer.from("7") });
  await expect(card(ben)).toHaveAttribute("data-name", "salary.txt");
  await ben.page.getByTestId("file-receive").click();
  await fileIs(ben, "received");
  await expect(grace.page.getByTestId("file")).toHaveCount(1);
  const dan = await open("Dan", { observer: SMALL });
  await dan.enter("class");
  await dan.tab.click("chat-open");
  await expect(dan.page.getByTestId("file")).toHaveCount(1);
  await watchSaving(dan);
  await dan.tab.click("file-receive");
  await savedWith(dan, hash);
});

test("a transfer through the relay goes on after its connection and the server were gone", async ({
  open,
  server,
}) => {
  test.setTimeout(240_000);
  const proxy = await TcpProxy.to(server.port);
  try {
    const observer = { ...SMALL, ice: ["turn-tcp" as const], relayOnly: true };
    const allow = [/console: .*(WebSocket|ERR_CONNECTION|Failed to load)/];
    const ada = await open("Ada", { observer });
    const grace = await open("Grace", { observer, url: proxy.url, allow });
    await ada.enter("tunnel");
    await grace.enter("tunnel");
    await ada.remoteTiles(1);
    for (const person of [ada, grace]) await person.tab.click("chat-open");
    const hash = await attachNoise(ada);
    await ada.tab.click("chat-send");
    await fileIs(grace, "offered");
    await watchSaving(grace);
    await grace.tab.click("file-receive");
    const { percent } = await fileIs(grace, "receiving", 5, 80);
    proxy.cut();
    await ada.tab.evaluate(breakTransfers);
    await until("the break", async () => {
      const seen = await lastFile(grace);
      return { done: seen.status !== "receiving" || undefined, seen };
    });
    await takeScreenshots(grace.page, "files-interrupted");
    await expect(grace.page.getByTestId("reconnecting")).toBeVisible();
    proxy.restore();
    const resumed = await fileIs(grace, "receiving");
    expect(resumed.percent).toBeGreaterThanOrEqual(Math.floor(percent) - 2);
    await savedWith(grace, hash);
  } finally {
    await proxy.close();
  }
});

test("a private file goes on after its recipient has reloaded the page", async ({ open }) => {
  test.setTimeout(240_000);
  const ada = await open("Ada", { observer: SMALL });
  const grace = await open("Grace", { observer: SMALL });
  await ada.enter("reload");
  await grace.enter("reload");
  await ada.remoteTiles(1);
  for (const person of [ada, grace]) await person.tab.click("chat-open");
  const hash = await attachNoise(ada);
  await ada.page.getByTestId("chat-to").selectOption({ label: "To Grace only" });
  await ada.tab.click("chat-send");
  await fileIs(grace, "offered");
  await grace.tab.click("file-receive");
  await fileIs(grace, "receiving", 15, 85);
  await grace.page.reload();
  await watchSaving(grace);
  const seen = await fileIs(grace, "receiving", 10);
  expect(seen.percent).toBeGreaterThanOrEqual(10);
  await savedWith(grace, hash);
});

test("files are refused, cancelled and withdrawn, dropped and pasted", async ({ open }) => {
  test.setTimeout(180_000);
  const ada = await open("Ada", { observer: SMALL, context: { reducedMotion: "reduce" } });
  const grace = await open("Grace", { observer: SMALL, context: { reducedMotion: "reduce" } });
  await ada.enter("choice");
  await grace.enter("choice");
  await ada.remoteTiles(1);
  for (const person of [ada, grace]) await person.tab.click("chat-open");

  // A name that seems to end in .png; its end is shown as it is.
  await share(ada, { name: `${"very ".repeat(30)}long \u202egnp.exe`, buffer: Buffer.from("MZ") });
  await expect(card(grace)).toHaveAttribute("data-name", /long gnp\.exe$/);
  await takeScreenshots(grace.page, "files-long-name");
  await grace.tab.click("file-refuse");
  await fileIs(grace, "refused");
  await expect(card(ada)).toContainText("Grace declined it");

  await attachNoise(ada);
  await ada.tab.click("chat-send");
  await expect(grace.page.getByTestId("file")).toHaveCount(2);
  await card(grace).getByTestId("file-receive").click();
  await fileIs(grace, "receiving", 1, 99);
  await card(grace).getByTestId("file-cancel").click();
  await fileIs(grace, "cancelled");
  await expect(card(ada)).toContainText("Grace stopped the download");
  await card(ada).getByTestId("file-withdraw").click();
  await fileIs(grace, "unavailable");
  await expect(card(ada)).toContainText("No longer shared");

  // A picture is shown once it is received; a page that claims to be one is not.
  const pixels = await ada.page.evaluate(() => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 360 });
    const context = canvas.getContext("2d");
    if (!context) throw new Error("no canvas");
    context.fillStyle = "#2a7";
    context.fillRect(0, 0, 640, 360);
    context.fillStyle = "#fff";
    context.font = "120px sans-serif";
    context.fillText("moim", 160, 220);
    return canvas.toDataURL("image/png").split(",")[1] ?? "";
  });
  const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
  await share(
    ada,
    { name: "sketch.png", buffer: Buffer.from(pixels, "base64") },
    { name: "evil.png", mimeType: "image/svg+xml", buffer: Buffer.from(svg) },
  );
  await expect(grace.page.getByTestId("file")).toHaveCount(4);
  for (const name of ["sketch.png", "evil.png"]) {
    const file = grace.page.locator(`[data-name="${name}"]`);
    await file.getByTestId("file-receive").click();
    await expect(file).toHaveAttribute("data-status", "received");
  }
  await expect(grace.page.getByTestId("file-preview")).toHaveCount(1);
  await expectFaultless(grace.page, "a picture received");
  await takeScreenshots(grace.page, "files-picture", ALL_SIZES);
  await grace.page.emulateMedia({ forcedColors: "active" });
  await grace.page.screenshot({ path: "shots/files-forced.png" });
  await grace.page.emulateMedia({ forcedColors: null });

  for (const kind of ["drop", "paste"]) {
    await ada.page.evaluate((kind) => {
      const data = new DataTransfer();
      data.items.add(new File(["x"], `${kind}.txt`));
      const target = document.querySelector("[data-testid=chat-input]");
      const init = { bubbles: true, cancelable: true };
      target?.dispatchEvent(
        kind === "drop"
          ? new DragEvent("drop", { ...init, dataTransfer: data })
          : new ClipboardEvent("paste", { ...init, clipboardData: data }),
      );
    }, kind);
    await expect(ada.page.getByTestId("staged")).toContainText(kind);
  }
  await ada.page.getByTestId("staged").getByRole("button").first().press("Enter");
  await expect(ada.page.getByTestId("staged").getByRole("listitem")).toHaveCount(1);
  await expect(ada.page.getByTestId("chat-input")).toBeFocused();
});

test("a sender who reloads ends the offer, and the recipient is told what to do", async ({
  open,
}) => {
  const ada = await open("Ada", { observer: SMALL });
  const grace = await open("Grace", { observer: SMALL });
  await ada.enter("again");
  await grace.enter("again");
  await ada.remoteTiles(1);
  for (const person of [ada, grace]) await person.tab.click("chat-open");
  await share(ada, { name: "notes.txt", buffer: Buffer.from("notes") });
  await fileIs(grace, "offered");
  await ada.page.reload();
  await ada.ownTile();
  await fileIs(grace, "unavailable");
  await expect(card(grace)).toContainText("Ada left or reloaded the page");
  await expect(card(grace).getByTestId("file-receive")).toHaveCount(0);
  // Shared again, it arrives.
  const chat = ada.page.getByTestId("chat-open");
  if ((await chat.getAttribute("aria-expanded")) !== "true") await chat.click();
  await share(ada, { name: "notes.txt", buffer: Buffer.from("notes") });
  await fileIs(grace, "offered");
  await card(grace).getByTestId("file-receive").click();
  await fileIs(grace, "received");
});

test("a host keeps files to hosts: the others may write, not share", async ({ open }) => {
  const ada = await open("Ada", { observer: SMALL });
  const grace = await open("Grace", { observer: SMALL });
  await ada.enter("strict");
  await grace.enter("strict");
  await ada.remoteTiles(1);
  for (const person of [ada, grace]) await person.tab.click("chat-open");
  await share(grace, { name: "mine.txt", buffer: Buffer.from("mine") });
  await fileIs(ada, "offered");
  await ada.tab.click("open-people");
  await ada.page.getByTestId("files-by-hosts").click();
  await expect(grace.page.getByTestId("chat-attach")).toHaveCount(0);
  await expect(grace.page.getByTestId("chat-send")).toBeVisible();
  await expect(card(grace)).toContainText("No longer shared");
  await ada.tab.click("chat-open");
  await fileIs(ada, "unavailable");
  await share(ada, { name: "host's.txt", buffer: Buffer.from("host") });
  await card(grace).getByTestId("file-receive").click();
  await fileIs(grace, "received");
});

test("Firefox and Chromium exchange a file of 30 MB, both ways", async ({
  open,
  pool,
  firefox,
}) => {
  test.setTimeout(300_000);
  const ada = await open("Ada", { observer: SMALL });
  const grace = await pool.openFirefox("Grace", firefox, SMALL);
  await ada.enter("mixed");
  await grace.enter("mixed");
  await ada.remoteTiles(1);
  for (const person of [ada, grace]) await person.tab.click("chat-open");
  for (const [from, to] of [
    [ada, grace],
    [grace, ada],
  ] as const) {
    const hash = await attachNoise(from);
    await from.tab.click("chat-send");
    await fileIs(to, "offered");
    await watchSaving(to);
    await to.tab.click("file-receive");
    await savedWith(to, hash);
  }
});

test.describe("a server with a limit for files", () => {
  test.use({ flags: ["--max-file-size", "1"] });

  test("says it of a larger file and beside a smaller one", async ({ open }) => {
    const ada = await open("Ada", { observer: SMALL });
    await ada.enter("small");
    await ada.tab.click("chat-open");
    const input = ada.page.getByTestId("chat").locator("input[type=file]");
    const film = { name: "film.webm", mimeType: "video/webm", buffer: Buffer.alloc(1_000_001) };
    await input.setInputFiles([film]);
    const problem = ada.page.getByTestId("staging-problem");
    await expect(problem).toHaveText("film.webm is too large. A file can have up to 1 MB.");
    await share(ada, { name: "plan.txt", buffer: Buffer.alloc(1_000_000) });
    await expect(card(ada)).toHaveAttribute("data-name", "plan.txt");
  });
});

test.describe("a server without files", () => {
  test.use({ flags: ["--max-file-size", "0"] });

  test("offers none, and sends messages", async ({ open }) => {
    const ada = await open("Ada", { observer: SMALL });
    await ada.enter("text");
    await ada.tab.click("chat-open");
    await ada.page.getByTestId("chat-input").fill("hello");
    await ada.page.getByTestId("chat-input").press("Enter");
    await expect(ada.page.getByTestId("chat")).toContainText("hello");
    await expect(ada.page.getByTestId("chat-attach")).toHaveCount(0);
  });
});
