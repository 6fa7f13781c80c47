import { type Browser, chromium } from "@playwright/test";
import {
  CHROMIUM,
  CHROMIUM_FLAGS,
  CHROMIUM_FLAGS_DENYING_DEVICES,
} from "../../support/chromium.ts";
import type { ChromiumParticipant } from "../../support/participant.ts";
import { expect, test } from "../../support/test.ts";

let denying: Browser;

test.beforeAll(async () => {
  denying = await chromium.launch({
    executablePath: CHROMIUM,
    args: CHROMIUM_FLAGS_DENYING_DEVICES,
  });
});

test.afterAll(() => denying.close());

test("the link that skips the preview joins even if camera and microphone are denied", async ({
  open,
}) => {
  const ada = await open("Ada");
  await ada.enter("refused");
  const grace = await open("Grace", { browser: denying });
  await grace.enter("refused");
  await grace.decodes(1);
  await expect
    .poll(() => ada.remoteTiles(1))
    .toMatchObject([{ name: "Grace", connection: "connected" }]);
});

async function expectExplanation(grace: ChromiumParticipant, explanation: RegExp): Promise<void> {
  await grace.tab.goto(`${grace.url}/r/explained?name=Grace`);
  await expect(grace.page.getByText(explanation)).toBeVisible();
  await grace.join();
}

test("a denied camera is explained, and joining works without it", async ({ open }) => {
  await expectExplanation(
    await open("Grace", { browser: denying }),
    /doesn't let this page use it/,
  );
});

for (const [name, situation, explanation] of [
  ["NotFoundError", "missing", /No device was found/],
  ["NotReadableError", "used by another program", /Another program/],
] as const) {
  test(`a camera that is ${situation} is explained, and joining works without it`, async ({
    open,
  }) => {
    const grace = await open("Grace");
    await grace.page.addInitScript((name) => {
      navigator.mediaDevices.getUserMedia = async () => {
        throw new DOMException("failed by the test", name);
      };
    }, name);
    await expectExplanation(grace, explanation);
  });
}

/** Acceptance check 10: every state of the permission prompt has its own words, and one action. */
const STATES = [
  {
    error: "NotAllowedError",
    message: "Permission denied",
    en: /doesn't let this page/,
    ko: /막고 있어요/,
  },
  { error: "NotAllowedError", message: "Permission dismissed", en: /got no answer/, ko: /답/ },
  {
    error: "NotAllowedError",
    message: "Permission denied by system",
    en: /Your system/,
    ko: /시스템|기기/,
  },
  { error: "NotFoundError", message: "", en: /No device was found/, ko: /찾/ },
  { error: "NotReadableError", message: "", en: /Another program/, ko: /다른 프로그램/ },
] as const;

