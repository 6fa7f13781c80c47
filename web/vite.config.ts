import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** Where `npm run dev` finds a running moim. */
const SERVER = "http://localhost:4000";

export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2022",
    // The page's policy is `script-src 'self'`: nothing may end up inline.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  server: {
    proxy: { "/socket.io": { target: SERVER, ws: true } },
  },
  test: {
    environment: "node",
    include: ["src/**/*.test.{ts,tsx,js}"],
  },
});
