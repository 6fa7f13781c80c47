// Puts files of packages into the page that it loads, or the server answers with, by their own names.
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";

const modules = new URL("./node_modules/", import.meta.url);
const dist = new URL("./dist/", import.meta.url);

function copy(fromFolder, toFolder, names) {
  const to = new URL(toFolder, dist);
  mkdirSync(to, { recursive: true });
  for (const name of names) {
    copyFileSync(new URL(name, new URL(fromFolder, modules)), new URL(name, to));
  }
}

// Socket.IO's own bundles, at `/socket.io/`, for pages that load their client from there.
const bundles = ["socket.io.js", "socket.io.min.js", "socket.io.esm.min.js"];
copy(
  "socket.io-client/dist/",
  "socket.io/",
  bundles.flatMap((bundle) => [bundle, `${bundle}.map`]),
);

// Scripts, WebAssembly and model that change backgrounds: all but what browsers without SIMD need,
// which are older than those of the page. The folder is the one in `vite.config.ts`.
const processors = "@twilio/video-processors/";
const { version } = JSON.parse(readFileSync(new URL(`${processors}package.json`, modules), "utf8"));
copy(`${processors}dist/build/`, `assets/background-${version}/`, [
  "selfie_segmentation_landscape.tflite",
  "tflite-simd-1-0-0.js",
  "tflite-simd-1-0-0.wasm",
  "twilio-gaussian-blur-background-processor-pipeline-worker.js",
  "twilio-virtual-background-processor-pipeline-worker.js",
]);
