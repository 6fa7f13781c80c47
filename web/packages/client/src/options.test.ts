import { expect, test } from "vitest";
import { validOptions } from "./options.ts";
import { FakeStorage } from "./testing/storage.ts";

const PAGE = "https://page.example";
const storages = () => ({ localStorage: new FakeStorage(), sessionStorage: new FakeStorage() });

test("without options the client uses the page's server and the browser's storages", () => {
  const own = storages();
  const { server, storage, tabStorage } = validOptions({}, PAGE, own);
  expect(server).toBeUndefined();
  storage?.setItem("moim.device", "1");
  tabStorage?.setItem("moim.earlier-join", "2");
  expect(own.localStorage.getItem("moim.device")).toBe("1");
  expect(own.sessionStorage.getItem("moim.earlier-join")).toBe("2");
});

test("the page's own origin counts as no other server, however it is written", () => {
  for (const server of ["https://PAGE.example:443/", new URL(PAGE)]) {
    expect(validOptions({ server }, PAGE, storages()).server).toBeUndefined();
  }
});

test("each server at another origin has keys of its own", () => {
  const own = storages();
  for (const server of ["https://a.example", "https://b.example/"]) {
    const { storage } = validOptions({ server }, PAGE, own);
    expect(storage?.getItem("moim.device")).toBeNull();
    storage?.setItem("moim.device", server);
    expect(storage?.getItem("moim.device")).toBe(server);
  }
  expect(own.localStorage.getItem("moim https://a.example.device")).toBe("https://a.example");
  expect(own.localStorage.getItem("moim.device")).toBeNull();
});

test("an application chooses where and under which keys things are kept", () => {
  const storage = new FakeStorage();
  const options = { storage, tabStorage: null, storagePrefix: "app$&" };
  const valid = validOptions(options, PAGE, storages());
  valid.storage?.setItem("moim.device", "1");
  expect(storage.getItem("app$&.device")).toBe("1");
  valid.storage?.removeItem("moim.device");
  expect(storage.length).toBe(0);
  expect(valid.tabStorage).toBeUndefined();
});

test("a browser that forbids its storages is served without them", () => {
  const forbidden = {
    get localStorage(): Storage {
      throw new DOMException("forbidden", "SecurityError");
    },
    get sessionStorage(): Storage {
      throw new DOMException("forbidden", "SecurityError");
    },
  };
  const { storage, tabStorage } = validOptions({}, PAGE, forbidden);
  expect(storage).toBeUndefined();
  expect(tabStorage).toBeUndefined();
});

test("an address that is no origin is rejected with what would be one", () => {
  for (const server of ["moim.example", "ws://moim.example", "", "file:///moim"]) {
    expect(() => validOptions({ server }, PAGE, storages())).toThrow(/like https:\/\/moim.example/);
  }
  for (const server of [
    "https://a.example/r/tea",
    "https://a.example/?x",
    "https://u:p@a.example",
  ]) {
    expect(() => validOptions({ server }, PAGE, storages())).toThrow(
      /must be an origin like https:\/\/a.example/,
    );
  }
});
