import { expect, test } from "vitest";
import { SerialQueue } from "./serial-queue.ts";

test("tasks run in order, each after the one before has finished", async () => {
  const queue = new SerialQueue();
  const log: string[] = [];
  const task = (name: string) => async () => {
    log.push(`begin ${name}`);
    await Promise.resolve();
    log.push(`end ${name}`);
  };
  void queue.run(task("a"));
  await queue.run(task("b"));
  expect(log).toEqual(["begin a", "end a", "begin b", "end b"]);
});

test("a failed task rejects alone and does not stop the next one", async () => {
  const queue = new SerialQueue();
  const failed = queue.run(() => Promise.reject(new Error("broken")));
  const next = queue.run(async () => {});
  await expect(failed).rejects.toThrow("broken");
  await expect(next).resolves.toBeUndefined();
});
