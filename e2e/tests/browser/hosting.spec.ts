import type { BrowserContextOptions } from "@playwright/test";
import { ko } from "../../../web/src/ui/i18n/ko.ts";
import { expectAccessible } from "../../support/accessibility.ts";
import type { ChromiumParticipant } from "../../support/participant.ts";
import { takeScreenshots } from "../../support/screenshots.ts";
import { expect, test } from "../../support/test.ts";

/** Each side of hosting is read in Korean as well. */
const KOREAN: { context: BrowserContextOptions } = { context: { locale: "ko-KR" } };

const row = (host: ChromiumParticipant, name: string) =>
  host.page.locator(`[data-testid=person][data-name=${name}]`);

/** Opens the menu of what the host may do about a participant. */
async function openActions(host: ChromiumParticipant, name: string): Promise<void> {
  await row(host, name).getByTestId("person-actions").click();
  await expect(host.page.getByRole("menu")).toBeVisible();
}

async function choose(host: ChromiumParticipant, name: string, action: string): Promise<void> {
  await openActions(host, name);
  await host.page.getByTestId(action).click();
  await expect(host.page.getByRole("menu")).toHaveCount(0);
}

test("a host lets people in from the waiting room, and turns others away", async ({ open }) => {
  const hana = await open("Hana", KOREAN);
  const ben = await open("Ben");
  const cem = await open("Cem");
  await hana.enter("class");
  await hana.page.getByTestId("open-people").click();
  await hana.page.getByTestId("entry").selectOption("waiting");
  await hana.page.keyboard.press("Escape");

  await ben.page.goto(ben.roomUrl("class"));
  await expect(ben.page.getByTestId("waiting")).toBeVisible();
  const banner = hana.page.getByTestId("waiting-banner");
  await expect(banner).toContainText(ko.people.wantsToJoin("Ben"));
  await cem.page.goto(cem.roomUrl("class"));
  await expect(banner).toContainText(ko.people.manyWantToJoin(2));
  await takeScreenshots(hana.page, "waiting-banner");
  await takeScreenshots(ben.page, "waiting");
  await expectAccessible(ben.page);

  await hana.page.getByTestId("waiting-show").click();
  await takeScreenshots(hana.page, "people-waiting");
  const waiting = (name: string) =>
    hana.page.locator(`[data-testid=waiting-person][data-name=${name}]`);
  await waiting("Ben").getByTestId("admit").click();
  await ben.remoteTiles(1);
  await waiting("Cem").getByTestId("deny").click();
  await expect(cem.page.getByTestId("error")).toContainText("The host didn't let you in");
  await expect(hana.page.getByTestId("waiting-people")).toHaveCount(0);
  await hana.page.keyboard.press("Escape");
  await hana.decodes(1);
  await ben.decodes(1);
});

test("an invitation link leads past the password once, and its key leaves the address", async ({
  open,
}) => {
  const hana = await open("Hana");
  const ben = await open("Ben");
  await hana.enter("lesson");
  await hana.page.getByTestId("open-people").click();
  await hana.page.getByTestId("entry").selectOption("waiting");
  await hana.page.getByTestId("invite-role").selectOption("viewer");
  await hana.page.getByTestId("make-invitation").click();
  const link = await hana.page.getByTestId("invitation-link").inputValue();
  await takeScreenshots(hana.page, "people-invitations");
  await expectAccessible(hana.page);

  await ben.page.goto(link);
  await expect(ben.page).toHaveURL(link.split("#")[0] ?? "");
  await ben.tab.fill("name-input", "Ben");
  await ben.join();
  await hana.page.keyboard.press("Escape");
  await hana.page.getByTestId("open-people").click();
  await expect(row(hana, "Ben")).toContainText("Viewer");
  await expect(hana.page.getByTestId("invitation")).toContainText("1 of 1 have entered");

  await hana.page.getByTestId("revoke-invitation").click();
  await expect(hana.page.getByTestId("invitation")).toHaveCount(0);
  const cem = await open("Cem");
  await cem.page.goto(link);
  await cem.tab.fill("name-input", "Cem");
  await cem.tab.click("join");
  await expect(cem.page.getByTestId("error")).toContainText("revoked");
});

