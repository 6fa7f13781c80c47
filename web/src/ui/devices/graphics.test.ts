import { expect, test } from "vitest";
import { isSoftwareRenderer } from "./graphics.ts";

test("renderers on the processor are told from graphics processors", () => {
  for (const name of [
    "ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero) (0x0000C0DE)), SwiftShader driver)",
    "llvmpipe (LLVM 15.0.6, 256 bits)",
    "Mesa/X.org, softpipe",
    "ANGLE (Microsoft, Microsoft Basic Render Driver Direct3D11 vs_5_0 ps_5_0, D3D11)",
    "Apple Software Renderer",
  ]) {
    expect(isSoftwareRenderer(name), name).toBe(true);
  }
  for (const name of [
    "ANGLE (Intel, Mesa Intel(R) UHD Graphics 620 (KBL GT2), OpenGL 4.6)",
    "ANGLE (NVIDIA, NVIDIA GeForce GTX 1650 Direct3D11 vs_5_0 ps_5_0, D3D11)",
    "ANGLE Metal Renderer: Apple M2",
    "Mali-G78",
  ]) {
    expect(isSoftwareRenderer(name), name).toBe(false);
  }
});
