import optimizeLocales from "@react-aria/optimize-locales-plugin";
import { version } from "@twilio/video-processors/package.json";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** Where `npm run dev` finds a running moim. */
const SERVER = "http://localhost:4000";

/**
 * Puts each style sheet into the cascade layer of its folder (`base`, `parts`, `views`), so that a
 * view's rule wins over that of a part wherever the bundle puts the two.
 */
const cascadeLayers = {
  name: "cascade-layers",
  enforce: "pre" as const,
  transform(code: string, id: string) {
    const folder = /\/src\/ui\/(?:(style|parts)\/)?.*\.css$/.exec(id);
    if (!folder) return;
    const layer = folder[1] === "style" ? "base" : (folder[1] ?? "views");
    return { code: `@layer base, parts, views;\n@layer ${layer} {\n${code}\n}`, map: null };
  },
};

/**
 * Where the page finds what changes backgrounds (`copy-files.js`). The folder's name changes with the
 * files, as browsers keep what is in `assets` for a year.
 */
const BACKGROUND_FILES = `/assets/background-${version}/`;

export default defineConfig({
  define: { BACKGROUND_FILES: JSON.stringify(BACKGROUND_FILES) },
  plugins: [
    react(),
    cascadeLayers,
    // Strings of React Aria in languages that the page does not speak.
    { ...optimizeLocales.vite({ locales: ["en-US", "ko-KR"] }), enforce: "pre" },
  ],
  // Its sources: the page needs no build of the library before its own.
  resolve: {
    alias: {
      "moim-client": new URL("packages/client/src/index.ts", import.meta.url).pathname,
    },
  },
  build: {
    target: "es2022",
    // The page's policy is `script-src 'self'`: nothing may end up inline.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  server: {
    proxy: {
      "/socket.io": { target: SERVER, ws: true },
      [BACKGROUND_FILES]: SERVER,
    },
  },
  test: {
    environment: "node",
    include: ["{src,packages/*/src}/**/*.test.{ts,tsx,js}"],
  },
});
