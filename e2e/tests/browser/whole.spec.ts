// Acceptance checks 1, 3, 8 and 31: every view and state is whole at every size, in both languages,
// by mouse and by finger, at 200 % of text, and with longer words from right to left. And check 27:
// axe finds no fault in any of them.
//
// `MOIM_SHOTS=1` takes screenshots of all of them as well, for manual review.

import type { Page } from "@playwright/test";
import { violationsOf } from "../../support/accessibility.ts";
import type { ChromiumParticipant } from "../../support/participant.ts";
import { PaperParticipant } from "../../support/people.ts";
import { drawPortrait } from "../../support/portrait.ts";
import { createRoom } from "../../support/rooms.ts";
import { ALL_SIZES, takeScreenshots } from "../../support/screenshots.ts";
import { chromiumTab } from "../../support/tab.ts";
import { TcpProxy } from "../../support/tcp-proxy.ts";
import type { OpenOptions } from "../../support/test.ts";
import { expect, test } from "../../support/test.ts";
import { until } from "../../support/until.ts";
import { bordersMissing, faultsOf, pseudoLocalize, SIZES } from "../../support/whole.ts";

const TAKES_SCREENSHOTS = process.env.MOIM_SHOTS === "1";

type Open = (name: string, options?: OpenOptions) => Promise<ChromiumParticipant>;

/** A way of looking at every view. */
interface Look {
  name: string;
  pointer: "mouse" | "finger";
  context: NonNullable<OpenOptions["context"]>;
  /** Changes the page before it is measured, in each view. */
  change?: (page: Page) => Promise<void>;
  sizes?: readonly (readonly [number, number])[];
  /** Axe looks as well. */
  hasAxe?: boolean;
}

/** Widths in which axe looks: one of each layout. */
const AXE_WIDTHS = [1280, 390];

const LOOKS: readonly Look[] = [
  {
    name: "by mouse in English",
    pointer: "mouse",
    context: { colorScheme: "light" },
    hasAxe: true,
  },
  {
    name: "by finger in Korean",
    pointer: "finger",
    context: { colorScheme: "dark", locale: "ko-KR", hasTouch: true },
    hasAxe: true,
  },
  {
    name: "with text of 200 %",
    pointer: "mouse",
    context: {},
    change: (page) =>
      page.evaluate(() => {
        document.documentElement.style.fontSize = "200%";
      }),
    sizes: [
      [1280, 800],
      [1024, 768],
      [768, 1024],
    ],
  },
  {
    name: "with longer words from right to left",
    pointer: "mouse",
    context: {},
    change: pseudoLocalize,
  },
];

/** Looks at views in all sizes, and gathers what is wrong with them. */
class Inspector {
  readonly faults: string[] = [];

  constructor(private readonly look: Look) {}

  async inspect(
    page: Page,
    view: string,
    fits: (width: number, height: number) => boolean = () => true,
  ) {
    const before = page.viewportSize();
    const found = new Map<string, string[]>();
    for (const [width, height] of this.look.sizes ?? SIZES) {
      if (!fits(width, height)) continue;
      await page.setViewportSize({ width, height });
      await this.look.change?.(page);
      const faults = await faultsOf(chromiumTab(page), this.look.pointer);
      if (this.look.hasAxe && AXE_WIDTHS.includes(width)) {
        faults.push(...(await violationsOf(page)), ...(await bordersMissing(page)));
      }
      for (const fault of faults) {
        const at = found.get(fault.replace(/: [-\d, ×]+$/, "")) ?? [];
        found.set(fault.replace(/: [-\d, ×]+$/, ""), [
          ...at,
          `${width}×${height}${/: .*/.exec(fault)?.[0] ?? ""}`,
        ]);
      }
    }
    for (const [fault, at] of found) this.faults.push(`${view}: ${fault} at ${at.join("; ")}`);
    if (before) await page.setViewportSize(before);
    if (TAKES_SCREENSHOTS && !this.look.change) {
      // The inspection has scrolled to the last of what can be pressed.
      await page.evaluate(() => document.activeElement?.scrollIntoView({ block: "nearest" }));
      const sizes = ALL_SIZES.filter(({ width, height }) => fits(width, height));
      await takeScreenshots(page, `whole-${this.look.pointer}-${view}`, sizes);
    }
  }
}

/** The tile with the focus shows its actions. */
async function expectActions(page: Page): Promise<void> {
  const actions = page.locator("[data-testid=tile] [class*=actions]:has(:focus)");
  await expect(actions).toHaveCSS("opacity", "1");
}