test("a host mutes, asks to unmute and removes, in a mesh", async ({ open }) => {
  const hana = await open("Hana");
  const ben = await open("Ben", KOREAN);
  await hana.enter("desk");
  await ben.enter("desk");
  await hana.decodes(1);
  await hana.page.getByTestId("open-people").click();
  await openActions(hana, "Ben");
  await takeScreenshots(hana.page, "people");
  await expectAccessible(hana.page);

  await hana.page.getByTestId("mute").click();
  await expect(ben.page.getByText(ko.people.mutedMic("Hana")).first()).toBeVisible();
  await expect(ben.page.getByTestId("toggle-mic")).toHaveAttribute("aria-pressed", "false");
  await choose(hana, "Ben", "ask-to-unmute");
  const asked = ben.page.getByTestId("unmute-banner");
  await expect(asked).toContainText(ko.people.asksMic("Hana"));
  await asked.getByTestId("turn-on").click();
  await openActions(hana, "Ben");
  await expect(hana.page.getByTestId("mute")).toBeVisible();
  await expect(asked).toHaveCount(0);
  await hana.page.keyboard.press("Escape");

  // A viewer who becomes a speaker again is seen and heard again.
  await choose(hana, "Ben", "role-viewer");
  const directions = () =>
    ben.page.evaluate(() =>
      window.observed.peers
        .flatMap(({ connection }) => connection.getTransceivers())
        .map(({ direction, currentDirection }) => `${direction} ${currentDirection}`),
    );
  await expect.poll(directions).toEqual(["recvonly recvonly", "recvonly recvonly"]);
  await choose(hana, "Ben", "role-speaker");
  for (const testId of ["toggle-mic", "toggle-camera"]) {
    const toggle = ben.page.getByTestId(testId);
    await expect(toggle).toHaveAttribute("aria-pressed", "false");
    await toggle.click();
  }
  await hana.decodes(1);

  // A viewer's page that offers its camera all the same reaches nobody.
  await choose(hana, "Ben", "role-viewer");
  await expect.poll(directions).toEqual(["recvonly recvonly", "recvonly recvonly"]);
  const packets = async () => {
    const { connections } = await hana.report();
    const inbound = connections.flatMap((connection) => connection.inbound);
    return inbound.reduce((sum, { packetsReceived }) => sum + packetsReceived, 0);
  };
  const before = await packets();
  await ben.page.evaluate(async () => {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    for (const { connection } of window.observed.peers) {
      for (const { receiver, sender } of connection.getTransceivers()) {
        const track = stream.getTracks().find((one) => one.kind === receiver.track.kind) ?? null;
        await sender.replaceTrack(track);
      }
      for (const transceiver of connection.getTransceivers()) transceiver.direction = "sendrecv";
    }
  });
  await expect.poll(directions).toEqual(["sendrecv recvonly", "sendrecv recvonly"]);
  await ben.decodes(1);
  expect(await packets()).toBe(before);

  // Only a host has controls.
  await ben.page.getByTestId("open-people").click();
  await expect(ben.page.getByTestId("people")).toBeVisible();
  await expect(ben.page.getByTestId("person-actions")).toHaveCount(0);
  await expect(ben.page.getByTestId("room-rules")).toHaveCount(0);

  await choose(hana, "Ben", "remove");
  await row(hana, "Ben").getByTestId("remove-confirm").click();
  const end = ben.page.getByTestId("left");
  await expect(end).toContainText(ko.callEnded.removed);
  await expect(ben.page.getByTestId("join-again")).toHaveCount(0);
  await takeScreenshots(ben.page, "removed");
  await hana.remoteTiles(0);
  // Neither back nor a reload nor the address leads in again.
  for (const attempt of [
    () => ben.page.goBack(),
    () => ben.page.goForward(),
    () => ben.page.reload(),
    () => ben.page.goto(ben.roomUrl("desk")),
  ]) {
    await attempt();
    await expect(ben.page.getByTestId("call")).toHaveCount(0);
    await expect(ben.page.getByTestId("tile")).toHaveCount(0);
  }
  await expect(ben.page.getByTestId("error")).toContainText(ko.errors.banned);
  await hana.remoteTiles(0);
});

