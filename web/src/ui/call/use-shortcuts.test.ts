import type { LocalMedia } from "moim-client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { en } from "../i18n/en.ts";

// The page's own modules look at the browser when they are loaded.
beforeEach(() => {
  vi.stubGlobal("navigator", { platform: "Linux" });
  vi.stubGlobal("matchMedia", () => ({ matches: false }));
  vi.stubGlobal("HTMLMediaElement", class {});
  vi.stubGlobal("window", {});
});
afterEach(() => vi.unstubAllGlobals());

async function press(shortcut: "mic" | "camera", isOn: boolean, maySpeak: boolean) {
  const { carryOut } = await import("./use-shortcuts.ts");
  const media = {
    getSnapshot: () => ({ microphone: { wanted: isOn }, camera: { wanted: isOn } }),
    setMicrophone: vi.fn(),
    setCamera: vi.fn(),
  };
  const said = carryOut(shortcut, media as unknown as LocalMedia, maySpeak, en);
  return { said, ...media };
}

test("a shortcut toggles a device and says what it did", async () => {
  const { said, setMicrophone } = await press("mic", true, true);
  expect(said).toBe("Microphone off");
  expect(setMicrophone).toHaveBeenCalledWith(false);
  const { said: saidOfCamera, setCamera } = await press("camera", false, true);
  expect(saidOfCamera).toBe("Camera on");
  expect(setCamera).toHaveBeenCalledWith(true);
});

test("a viewer's shortcuts open nothing and claim nothing", async () => {
  for (const shortcut of ["mic", "camera"] as const) {
    const { said, setMicrophone, setCamera } = await press(shortcut, false, false);
    expect(said).toBe("You are watching. A host can let you speak.");
    expect(setMicrophone).not.toHaveBeenCalled();
    expect(setCamera).not.toHaveBeenCalled();
  }
});
