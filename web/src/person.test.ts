import { expect, test } from "vitest";
import { NOBODY, personSession, signInAddress, signOut } from "./person.ts";

const answering = (body: unknown, status = 200) => {
  const sent: RequestInit[] = [];
  const request = (async (_path: string, options: RequestInit) => {
    sent.push(options);
    return new Response(status === 204 ? null : JSON.stringify(body), { status });
  }) as typeof fetch;
  return { request, sent };
};

test("names the person who has signed in", async () => {
  const { request } = answering({ provider: true, person: "Ann" });
  expect(await personSession(request)).toEqual({ provider: true, person: "Ann" });
});

test("is nobody where the server has no sign-in or can't be reached", async () => {
  expect(await personSession(answering({}, 404).request)).toEqual(NOBODY);
  expect(await personSession(answering(null).request)).toEqual(NOBODY);
  expect(await personSession(answering({ provider: 1, person: 5 }).request)).toEqual(NOBODY);
  const unreachable = () => Promise.reject(new TypeError("offline"));
  expect(await personSession(unreachable)).toEqual(NOBODY);
  expect(await signOut(unreachable)).toBe(null);
  expect(await signOut(answering({}, 503).request)).toBe(null);
});

test("signs out by a request that other sites can't send", async () => {
  const { request, sent } = answering(null, 204);
  expect(await signOut(request)).toBe("/");
  expect(sent[0]).toMatchObject({ method: "DELETE", credentials: "same-origin" });
});

test("goes on to the provider's page, where the provider has one to sign out", async () => {
  const page = "https://id.school.example/logout?client_id=moim";
  expect(await signOut(answering({ page }).request)).toBe(page);
  for (const odd of [{ page: "javascript:alert(1)" }, { page: 5 }, {}]) {
    expect(await signOut(answering(odd).request)).toBe("/");
  }
});

test("returns to the path that was left", () => {
  expect(signInAddress("/r/차 한잔?join=1")).toBe(
    "/auth/sign-in?to=%2Fr%2F%EC%B0%A8%20%ED%95%9C%EC%9E%94%3Fjoin%3D1",
  );
});
