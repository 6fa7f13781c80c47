import { afterEach, expect, test, vi } from "vitest";
import { Followed, type Step } from "./followed.ts";

const STEP: Step = { check: "udp", outcome: "failed", ms: 4_000.4 };

afterEach(() => {
  vi.unstubAllGlobals();
});

function stubFetch(status: number) {
  const fetch = vi.fn(async (_path: string, _init: RequestInit) => ({
    ok: status < 300,
    status,
  }));
  vi.stubGlobal("fetch", fetch);
  return fetch;
}

test("steps are reported under the id, before the findings", async () => {
  const fetch = stubFetch(204);
  const visit = Promise.resolve({ followed: true });
  const followed = new Followed("abc", visit, new AbortController().signal);
  followed.step(STEP);
  expect(await followed.reported()).toBe("abc");
  const [path, init] = fetch.mock.calls[0] ?? [];
  expect(path).toBe("/api/doctor/step");
  const body = { probe: "abc", check: "udp", outcome: "failed", ms: 4_000 };
  expect(JSON.parse(String(init?.body))).toEqual(body);
});

test("nothing is reported if nobody follows, and a failed report changes nothing", async () => {
  const fetch = stubFetch(404);
  const { signal } = new AbortController();
  for (const visit of [Promise.resolve({ followed: false }), Promise.reject(new Error("busy"))]) {
    const followed = new Followed("abc", visit, signal);
    followed.step(STEP);
    expect(await followed.reported()).toBeUndefined();
  }
  expect(fetch).not.toHaveBeenCalled();
  const followed = new Followed("abc", Promise.resolve({ followed: true }), signal);
  followed.step(STEP);
  expect(await followed.reported()).toBe("abc");
  expect(fetch).toHaveBeenCalledOnce();
});
