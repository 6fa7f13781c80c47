// The example application of the client library, built from the library's tarball in a folder of its
// own, as an application elsewhere is, and served at an origin of its own.

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import type { Inbound } from "./report.ts";
import { report } from "./report.ts";
import type { Tab } from "./tab.ts";
import { until } from "./until.ts";

const WEB = join(import.meta.dirname, "../../web");
const TYPES: Record<string, string> = { ".html": "text/html", ".js": "text/javascript" };

/** Tools of the page: which ones an application uses is its own affair. */
function tool(path: string, cwd: string, ...args: string[]): void {
  const script = join(WEB, "node_modules", path);
  execFileSync(process.execPath, [script, ...args], { cwd, stdio: ["ignore", "pipe", "pipe"] });
}

/** Installs the library's tarball, checks the example's types strictly, and builds it. */
function build(folder: string): void {
  const npm = (cwd: string, ...args: string[]) =>
    execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  const library = join(WEB, "packages/client");
  const [packed] = JSON.parse(npm(library, "pack", "--json", "--pack-destination", folder));
  const example = join(WEB, "packages/example");
  for (const name of ["index.html", "main.ts", "tsconfig.json"]) {
    copyFileSync(join(example, name), join(folder, name));
  }
  const dependencies = { "moim-client": `file:${packed.filename}` };
  const manifest = { name: "application", private: true, type: "module", dependencies };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  npm(folder, "install", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts");
  tool("typescript/bin/tsc", folder);
  tool("vite/bin/vite.js", folder, "build", "--logLevel", "warn");
}

export class ExampleApp {
  private constructor(
    private readonly folder: string,
    private readonly port: number,
    private readonly stop: () => Promise<void>,
  ) {}

  static async start(): Promise<ExampleApp> {
    const folder = mkdtempSync(join(tmpdir(), "moim-example-"));
    build(folder);
    const server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? "/", "http://example");
      const file = pathname === "/" ? "/index.html" : pathname;
      try {
        const body = readFileSync(join(folder, "dist", file));
        response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "text/plain" }).end(body);
      } catch {
        response.writeHead(404).end();
      }
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    return new ExampleApp(folder, port, async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    });
  }

  /** Its origin under a host name of this machine. */
  origin(host = "localhost"): string {
    return `http://${host}:${this.port}`;
  }

  /** Address at which it uses the server `url`. */
  address(url: string, host?: string): string {
    return `${this.origin(host)}/?server=${encodeURIComponent(url)}`;
  }

  async close(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true });
  }
}

/** Fills in the form and presses Join. */
export async function joinByForm(tab: Tab, room: string, name: string): Promise<void> {
  const fill = new Function(`
    const form = document.getElementById("entry");
    form.elements.room.value = ${JSON.stringify(room)};
    form.elements.name.value = ${JSON.stringify(name)};
    form.requestSubmit();
  `) as () => void;
  await tab.evaluate(fill);
}

/** Presses one of the example's buttons. */
export async function press(tab: Tab, id: "microphone" | "camera" | "leave"): Promise<void> {
  await tab.evaluate(new Function(`document.getElementById("${id}").click()`) as () => void);
}

/** Waits until the example says something that matches. */
export async function says(tab: Tab, words: RegExp): Promise<void> {
  await until(`the example to say ${words}`, async () => {
    const seen = await tab.evaluate(() => document.getElementById("status")?.textContent ?? "");
    return { done: words.test(seen) || undefined, seen };
  });
}

interface Figure {
  name: string;
  width: number;
  isMuted: boolean;
  isPaused: boolean;
  tracks: string[];
}

/** Waits until the example shows and plays growing audio and video of exactly one other. */
export async function playsOneOther(tab: Tab): Promise<void> {
  const before = new Map<string, Inbound>();
  await until("the example to play another participant", async () => {
    const { connections } = await tab.evaluate(report);
    const figures = await tab.evaluate(() =>
      [...document.querySelectorAll("figure")].map((figure): Figure => {
        const video = figure.querySelector("video");
        const stream = video?.srcObject instanceof MediaStream ? video.srcObject : undefined;
        return {
          name: figure.textContent?.trim() ?? "",
          width: video?.videoWidth ?? 0,
          isMuted: video?.muted ?? true,
          isPaused: video?.paused ?? true,
          tracks: stream?.getTracks().map(({ id }) => id) ?? [],
        };
      }),
    );
    const inbound = connections.flatMap((connection) => connection.inbound);
    const growing = inbound.filter((stream) => {
      const earlier = before.get(stream.track);
      if (!earlier) return false;
      if (stream.kind === "video") return stream.framesDecoded > earlier.framesDecoded;
      return stream.audioEnergy > earlier.audioEnergy;
    });
    for (const stream of inbound) if (!before.has(stream.track)) before.set(stream.track, stream);
    const others = figures.filter(({ isMuted }) => !isMuted);
    const [other] = others;
    const plays = (kind: Inbound["kind"]) =>
      growing.some((stream) => stream.kind === kind && other?.tracks.includes(stream.track));
    const isDone =
      figures.length === 2 &&
      others.length === 1 &&
      other?.isPaused === false &&
      other.width > 0 &&
      plays("audio") &&
      plays("video");
    return { done: isDone || undefined, seen: { figures, inbound } };
  });
}
