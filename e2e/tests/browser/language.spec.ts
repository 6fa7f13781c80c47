import { expect, test } from "../../support/test.ts";

const HANGUL = /\p{Script=Hangul}/u;

for (const [locale, lang] of [
  ["ko-KR", "ko"],
  ["en-US", "en"],
  ["fr-FR", "en"],
] as const) {
  test(`a browser set to ${locale} gets the page in ${lang}`, async ({ open }) => {
    const ada = await open("Ada", { context: { locale } });
    await ada.tab.goto(`${ada.url}/`);
    await expect(ada.page.locator("html")).toHaveAttribute("lang", lang);
    const button = ada.page.getByTestId("create-room");
    if (lang === "ko") await expect(button).toContainText(HANGUL);
    else await expect(button).not.toContainText(HANGUL);
  });
}

test("a selected language applies at once and is stored on the device", async ({ open }) => {
  const ada = await open("Ada");
  await ada.tab.goto(`${ada.url}/`);
  await ada.page.getByLabel("Language").selectOption("ko");
  const button = ada.page.getByTestId("create-room");
  await expect(button).toContainText(HANGUL);
  await ada.page.reload();
  await expect(button).toContainText(HANGUL);
  await expect(ada.page.locator("html")).toHaveAttribute("lang", "ko");
});
