// A real OpenID provider, with a page where anybody signs in by any name.

import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";

const CLIENT_ID = "moim";
const CLIENT_SECRET = "a secret of tests";

export class OpenIdProvider {
  private constructor(
    private readonly server: Server,
    private listener: RequestListener | null,
  ) {}

  /** Listens. It answers 503 until a server is registered. */
  static async listen(): Promise<OpenIdProvider> {
    const provider = new OpenIdProvider(createServer(), null);
    provider.server.on("request", (request, response) => {
      if (request.url === "/favicon.ico") response.writeHead(204).end();
      else if (provider.listener) provider.listener(request, response);
      else response.writeHead(503).end();
    });
    await new Promise<void>((resolve) => provider.server.listen(0, "127.0.0.1", resolve));
    return provider;
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Flags of a server whose hosts sign in here. */
  get flags(): string[] {
    return [
      ...["--oidc-issuer", this.issuer],
      ...["--oidc-client-id", CLIENT_ID],
      ...["--oidc-client-secret", CLIENT_SECRET],
    ];
  }

  /** Registers the server at this URL. */
  register(url: string): void {
    const provider = new Provider(this.issuer, {
      clients: [
        {
          client_id: CLIENT_ID,
          client_secret: CLIENT_SECRET,
          redirect_uris: [`${url}/auth/callback`],
          post_logout_redirect_uris: [`${url}/auth/callback`],
          response_types: ["code"],
          grant_types: ["authorization_code"],
        },
      ],
      cookies: { keys: ["a key of tests"] },
      claims: { openid: ["sub"], profile: ["name"], email: ["email", "email_verified"] },
      pkce: { required: () => true },
      findAccount: (_context: unknown, sub: string) => ({
        accountId: sub,
        claims: async () => ({
          sub,
          name: `${sub} Lovelace`,
          email: `${sub}@school.example`,
          email_verified: true,
        }),
      }),
    });
    this.listener = provider.callback();
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
