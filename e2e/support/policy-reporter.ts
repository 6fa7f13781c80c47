// A proxy before the server that adds a report-only twin of its Content Security Policy to every
// response, and collects what browsers report: also of workers, whose violations no document sees.

import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

const REPORTS = "/policy-reports";

export class PolicyReporter {
  /** The reports, each `directive blocked URI in file`. */
  readonly reports: string[] = [];
  /** Responses that got the twin. */
  twins = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly listener: Server,
    private readonly port: number,
  ) {
    listener.on("connection", (socket) => {
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
    });
    listener.on("request", (incoming, outgoing) => {
      if (incoming.url === REPORTS) {
        void this.collect(incoming);
        outgoing.writeHead(204).end();
        return;
      }
      const { method, url, headers } = incoming;
      const forwarded = request(
        { host: "127.0.0.1", port, method, path: url, headers },
        (answer) => {
          const policy = answer.headers["content-security-policy"];
          if (typeof policy === "string") {
            this.twins += 1;
            answer.headers["content-security-policy-report-only"] =
              `${policy}; report-uri ${REPORTS}`;
          }
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
        },
      );
      forwarded.on("error", () => outgoing.destroy());
      outgoing.on("close", () => forwarded.destroy());
      incoming.pipe(forwarded);
    });
    listener.on("upgrade", (incoming, socket, head) => {
      const server = connect(this.port, "127.0.0.1");
      const lines = [`${incoming.method} ${incoming.url} HTTP/1.1`];
      for (let i = 0; i < incoming.rawHeaders.length; i += 2) {
        lines.push(`${incoming.rawHeaders[i]}: ${incoming.rawHeaders[i + 1]}`);
      }
      server.write(`${lines.join("\r\n")}\r\n\r\n`);
      server.write(head);
      server.pipe(socket).pipe(server);
      for (const each of [server, socket]) {
        each.on("error", () => {
          server.destroy();
          socket.destroy();
        });
      }
    });
  }

  /** Starts a proxy to a loopback port. */
  static async to(port: number): Promise<PolicyReporter> {
    const listener = createServer().listen(0, "127.0.0.1");
    await once(listener, "listening");
    return new PolicyReporter(listener, port);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.listener.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.listener.close();
    await once(this.listener, "close");
  }

  private async collect(incoming: IncomingMessage): Promise<void> {
    let body = "";
    for await (const chunk of incoming) body += chunk;
    const report = JSON.parse(body)["csp-report"] ?? {};
    this.reports.push(
      `${report["effective-directive"]} blocked ${report["blocked-uri"]} in ${report["source-file"] ?? report["document-uri"]}`,
    );
  }
}
