import { defineConfig } from "vite";

/** The library readable, for the bundler of an application. */
export default defineConfig({
  publicDir: false,
  // Addresses of workers are relative to the module.
  base: "./",
  build: {
    target: "es2022",
    minify: false,
    sourcemap: true,
    lib: { entry: "src/index.ts", formats: ["es"], fileName: "index" },
    rollupOptions: {
      external: ["socket.io-client"],
      output: { chunkFileNames: "[name].js" },
    },
  },
});
