// Puts Socket.IO's own bundles beside the page: the server answers with them at `/socket.io/`, for
// pages that load their client from there.
import { copyFileSync, mkdirSync } from "node:fs";

const from = new URL("./node_modules/socket.io-client/dist/", import.meta.url);
const to = new URL("./dist/socket.io/", import.meta.url);

mkdirSync(to, { recursive: true });
for (const bundle of ["socket.io.js", "socket.io.min.js", "socket.io.esm.min.js"]) {
  for (const file of [bundle, `${bundle}.map`]) {
    copyFileSync(new URL(file, from), new URL(file, to));
  }
}