test("a page that ignores its host reaches nobody, and the host ends the call", async ({
  open,
}) => {
  const hana = await open("Hana");
  const ben = await open("Ben");
  const eve = await open("Eve");
  // Three, so that media goes through the media server.
  for (const person of [hana, ben, eve]) await person.enter("hall");
  await ben.decodes(2);
  // Eve's page never hears of the muting: its microphone goes on sending.
  await eve.page.evaluate(() => {
    const { send } = WebSocket.prototype;
    WebSocket.prototype.send = function (data) {
      if (typeof data === "string" && data.includes('"media"')) return;
      send.call(this, data);
    };
    MediaStreamTrack.prototype.stop = () => {};
    Object.defineProperty(MediaStreamTrack.prototype, "enabled", { set() {}, get: () => true });
    RTCRtpSender.prototype.replaceTrack = async () => {};
  });
  await hana.page.getByTestId("open-people").click();
  await choose(hana, "Eve", "mute");
  await expect(eve.page.getByText("Hana turned off your microphone").first()).toBeVisible();
  // Of the two microphones that Ben receives, one goes on: from one look to the next, the packets
  // of one grow and the other's do not, three times in a row.
  let before = new Map<string, number>();
  let times = 0;
  await expect
    .poll(
      async () => {
        const { connections } = await ben.report();
        const audio = connections
          .flatMap(({ inbound }) => inbound)
          .filter(({ kind }) => kind === "audio");
        const growing = audio.filter((one) => one.packetsReceived > (before.get(one.track) ?? 0));
        before = new Map(audio.map((one) => [one.track, one.packetsReceived]));
        times = growing.length === 1 ? times + 1 : 0;
        return times;
      },
      { intervals: [500], timeout: 30_000 },
    )
    .toBeGreaterThanOrEqual(3);

  await hana.page.getByTestId("end-for-all").click();
  await hana.page.getByTestId("end-for-all-confirm").click();
  for (const person of [ben, eve]) {
    await expect(person.page.getByTestId("left")).toContainText("The call has ended");
  }
});

/** Greatest time (ms) from a host's press until the others' pages show it. */
const MAX_DELAY = 500;

// Time is measured on a machine that other work shares, as with freezes.
test.describe("measured", () => {
  test.describe.configure({ retries: 2 });

  test("what a host does shows at the others within half a second", async ({ open }) => {
    const camera = { observer: { camera: "tiny" } } as const;
    const hana = await open("Hana", camera);
    const ben = await open("Ben", camera);
    const cem = await open("Cem", camera);
    await hana.enter("prompt");
    await ben.enter("prompt");
    await hana.decodes(1);
    await hana.page.getByTestId("open-people").click();
    const delays: Record<string, number> = {};
    /** Time from the press on a button until something on another's page has that state. */
    const measure = async (
      button: string,
      other: ChromiumParticipant,
      selector: string,
      isThere = true,
    ) => {
      const seen = other.page.evaluate(
        ({ selector, isThere }) =>
          new Promise<number>((resolve) => {
            const look = () => {
              if ((document.querySelector(selector) !== null) === isThere) {
                resolve(performance.timeOrigin + performance.now());
              } else requestAnimationFrame(look);
            };
            look();
          }),
        { selector, isThere },
      );
      await hana.page.getByTestId(button).click();
      const at = await seen;
      delays[`${button} ${selector}`] = Math.round(at - (await hana.clickedAt(button)));
    };
    const off = (testId: string) => `[data-testid=${testId}][aria-pressed=false]`;
    await openActions(hana, "Ben");
    await measure("mute", ben, off("toggle-mic"));
    await openActions(hana, "Ben");
    await measure("stop-camera", ben, off("toggle-camera"));
    await ben.page.getByTestId("toggle-mic").click();
    await openActions(hana, "Ben");
    await expect(hana.page.getByTestId("mute")).toBeVisible();
    await hana.page.keyboard.press("Escape");
    await measure("mute-all", ben, off("toggle-mic"));

    await hana.page.getByTestId("entry").selectOption("waiting");
    await cem.page.goto(cem.roomUrl("prompt"));
    await expect(cem.page.getByTestId("waiting")).toBeVisible();
    await measure("admit", cem, "[data-testid=waiting]", false);
    await cem.ownTile();
    await hana.remoteTiles(2);
    await choose(hana, "Ben", "remove");
    await measure("remove-confirm", ben, "[data-testid=left]");
    await hana.page.getByTestId("entry").selectOption("locked");
    const dan = await open("Dan");
    await dan.page.goto(dan.roomUrl("prompt"));
    await expect(dan.page.getByTestId("error")).toBeVisible();
    console.log("delays", JSON.stringify(delays));
    for (const [action, delay] of Object.entries(delays)) {
      expect(delay, action).toBeLessThanOrEqual(MAX_DELAY);
    }
  });
});
