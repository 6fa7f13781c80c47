import { expectFaultless } from "../../support/accessibility.ts";
import type { ChromiumParticipant } from "../../support/participant.ts";
import { ALL_SIZES, takeScreenshots } from "../../support/screenshots.ts";
import { TcpProxy } from "../../support/tcp-proxy.ts";
import { expect, test } from "../../support/test.ts";

async function write(person: ChromiumParticipant, text: string): Promise<void> {
  await person.tab.fill("chat-input", text);
  await person.tab.click("chat-send");
}

const messages = (person: ChromiumParticipant) => person.page.getByTestId("chat-message");

test("messages are delivered, and counted as unread while the chat is closed", async ({ open }) => {
  const ada = await open("Ada");
  const grace = await open("Grace");
  await ada.enter("talk");
  await grace.enter("talk");
  await grace.remoteTiles(1);

  await ada.tab.click("chat-open");
  await expect(ada.page.getByTestId("chat-input")).toBeFocused();
  await write(ada, "안녕 <b>Grace</b>");
  await write(ada, "see https://example.org/a.");
  await expect(messages(ada).last()).toHaveAttribute("data-status", "sent");

  const button = grace.page.getByTestId("chat-open");
  await expect(button).toHaveAccessibleName("Chat, 2 new messages");
  await button.click();
  await expect(button).toHaveAccessibleName("Chat");
  await expect(messages(grace)).toHaveCount(2);
  await expect(messages(grace).first()).toContainText("안녕 <b>Grace</b>");
  const link = messages(grace).last().getByRole("link");
  await expect(link).toHaveAttribute("href", "https://example.org/a");
  await expect(link).toHaveAttribute("rel", /noopener/);

  await grace.page.getByTestId("chat-input").fill("hello");
  await grace.page.keyboard.press("Shift+Enter");
  await grace.page.keyboard.type("Ada");
  await grace.page.keyboard.press("Enter");
  await expect(messages(ada).last()).toContainText("hello\nAda");

  await grace.page.keyboard.press("Escape");
  await expect(grace.page.getByTestId("chat")).toHaveCount(0);
  await expect(button).toBeFocused();
});

test("messages sent while the connection is cut are delivered exactly once, both ways", async ({
  open,
  server,
}) => {
  const proxy = await TcpProxy.to(server.port);
  try {
    const ada = await open("Ada");
    const grace = await open("Grace", {
      url: proxy.url,
      allow: [/console: .*(WebSocket|ERR_CONNECTION|Failed to load)/],
    });
    await ada.enter("cut");
    await grace.enter("cut");
    await ada.remoteTiles(1);
    await ada.tab.click("chat-open");
    await grace.tab.click("chat-open");
    await write(grace, "before");
    await expect(messages(ada)).toHaveCount(1);

    proxy.cut();
    await expect(grace.page.getByTestId("reconnecting")).toBeVisible();
    await write(grace, "meanwhile");
    await write(ada, "are you there?");
    await expect(messages(grace).last()).toHaveAttribute("data-status", "sending");
    proxy.restore();

    await expect(messages(ada)).toHaveCount(3);
    await expect(messages(grace)).toHaveCount(3);
    await expect(messages(grace).and(grace.page.locator("[data-status=sent]"))).toHaveCount(3);
    await write(grace, "after");
    await expect(messages(ada)).toHaveCount(4);
  } finally {
    await proxy.close();
  }
});

test("Enter and Escape during text composition neither send nor close, also in Safari", async ({
  open,
}) => {
  const ada = await open("Ada");
  await ada.enter("syllables");
  await ada.tab.click("chat-open");
  const input = ada.page.getByTestId("chat-input");
  await input.fill("안녕하세");
  for (const composing of [
    { isComposing: true, keyCode: 229 },
    { isComposing: true, keyCode: 13 },
    // Safari has already ended the composition.
    { isComposing: false, keyCode: 229 },
  ]) {
    for (const key of ["Enter", "Escape"]) {
      const isUnhandled = await input.evaluate(
        (input, pressed) =>
          input.dispatchEvent(
            new KeyboardEvent("keydown", { ...pressed, bubbles: true, cancelable: true }),
          ),
        { ...composing, key },
      );
      expect(isUnhandled, `${key} is left to the input method`).toBe(true);
    }
  }
  await expect(input).toHaveValue("안녕하세");
  await expect(messages(ada)).toHaveCount(0);
  await input.press("Enter");
  await expect(messages(ada)).toHaveCount(1);
  await input.press("Escape");
  await expect(ada.page.getByTestId("chat")).toHaveCount(0);
});

