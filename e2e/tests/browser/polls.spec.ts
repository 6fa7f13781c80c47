import { expectFaultless } from "../../support/accessibility.ts";
import type { ChromiumParticipant } from "../../support/participant.ts";
import { PaperParticipant } from "../../support/people.ts";
import { ALL_SIZES, takeScreenshots } from "../../support/screenshots.ts";
import { TcpProxy } from "../../support/tcp-proxy.ts";
import { expect, test } from "../../support/test.ts";

const poll = ({ page }: ChromiumParticipant) => page.getByTestId("poll");
const votes = (person: ChromiumParticipant) => poll(person).first().getByTestId("poll-votes");

async function openPolls(person: ChromiumParticipant): Promise<void> {
  await person.tab.click("open-more");
  await person.tab.click("open-polls");
  await expect(person.page.getByTestId("polls-panel")).toBeVisible();
}

test("a host asks by keyboard, all vote and see the result, and it is closed and deleted", async ({
  open,
}) => {
  const ada = await open("Ada", { context: { reducedMotion: "reduce" } });
  const grace = await open("Grace", { context: { locale: "ko-KR", reducedMotion: "reduce" } });
  await ada.enter("council");
  await grace.enter("council");
  await ada.remoteTiles(1);

  await openPolls(ada);
  await expectFaultless(ada.page, "no polls");
  await ada.page.getByTestId("poll-new").press("Enter");
  const { keyboard } = ada.page;
  await expect(ada.page.getByTestId("poll-question")).toBeFocused();
  await keyboard.type("What shall we have for lunch?");
  for (const option of ["Noodles", "Rice", "Noodles"]) {
    await keyboard.press("Tab");
    await keyboard.type(option);
  }
  await expect(ada.page.getByTestId("poll-start")).toBeDisabled();
  await expect(ada.page.getByRole("alert")).toContainText("already there");
  await keyboard.press("ControlOrMeta+A");
  await keyboard.type("Nothing at all, I have eaten already");
  await takeScreenshots(ada.page, "poll-form", ALL_SIZES);
  await expectFaultless(ada.page, "poll form");
  await ada.page.getByTestId("poll-option").nth(2).press("Enter");
  await expect(poll(ada)).toHaveCount(1);
  await expect(ada.page.locator("body")).not.toBeFocused();

  // The other one is told, in Korean, and votes by keyboard.
  const toast = grace.page.getByTestId("toast").filter({ hasText: "새 투표" });
  await expect(toast).toContainText("What shall we have for lunch?");
  await expect(grace.page.getByTestId("open-more")).toHaveAccessibleName(/투표 \(진행 중 1개\)/);
  await toast.getByTestId("toast-action").click();
  await poll(grace).getByTestId("poll-choice").first().focus();
  await grace.page.keyboard.press("ArrowDown");
  await grace.page.keyboard.press("Enter");
  await expect(votes(ada)).toHaveText(["0 votes", "1 vote", "0 votes"]);
  await expect(poll(grace).getByTestId("poll-voters")).toContainText("나도 투표했어요");
  await expect(grace.page.getByTestId("poll-new")).toHaveCount(0);
  await poll(ada).getByTestId("poll-choice").first().check();
  await poll(ada).getByTestId("poll-vote").click();
  await expect(votes(grace)).toHaveText(["1표", "1표", "0표"]);
  await expectFaultless(grace.page, "poll");
  await takeScreenshots(ada.page, "poll", ALL_SIZES);
  await takeScreenshots(grace.page, "poll-ko", ALL_SIZES);

  // A reload votes for nobody twice, and knows its own vote.
  await grace.page.reload();
  await expect(poll(grace).getByTestId("poll-choice").nth(1)).toBeChecked();
  await poll(grace).getByTestId("poll-choice").nth(2).check();
  await poll(grace).getByTestId("poll-vote").click();
  await expect(votes(ada)).toHaveText(["1 vote", "0 votes", "1 vote"]);

  await poll(ada).getByTestId("poll-close").click();
  await expect(ada.page.locator("body")).not.toBeFocused();
  await expect(poll(grace)).toHaveAttribute("data-closed", "true");
  await expect(votes(grace)).toHaveText(["1표", "0표", "1표"]);
  await poll(ada).getByTestId("poll-remove").click();
  await poll(ada).getByTestId("poll-remove-confirm").click();
  await expect(poll(grace)).toHaveCount(0);
  await expect(ada.page.locator("body")).not.toBeFocused();
});

test("a poll by name shows who chose what, also to late comers and after a lost connection", async ({
  open,
  server,
}) => {
  const proxy = await TcpProxy.to(server.port);
  try {
    const host = await PaperParticipant.join(server.url, "names", "Host");
    await host.send("poll:ask", {
      question: "Which days?",
      options: ["Monday", "Tuesday"],
      multiple: true,
      named: true,
    });
    const ada = await open("Ada", {
      url: proxy.url,
      allow: [/console: .*(WebSocket|ERR_CONNECTION|Failed to load)/],
    });
    await ada.enter("names");
    const toast = ada.page.getByTestId("toast").filter({ hasText: "Which days?" });
    await toast.getByTestId("toast-action").click();
    await poll(ada).getByTestId("poll-choice").first().check();
    await poll(ada).getByTestId("poll-choice").nth(1).check();
    await poll(ada).getByTestId("poll-vote").click();
    await expect(poll(ada).getByTestId("poll-names")).toHaveText(["Ada", "Ada"]);

    proxy.cut();
    await expect(ada.page.getByTestId("reconnecting")).toBeVisible();
    await host.send("poll:vote", { poll: 1, options: [1] });
    await host.send("poll:close", { poll: 1 });
    proxy.restore();
    await expect(poll(ada)).toHaveAttribute("data-closed", "true");
    await expect(poll(ada).getByTestId("poll-names")).toHaveText(["Ada", "Ada, Host"]);
    host.leave();
  } finally {
    await proxy.close();
  }
});
