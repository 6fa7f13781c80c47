/** What happened between two states of a call, worth telling. */
import type { CallState, RemoteParticipant } from "../../client/index.ts";
import type { Messages } from "../i18n/en.ts";
import { distinctName } from "../parts/distinct-name.ts";

export type News =
  | { kind: "joined" | "left" | "shares" | "sharesNoMore"; name: string }
  | { kind: "reconnecting" | "reconnected" };

type Seen = Pick<CallState, "status"> & {
  others: readonly (Pick<RemoteParticipant, "id" | "name" | "alike"> & {
    media: Pick<RemoteParticipant["media"], "screen">;
  })[];
};

export function newsBetween(before: Seen, after: Seen): News[] {
  const news: News[] = [];
  if (before.status === "joined" && after.status === "reconnecting") {
    news.push({ kind: "reconnecting" });
  }
  if (before.status === "reconnecting" && after.status === "joined") {
    news.push({ kind: "reconnected" });
  }
  // One's own end empties the room; that nobody left.
  if (after.status === "ended") return news;
  const here = new Set(after.others.map(({ id }) => id));
  const were = new Set(before.others.map(({ id }) => id));
  for (const other of before.others) {
    if (!here.has(other.id)) news.push({ kind: "left", name: distinctName(other) });
  }
  for (const each of after.others) {
    const { id, media } = each;
    const name = distinctName(each);
    if (!were.has(id)) news.push({ kind: "joined", name });
    const shared = before.others.find((other) => other.id === id)?.media.screen ?? false;
    if (media.screen !== shared)
      news.push({ kind: media.screen ? "shares" : "sharesNoMore", name });
  }
  return news;
}

export function newsText(news: News, t: Messages): string {
  switch (news.kind) {
    case "joined":
      return t.said.joined(news.name);
    case "left":
      return t.said.left(news.name);
    case "shares":
      return t.said.shares(news.name);
    case "sharesNoMore":
      return t.said.sharesNoMore(news.name);
    case "reconnecting":
      return t.said.reconnecting;
    case "reconnected":
      return t.said.reconnected;
  }
}