/** The chat closes them when it opens. */
async function closeToasts(page: Page): Promise<void> {
  await page.getByTestId("chat-open").click();
  await expect(page.getByTestId("toast")).toHaveCount(0);
  await page.keyboard.press("Escape");
}

const isRoomy = (width: number, height: number) => width >= 760 && height >= 481;
const isTight = (width: number, height: number) => !isRoomy(width, height);
const isLying = (width: number, height: number) => height <= 480 && width > height;

/** Windows in which a menu opens, each with those of like kind, for which it need not be opened anew. */
const MENU_WINDOWS = [
  [isRoomy, 1280, 800],
  [(width: number, height: number) => isTight(width, height) && !isLying(width, height), 390, 844],
  [isLying, 844, 390],
] as const;

for (const look of LOOKS) {
  test(`home, lobby and what leads to a call are whole ${look.name}`, async ({ open, server }) => {
    test.setTimeout(300_000);
    const inspector = new Inspector(look);
    const openLook: Open = (name, options) =>
      open(name, { ...options, context: { reducedMotion: "reduce", ...look.context } });
    await createRoom(server.url, { name: "W".repeat(64), listed: true });
    const grace = await open("Grace");
    await grace.enter("morning-tea");

    // The last view is of an address without a page.
    const ada = await openLook("Ada", { allow: [/404/] });
    const { page } = ada;
    await ada.openPreview("an earlier room");
    await ada.join();
    await ada.tab.click("leave");
    await expect(page.getByTestId("left")).toBeVisible();
    await inspector.inspect(page, "left");
    await page.getByTestId("go-home").click();
    await expect(page.getByTestId("own-room")).toHaveCount(1);
    await expect(page.getByTestId("room-item")).toHaveCount(2);
    await inspector.inspect(page, "home");
    await page.getByTestId("create-options").click();
    await inspector.inspect(page, "home with options");
    await page.getByTestId("new-room-name").fill("..");
    await page.getByTestId("create-room").click();
    await expect(page.getByRole("alert")).toBeVisible();
    await inspector.inspect(page, "home with an error");

    await ada.openPreview("morning-tea");
    await expect(page.getByTestId("join")).toBeEnabled();
    await inspector.inspect(page, "lobby");
    await page.getByTestId("invite-people").click();
    await page.getByTestId("invite-calendar").click();
    await inspector.inspect(page, "invitation");
    await page.keyboard.press("Escape");
    await page.getByTestId("media-settings").click();
    await expect(page.getByTestId("noise")).toBeVisible();
    await inspector.inspect(page, "lobby with media settings");

    await createRoom(server.url, { name: "small", capacity: 1 });
    const only = await PaperParticipant.join(server.url, "small", "Grace");
    await page.goto(ada.roomUrl("small"));
    await expect(page.getByTestId("room-full")).toBeVisible();
    await inspector.inspect(page, "full room");
    only.leave();

    const second = await page.context().newPage();
    await ada.openPreview("twice");
    await ada.join();
    await second.goto(ada.roomUrl("twice"));
    await expect(second.getByTestId("elsewhere")).toBeVisible();
    await inspector.inspect(second, "elsewhere");
    await second.close();

    await page.goto(`${ada.url}/nowhere/to/be/found`);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await inspector.inspect(page, "not found");
    await page.goto(`${ada.url}/admin`);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await inspector.inspect(page, "administration");
    expect(inspector.faults).toEqual([]);
  });

  test(`the call with every panel, menu and dialog is whole ${look.name}`, async ({
    open,
    pool,
    server,
  }) => {
    test.setTimeout(300_000);
    const inspector = new Inspector(look);
    const proxy = pool.closeAtEnd(await TcpProxy.to(server.port));
    const ada = await open("Ada", {
      url: proxy.url,
      context: { reducedMotion: "reduce", ...look.context },
      // About the connection that the test cuts in the end.
      allow: [/WebSocket|ERR_CONNECTION|Failed to load/],
    });
    const { page } = ada;
    if (TAKES_SCREENSHOTS) {
      const colours = { hairColour: "#4a2f25", skin: "#f1c6a6", shirt: "#3f6f8f" };
      await drawPortrait(page, { background: "room", hair: "long", ...colours });
    }
    // A machine busy with other work would say above the tiles that its upload is slow.
    await page.addInitScript(() => localStorage.setItem("moim.uploadHint", "off"));
    await ada.enter("morning-tea");
    await expect(page.getByTestId("alone")).toBeVisible();
    await inspector.inspect(page, "alone");

    const papers: PaperParticipant[] = [];
    const join = async (name: string) => {
      papers.push(await PaperParticipant.join(server.url, "morning-tea", name));
      await ada.remoteTiles(papers.length);
    };
    await join("W".repeat(64));
    await inspector.inspect(page, "two");
    await page.getByTestId("hide-self").focus();
    await expectActions(page);
    await inspector.inspect(page, "two, with the actions of the own tile");
    await papers[0]?.write("A long message. ".repeat(125));
    // It stays while it has the focus.
    await page.getByTestId("toast").last().getByRole("button").first().focus();
    await inspector.inspect(page, "two with a toast");
    await closeToasts(page);
    await page.goBack();
    await expect(page.getByTestId("leave-question")).toBeVisible();
    await inspector.inspect(page, "leave question");
    await page.getByTestId("stay").click();
    for (const name of ["Grace", "Hedy", "하늘", "Ben", "Cem", "Dan", "Eve"]) await join(name);
    await papers[1]?.raiseHand(true);
    await expect(page.getByTestId("tile-hand")).toHaveCount(1);
    await inspector.inspect(page, "nine");
    const tile = page.locator('[data-testid=tile][data-name="Grace"]');
    await tile.getByTestId("pin").focus();
    await expectActions(page);
    await inspector.inspect(page, "nine, with the actions of a tile");

    await page.getByTestId("open-people").click();
    await page.getByTestId("entry").selectOption("waiting");
    await page.getByTestId("make-invitation").click();
    await expect(page.getByTestId("invitation-link")).toBeVisible();
    const waiting = await open("Zoe");
    await waiting.page.goto(waiting.roomUrl("morning-tea"));
    await expect(page.getByTestId("waiting-person")).toHaveCount(1);
    await inspector.inspect(page, "people");
    const actions = page.getByTestId("person-actions").first();
    for (const [fits, width, height] of MENU_WINDOWS) {
      await page.setViewportSize({ width, height });
      await actions.click();
      await expect(page.getByTestId("remove")).toBeVisible();
      await inspector.inspect(page, "person menu", fits);
      await page.getByTestId("remove").click();
      await expect(page.getByTestId("remove-confirm")).toBeVisible();
      await inspector.inspect(page, "remove question", fits);
      await page.getByTestId("remove-confirm").press("Shift+Tab");
      await page.keyboard.press("Enter");
    }
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.keyboard.press("Escape");
    // A second banner.
    await page.keyboard.press("?");
    await page.getByTestId("settings-media").click();
    await page.getByTestId("receive").selectOption("sound");
    await page.keyboard.press("Escape");
    await expect(page.getByTestId("sound-only")).toBeVisible();
    // A tile below the pointer shows its pin.
    await page.mouse.move(0, 0);
    await expect(page.getByTestId("waiting-banner")).toBeVisible();
    await papers[0]?.write("A long message. ".repeat(125));
    await page.getByTestId("toast").last().getByRole("button").first().focus();
    await inspector.inspect(page, "two banners and a toast");
    await closeToasts(page);
    await page.getByTestId("sound-only").getByRole("button").click();
    await expect(page.getByTestId("sound-only")).toHaveCount(0);
    await inspector.inspect(waiting.page, "waiting");
    await waiting.page.getByTestId("stop-waiting").click();
    await expect(page.getByTestId("waiting-banner")).toHaveCount(0);

    await papers[1]?.write("A long message. ".repeat(120));
    await expect(page.getByTestId("toast").last()).toBeVisible();
    await page.getByTestId("chat-open").click();
    await page.getByTestId("chat-input").fill("See https://example.org/agenda");
    await page.getByTestId("chat-send").click();
    await expect(page.getByTestId("chat-message")).toHaveCount(4);
    await inspector.inspect(page, "chat");
    await page.getByTestId("open-more").click();
    await page.getByTestId("open-polls").click();
    await page.getByTestId("poll-new").click();
    await inspector.inspect(page, "poll form");
    await page.getByTestId("poll-question").fill("What shall we have for lunch?");
    await page.getByTestId("poll-option").nth(0).fill("Noodles");
    await page
      .getByTestId("poll-option")
      .nth(1)
      .fill("Rice, and whatever else there is in the kitchen");
    await page.getByTestId("poll-start").click();
    await expect(page.getByTestId("poll")).toHaveCount(1);
    await inspector.inspect(page, "polls");
    await page.getByTestId("open-info").click();
    await expect(page.getByTestId("info")).toBeVisible();
    await inspector.inspect(page, "info");
    await page.getByTestId("open-stats").click();
    await expect(page.getByTestId("stats-panel")).toBeVisible();
    await inspector.inspect(page, "connection");
    await page.keyboard.press("Escape");

    for (const menu of ["open-mic-menu", "open-camera-menu", "open-reactions", "open-more"]) {
      await page.getByTestId(menu).click();
      await expect(page.getByTestId(menu)).toHaveAttribute("aria-expanded", "true");
      await inspector.inspect(page, menu, isRoomy);
      await page.keyboard.press("Escape");
    }
    await page.getByTestId("open-layout").click();
    await inspector.inspect(page, "open-layout");
    await page.keyboard.press("Escape");
    for (const [fits, width, height] of MENU_WINDOWS) {
      await page.setViewportSize({ width, height });
      await tile.getByTestId("tile-menu").focus();
      await page.keyboard.press("Enter");
      await expect(page.getByTestId("mute-for-me")).toBeVisible();
      await inspector.inspect(page, "tile-menu", fits);
      await page.keyboard.press("Escape");
    }
    await page.setViewportSize({ width: 1280, height: 800 });

    await page.keyboard.press("?");
    await expect(page.getByTestId("shortcuts")).toBeVisible();
    for (const tab of ["shortcuts", "media", "notices", "access", "language"]) {
      await page.getByTestId(`settings-${tab}`).click();
      await inspector.inspect(page, `settings-${tab}`);
    }
    // On a touch screen they are for whoever asked for them by a key.
    const shortcuts = page.getByTestId("settings-shortcuts");
    await expect(shortcuts).toHaveCount(look.pointer === "finger" ? 0 : 1);
    await page.keyboard.press("Escape");
    await page.setViewportSize({ width: 390, height: 844 });
    await page.getByTestId("open-more").click();
    await expect(page.getByTestId("more")).toBeVisible();
    await inspector.inspect(page, "more", isTight);
    await page.keyboard.press("Escape");
    await page.setViewportSize({ width: 1280, height: 800 });

    await page.getByTestId("open-layout").click();
    await page.getByTestId("view-speaker").click();
    await page.keyboard.press("Escape");
    await inspector.inspect(page, "speaker view");
    proxy.cut();
    await expect(page.getByTestId("reconnecting")).toBeVisible();
    await inspector.inspect(page, "reconnecting");
    for (const paper of papers) paper.leave();
    expect(inspector.faults).toEqual([]);
  });
}