for (const [locale, language] of [
  ["en-US", "en"],
  ["ko-KR", "ko"],
] as const) {
  test(`each reason why the camera stays off has its own words and one action, in ${locale}`, async ({
    open,
  }) => {
    const ada = await open("Ada", { context: { locale } });
    const { page } = ada;
    await page.addInitScript(() => {
      if (!navigator.mediaDevices) return;
      const why = () => JSON.parse(sessionStorage.getItem("why") ?? "null");
      const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (constraints) => {
        const reason = why();
        if (reason?.error === "hang") return new Promise(() => {});
        if (reason) throw new DOMException(reason.message, reason.error);
        return real(constraints);
      };
      const statuses = new Map<string, PermissionStatus>();
      navigator.permissions.query = async ({ name }) => {
        const state = why() ? "prompt" : "granted";
        const status = statuses.get(name) ?? Object.assign(new EventTarget(), { state, name });
        statuses.set(name, status as PermissionStatus);
        return status as PermissionStatus;
      };
      Object.assign(window, {
        allow: () => {
          sessionStorage.removeItem("why");
          for (const status of statuses.values()) {
            Object.assign(status, { state: "granted" }).dispatchEvent(new Event("change"));
          }
        },
      });
    });
    await page.goto(`${ada.url}/`);
    const problem = page.getByTestId("device-problem");
    const seen = new Set<string>();
    const look = async (expected: RegExp, buttons: number) => {
      await expect(problem).toContainText(expected, { timeout: 20_000 });
      await expect(problem.getByRole("button")).toHaveCount(buttons);
      const text = await problem.innerText();
      expect(seen, text).not.toContain(text);
      seen.add(text);
    };
    const openWith = async (why: { error: string; message: string } | null) => {
      await page.evaluate((why) => sessionStorage.setItem("why", JSON.stringify(why)), why);
      await page.goto(ada.previewUrl("states"));
    };
    for (const state of STATES) {
      await openWith(state);
      await look(state[language], 1);
    }
    // The prompt is open and nobody answers.
    await openWith({ error: "hang", message: "" });
    await look(language === "en" ? /waiting for your permission/ : /허용|기다리/, 1);

    // Allowed later in the browser's own settings: the picture appears without a press.
    await openWith(STATES[0]);
    await expect(problem).toBeVisible();
    await page.evaluate(() => (window as unknown as { allow: () => void }).allow());
    await ada.waitForPreview();
    await expect(problem).toHaveCount(0);
  });
}

/** Browsers inside other apps, by what they call themselves. */
const IN_APP = [
  "Mozilla/5.0 (Linux; Android 16; SM-S931N) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/140.0.0.0 Mobile Safari/537.36 KAKAOTALK 25.8.0",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 NAVER(inapp; search; 1000; 12.10.1; 15PRO)",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 380.0.0.0 (iPhone16,1; iOS 19_0)",
];

for (const { locale, inApp, insecure } of [
  { locale: "en-US", inApp: /another app's built-in browser/, insecure: /over https:\/\// },
  { locale: "ko-KR", inApp: /다른 앱 안의 브라우저/, insecure: /https:\/\/ 주소로/ },
]) {
  test(`a browser inside another app is told to open this page elsewhere, in ${locale}`, async ({
    open,
  }) => {
    for (const userAgent of IN_APP) {
      const ada = await open("Ada", { browser: denying, context: { locale, userAgent } });
      await ada.page.goto(ada.previewUrl("in-app"));
      const problem = ada.page.getByTestId("device-problem");
      await expect(problem).toContainText(inApp);
      await expect(problem.getByRole("button")).toHaveCount(1);
      await ada.join();
    }
  });

  test.describe("on an insecure page", () => {
    test.use({ flags: ["--host", "moim.test"] });

    test(`it says what to do, without a button, and one still hears and sees the others, in ${locale}`, async ({
      open,
      pool,
      server,
    }) => {
      const args = [...CHROMIUM_FLAGS, "--host-resolver-rules=MAP moim.test 127.0.0.1"];
      const browser = await chromium.launch({ executablePath: CHROMIUM, args });
      pool.closeAtEnd(browser);
      const url = `http://moim.test:${server.port}`;
      const ada = await open("Ada", {
        browser,
        url,
        context: { locale },
        // Chromium's remark about a header that counts on secure pages alone.
        allow: [/Cross-Origin-Opener-Policy/],
      });
      const { page } = ada;
      await page.goto(ada.previewUrl("insecure"));
      expect(await page.evaluate(() => isSecureContext)).toBe(false);
      const problem = page.getByTestId("device-problem");
      await expect(problem).toContainText(insecure);
      await expect(problem.getByRole("button")).toHaveCount(0);
      await expect(page.getByTestId("join-without")).toHaveCount(0);
      await ada.join();
      const grace = await open("Grace");
      await grace.enter("insecure");
      await ada.decodes(1);
      await page.getByTestId("chat-open").click();
      await page.getByTestId("chat-input").fill("hello");
      await page.getByTestId("chat-send").click();
      await expect(page.getByTestId("chat-message")).toHaveAttribute("data-status", "sent");
    });
  });
}
