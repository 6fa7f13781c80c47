import { expect, test } from "vitest";
import { LoadOnce } from "./load-once.ts";

test("what is loaded stays; a failed attempt is followed by another one", async () => {
  let attempts = 0;
  const once = new LoadOnce(async () => {
    attempts++;
    if (attempts === 1) throw new TypeError("failed to fetch");
    return "part";
  });
  await expect(Promise.all([once.load(), once.load()])).rejects.toThrow("failed to fetch");
  expect(attempts).toBe(1);
  expect(once.loaded).toBeNull();
  expect(await once.load()).toBe("part");
  expect(await once.load()).toBe("part");
  expect(once.loaded).toBe("part");
  expect(attempts).toBe(2);
});