/** A desktop, and a phone upright and lying. */
const FIREFOX_SIZES = [
  [390, 844],
  [844, 390],
  [1280, 800],
] as const;

test("in Firefox home, lobby, call, people and chat are whole, light and dark, in both languages", async ({
  firefox,
  pool,
  server,
}) => {
  const papers = [];
  for (const name of ["W".repeat(64), "하늘"]) {
    papers.push(await PaperParticipant.join(server.url, "fox", name));
  }
  const faults: string[] = [];
  for (const [language, theme] of [
    ["en", "light"],
    ["ko", "dark"],
  ]) {
    const ada = await pool.openFirefox("Ada", firefox);
    const visit = `lang=${language}&theme=${theme}`;
    const inspect = async (view: string) => {
      const ground = () => [
        document.documentElement.lang,
        getComputedStyle(document.documentElement).colorScheme,
      ];
      expect(await ada.tab.evaluate(ground), view).toEqual([language, theme]);
      for (const [width, height] of FIREFOX_SIZES) {
        await ada.tab.resize(width, height);
        for (const fault of await faultsOf(ada.tab, "mouse")) {
          faults.push(`${view}, ${visit}, ${width}×${height}: ${fault}`);
        }
      }
    };
    await ada.tab.goto(`${server.url}/?name=Ada&${visit}`);
    await until("a room in the list", async () => {
      const seen = await ada.tab.evaluate(
        () => document.querySelectorAll("[data-testid=room-item]").length,
      );
      return { done: seen > 0 || undefined, seen };
    });
    await inspect("home");
    await ada.tab.goto(`${ada.previewUrl("fox")}&${visit}`);
    await ada.waitForPreview();
    await inspect("lobby");
    await ada.join();
    await ada.remoteTiles(2);
    await inspect("call");
    await ada.tab.click("open-people");
    await inspect("people");
    await ada.tab.click("chat-open");
    await ada.tab.fill("chat-input", "See https://example.org/agenda");
    await ada.tab.click("chat-send");
    await inspect("chat");
    await ada.tab.click("leave");
  }
  expect(faults).toEqual([]);
  for (const paper of papers) paper.leave();
});
