import { expect, test } from "vitest";
import { FakeStorage } from "../testing/storage.ts";
import { deviceSecret } from "./device-secret.ts";

test("the secret is kept, and valid for the server", () => {
  const storage = new FakeStorage();
  const secret = deviceSecret(storage);
  expect(secret).toMatch(/^[A-Za-z0-9_-]{16,64}$/);
  expect(deviceSecret(storage)).toBe(secret);
  expect(deviceSecret(new FakeStorage())).not.toBe(secret);
});

test("a secret that the server would reject is replaced", () => {
  const storage = new FakeStorage();
  storage.setItem("moim.device", "short");
  expect(deviceSecret(storage)).not.toBe("short");
});

test("without storage there is a secret nevertheless", () => {
  expect(deviceSecret(undefined)).toHaveLength(48);
});
