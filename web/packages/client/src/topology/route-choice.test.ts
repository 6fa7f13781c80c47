import { expect, test } from "vitest";
import { chooseRoute, connectionOf } from "./route-choice.ts";

const BOTH = { mesh: true, sfu: true };
const MEDIA = { mic: true, camera: false, screen: false, hand: false };

test("the current route is kept until the wanted one delivers", () => {
  const routes = { current: "mesh", wanted: "sfu", has: BOTH } as const;
  expect(chooseRoute({ ...routes, arrived: false })).toBe("mesh");
  expect(chooseRoute({ ...routes, arrived: true })).toBe("sfu");
  expect(chooseRoute({ ...routes, current: "sfu", arrived: false })).toBe("sfu");
});

test("the only route with a track is used", () => {
  const routes = { current: null, wanted: "sfu", arrived: false } as const;
  expect(chooseRoute({ ...routes, has: { mesh: false, sfu: true } })).toBe("sfu");
  expect(chooseRoute({ ...routes, has: { mesh: true, sfu: false } })).toBe("mesh");
  expect(chooseRoute({ ...routes, has: { mesh: false, sfu: false } })).toBeNull();
});

test("a participant is connected by either route", () => {
  const links = { media: MEDIA, wanted: "sfu", sfuTracks: {} } as const;
  const state = (mesh: "connected" | null, sfu: "connected" | "connecting" | null) =>
    connectionOf({ ...links, state: { mesh, sfu } });
  expect(state("connected", "connecting")).toBe("connected");
  expect(state(null, null)).toBe("connecting");
});

test("a participant whose tracks the server does not announce is still connecting", () => {
  const links = { wanted: "sfu", state: { mesh: null, sfu: "connected" } } as const;
  const microphone = {} as MediaStreamTrack;
  expect(connectionOf({ ...links, media: MEDIA, sfuTracks: {} })).toBe("connecting");
  expect(connectionOf({ ...links, media: MEDIA, sfuTracks: { microphone } })).toBe("connected");
  const silent = { ...MEDIA, mic: false };
  expect(connectionOf({ ...links, media: silent, sfuTracks: {} })).toBe("connected");
});