test("Enter during text composition submits no form", async ({ open }) => {
  const ada = await open("Ada");
  await ada.page.goto(`${ada.url}/`);
  for (const field of ["name-input", "new-room-name"]) {
    await ada.page.getByTestId(field).fill("아다");
    await ada.page.getByTestId(field).dispatchEvent("keydown", { key: "Enter", keyCode: 229 });
  }
  await expect(ada.page).toHaveURL(`${ada.url}/`);
  await ada.page.goto(`${ada.url}/r/syllables`);
  await ada.page.getByTestId("name-input").fill("아다");
  await ada.page.getByTestId("name-input").dispatchEvent("keydown", { key: "Enter", keyCode: 229 });
  await expect(ada.page.getByTestId("join")).toBeEnabled();
  await expect(ada.page.getByTestId("tile")).toHaveCount(0);
});

test("a private message is seen by two, marked, answered by keyboard, and never falls to all", async ({
  open,
}) => {
  const ada = await open("Ada", { context: { reducedMotion: "reduce" } });
  const grace = await open("Grace");
  const hedy = await open("Hedy", { context: { locale: "ko-KR" } });
  for (const person of [ada, grace, hedy]) await person.enter("whisper");
  for (const person of [ada, grace, hedy]) await person.remoteTiles(2);
  for (const person of [grace, hedy]) await person.tab.click("chat-open");

  // By keyboard alone: the field, back past the paper clip to its recipient, and the message.
  const { keyboard } = ada.page;
  await ada.tab.click("chat-open");
  await keyboard.press("Shift+Tab");
  await expect(ada.page.getByTestId("chat-attach")).toBeFocused();
  await keyboard.press("Shift+Tab");
  await expect(ada.page.getByTestId("chat-to")).toBeFocused();
  await ada.page.getByTestId("chat-to").selectOption({ label: "To Grace only" });
  await keyboard.press("Tab");
  await keyboard.press("Tab");
  const input = ada.page.getByTestId("chat-input");
  await expect(input).toBeFocused();
  await expect(input).toHaveAccessibleName("Private message to Grace");
  await keyboard.type("psst");
  await keyboard.press("Enter");
  await keyboard.type("again");
  await keyboard.press("Enter");
  await expect(messages(grace)).toHaveCount(2);
  await expect(grace.page.getByTestId("chat-audience")).toHaveText(/Only to you/);
  await expect(messages(ada).first()).toContainText("Only to Grace");
  await expect(messages(ada).last()).toHaveAttribute("data-private", "true");

  await grace.page.getByTestId("chat-reply").click();
  await grace.page.keyboard.type("yes?");
  await grace.page.keyboard.press("Enter");
  await expect(messages(ada)).toHaveCount(3);
  await expectFaultless(ada.page, "chat");
  await takeScreenshots(ada.page, "chat-private", ALL_SIZES);

  // Hedy, in Korean, got none of it, and gets what is for her.
  await ada.page.getByTestId("chat-to").selectOption({ label: "To Hedy only" });
  await write(ada, "for you");
  await expect(hedy.page.getByTestId("chat-audience")).toHaveText(/나에게만/);
  await expect(messages(hedy)).toHaveCount(1);
  await takeScreenshots(hedy.page, "chat-private-ko", ALL_SIZES);

  // She leaves: what was meant for her goes to nobody.
  await hedy.tab.click("leave");
  await expect(ada.page.getByTestId("chat-recipient-gone")).toBeVisible();
  const sent = await messages(ada).count();
  await input.fill("not for everybody");
  await input.press("Enter");
  await expect(messages(ada)).toHaveCount(sent);
  await expect(input).toHaveValue("not for everybody");
  await ada.page.getByTestId("chat-to").selectOption({ label: "To everyone" });
  await ada.tab.click("chat-send");
  await expect(messages(grace).last()).toContainText("not for everybody");
  await expect(messages(grace).last()).toHaveAttribute("data-private", "false");
});

test("hosts may forbid private messages but those with hosts", async ({ open }) => {
  const ada = await open("Ada");
  const grace = await open("Grace");
  const hedy = await open("Hedy");
  for (const person of [ada, grace, hedy]) await person.enter("rules");
  await grace.remoteTiles(2);
  await grace.tab.click("chat-open");
  const options = grace.page.getByTestId("chat-to").locator("option");
  await expect(options).toHaveText(["To everyone", "To Ada only", "To Hedy only"]);
  await grace.page.getByTestId("chat-to").selectOption({ label: "To Hedy only" });
  await ada.tab.click("open-people");
  // It is checked once the server says so, which Playwright's own check doesn't wait for.
  await ada.page.getByTestId("private-by-hosts").click();
  await expect(ada.page.getByTestId("private-by-hosts")).toBeChecked();
  await expect(grace.page.getByTestId("chat-recipient-gone")).toBeVisible();
  await grace.page.getByTestId("chat-to").selectOption({ label: "To Ada only" });
  await expect(options).toHaveText(["To everyone", "To Ada only"]);
  await write(grace, "psst");
  await expect(messages(grace).last()).toHaveAttribute("data-status", "sent");
});
