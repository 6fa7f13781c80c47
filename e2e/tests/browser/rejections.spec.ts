import { createRoom } from "../../support/rooms.ts";
import { expect, test } from "../../support/test.ts";

test("a full room rejects a join, and accepts it once a place is free", async ({
  open,
  server,
}) => {
  await createRoom(server.url, { name: "small", capacity: 1 });
  const ada = await open("Ada");
  await ada.enter("small");

  const grace = await open("Grace");
  await grace.tab.goto(grace.roomUrl("small"));
  await expect(grace.page.getByTestId("room-full")).toBeVisible();
  await expect(grace.page.getByTestId("tile")).toHaveCount(0);
  expect(await ada.remoteTiles(0)).toEqual([]);

  // It was refused on arrival, so it may ask to be let in: a place becomes free, and no press follows.
  await grace.page.getByTestId("join").click();
  await expect(grace.page.getByTestId("join")).toHaveAttribute("aria-disabled", "true");
  await ada.tab.click("leave");
  const left = await ada.clickedAt("leave");
  await grace.ownTile();
  const entered = (await grace.tileChanges()).find(({ change }) => change === "added");
  expect((entered?.at ?? Number.POSITIVE_INFINITY) - left).toBeLessThan(1_000);
});

test("a wrong password is rejected, the right one accepted", async ({ open, server }) => {
  await createRoom(server.url, { name: "locked", password: "open sesame" });
  const ada = await open("Ada");
  await ada.tab.goto(`${ada.url}/r/locked?name=Ada`);
  await ada.tab.click("join");
  const password = ada.page.locator("input[type=password]");
  await expect(password).toBeVisible();

  await password.fill("open barley");
  await ada.tab.click("join");
  await expect(ada.page.getByTestId("error")).toBeVisible();
  await expect(ada.page.getByTestId("tile")).toHaveCount(0);

  await password.fill("open sesame");
  await ada.tab.click("join");
  await ada.ownTile();
});

test("names with HTML markup are shown as plain text", async ({ open }) => {
  const name = "<img src=x onerror=alert(1)>";
  const room = "<b>tea</b>";
  const ada = await open(name);
  await ada.enter(room);
  const grace = await open("Grace");
  await grace.tab.goto(`${grace.url}/`);
  await expect(grace.page.getByTestId("room-item")).toContainText(room);
  await grace.enter(room);
  expect((await grace.remoteTiles(1))[0]).toMatchObject({ name });
  await expect(grace.page.getByTestId("tile").filter({ hasText: name })).toHaveCount(1);
  await expect(grace.page.locator("img")).toHaveCount(0);
});
