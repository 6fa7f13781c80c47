/** Tells graphics processors from renderers that draw on the processor in their stead. */

/** Names of renderers that compute on the processor: Chromium's, Mesa's and that of Windows. */
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

export function isSoftwareRenderer(name: string): boolean {
  return SOFTWARE.test(name);
}

let isSoftware: boolean | null = null;

/** Asked once: the machine does not change, and making a context takes a while. */
export function hasGraphicsProcessor(): boolean {
  isSoftware ??= isSoftwareRenderer(rendererName());
  return !isSoftware;
}

function rendererName(): string {
  const context = new OffscreenCanvas(1, 1).getContext("webgl2");
  if (!context) return "software";
  const extension = context.getExtension("WEBGL_debug_renderer_info");
  const name = context.getParameter(extension?.UNMASKED_RENDERER_WEBGL ?? context.RENDERER);
  context.getExtension("WEBGL_lose_context")?.loseContext();
  return String(name);
}
