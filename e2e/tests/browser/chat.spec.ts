import { Cable } from "../../support/cable.ts";
import type { ChromiumParticipant } from "../../support/participant.ts";
import { expect, test } from "../../support/test.ts";

async function write(person: ChromiumParticipant, text: string): Promise<void> {
  await person.tab.fill("chat-input", text);
  await person.tab.click("chat-send");
}

const texts = (person: ChromiumParticipant) => person.page.getByTestId("chat-message");

test("people write to each other; what comes while the chat is closed is counted", async ({
  open,
}) => {
  const ada = await open("Ada");
  const grace = await open("Grace");
  await ada.enter("talk");
  await grace.enter("talk");
  await grace.others(1);

  await ada.tab.click("chat-open");
  await expect(ada.page.getByTestId("chat-input")).toBeFocused();
  await write(ada, "안녕 <b>Grace</b>");
  await write(ada, "see https://example.org/a.");
  await expect(texts(ada).last()).toHaveAttribute("data-status", "sent");

  const button = grace.page.getByTestId("chat-open");
  await expect(button).toHaveAccessibleName("Chat, 2 new messages");
  await button.click();
  await expect(button).toHaveAccessibleName("Chat");
  await expect(texts(grace)).toHaveCount(2);
  await expect(texts(grace).first()).toContainText("안녕 <b>Grace</b>");
  const link = texts(grace).last().getByRole("link");
  await expect(link).toHaveAttribute("href", "https://example.org/a");
  await expect(link).toHaveAttribute("rel", /noopener/);

  await grace.page.getByTestId("chat-input").fill("hello");
  await grace.page.keyboard.press("Shift+Enter");
  await grace.page.keyboard.type("Ada");
  await grace.page.keyboard.press("Enter");
  await expect(texts(ada).last()).toContainText("hello\nAda");

  await grace.page.keyboard.press("Escape");
  await expect(grace.page.getByTestId("chat")).toHaveCount(0);
  await expect(button).toBeFocused();
});

test("what is written while the line is cut arrives once, on both sides", async ({
  open,
  server,
}) => {
  const cable = await Cable.to(server.port);
  try {
    const ada = await open("Ada");
    const grace = await open("Grace", {
      url: cable.url,
      allow: [/console: .*(WebSocket|ERR_CONNECTION|Failed to load)/],
    });
    await ada.enter("cut");
    await grace.enter("cut");
    await ada.others(1);
    await ada.tab.click("chat-open");
    await grace.tab.click("chat-open");
    await write(grace, "before");
    await expect(texts(ada)).toHaveCount(1);

    cable.pull();
    await expect(grace.page.getByTestId("reconnecting")).toBeVisible();
    await write(grace, "meanwhile");
    await write(ada, "are you there?");
    await expect(texts(grace).last()).toHaveAttribute("data-status", "sending");
    cable.mend();

    await expect(texts(ada)).toHaveCount(3);
    await expect(texts(grace)).toHaveCount(3);
    await expect(texts(grace).and(grace.page.locator("[data-status=sent]"))).toHaveCount(3);
    await write(grace, "after");
    await expect(texts(ada)).toHaveCount(4);
  } finally {
    await cable.close();
  }
});

test("Enter and Escape that end a syllable neither send nor close, in Safari's order too", async ({
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
    // The composition has ended already.
    { isComposing: false, keyCode: 229 },
  ]) {
    for (const key of ["Enter", "Escape"]) {
      const isLeft = await input.evaluate(
        (input, pressed) =>
          input.dispatchEvent(
            new KeyboardEvent("keydown", { ...pressed, bubbles: true, cancelable: true }),
          ),
        { ...composing, key },
      );
      expect(isLeft, `${key} stays the input method's`).toBe(true);
    }
  }
  await expect(input).toHaveValue("안녕하세");
  await expect(texts(ada)).toHaveCount(0);
  await input.press("Enter");
  await expect(texts(ada)).toHaveCount(1);
  await input.press("Escape");
  await expect(ada.page.getByTestId("chat")).toHaveCount(0);
});

test("Enter that ends a syllable submits no form", async ({ open }) => {
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
