import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { POLL_MS, type Poll, startPoll } from "./poll.ts";

describe("startPoll", () => {
  let isVisible = true;
  let tags: (string | null)[] = [];
  let values: string[] = [];
  let errors: unknown[] = [];
  let answer: () => Promise<{ tag: string | null; value: string } | null>;
  let poll: Poll;

  const start = () => {
    poll = startPoll<string>({
      ask: (tag) => {
        tags.push(tag);
        return answer();
      },
      onValue: (value) => values.push(value),
      onError: (error) => errors.push(error),
      isVisible: () => isVisible,
    });
  };
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  beforeEach(() => {
    vi.useFakeTimers();
    [isVisible, tags, values, errors] = [true, [], [], []];
    answer = async () => ({ tag: '"1"', value: "one" });
  });
  afterEach(() => {
    poll.stop();
    vi.useRealTimers();
  });

  it("asks with the tag of the last answer and reports changes alone", async () => {
    start();
    await pass(0);
    answer = async () => null;
    await pass(2 * POLL_MS);
    expect(tags).toEqual([null, '"1"', '"1"']);
    expect(values).toEqual(["one"]);
  });

  it("rests while the page is hidden, and asks at once when it is seen again", async () => {
    start();
    await pass(0);
    isVisible = false;
    poll.visibilityChanged();
    await pass(100 * POLL_MS);
    expect(tags).toHaveLength(1);
    isVisible = true;
    poll.visibilityChanged();
    await pass(0);
    expect(tags).toHaveLength(2);
  });

  it("asks less often while the server does not answer, and says when it does again", async () => {
    answer = () => Promise.reject(new Error("down"));
    start();
    await pass(20 * POLL_MS);
    expect(tags.length).toBeLessThan(7);
    expect(errors.at(-1)).toBeInstanceOf(Error);
    answer = async () => ({ tag: null, value: "back" });
    await pass(30_000);
    expect(new Set(values)).toEqual(new Set(["back"]));
    expect(errors.at(-1)).toBeNull();
    const asked = tags.length;
    await pass(POLL_MS);
    expect(tags).toHaveLength(asked + 1);
  });

  it("has one question open at a time, and repeats it after a change meanwhile", async () => {
    const answers: ((value: { tag: null; value: string }) => void)[] = [];
    answer = () => new Promise((resolve) => answers.push(resolve));
    start();
    poll.now();
    poll.now();
    await pass(10 * POLL_MS);
    expect(answers).toHaveLength(1);
    answers[0]?.({ tag: null, value: "before the change" });
    await pass(1);
    expect(answers).toHaveLength(2);
  });

  it("ends for good", async () => {
    start();
    poll.stop();
    await pass(10 * POLL_MS);
    expect(tags).toHaveLength(1);
    expect(values).toEqual([]);
  });
});
