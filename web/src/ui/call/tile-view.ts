/** What a tile shows of a participant, decided without a browser. */
import type { CallState, Connection } from "../../client/index.ts";
import type { Messages } from "../i18n/en.ts";

export interface TileView {
  id: string;
  name: string;
  isSelf: boolean;
  connection: Connection;
  /** The picture is there to be shown; the avatar is shown otherwise. */
  showsPicture: boolean;
  isMuted: boolean;
  isSpeaking: boolean;
  stream: MediaStream | null;
}

/** The others in the order they joined, oneself last: on a phone the last tile floats. */
export function tilesOf(call: CallState, picture: MediaStream | null): TileView[] {
  const { self, others } = call;
  return [
    ...others.map(
      (other): TileView => ({
        id: other.id,
        name: other.name,
        isSelf: false,
        connection: other.connection,
        showsPicture: other.media.camera && other.stream !== null,
        isMuted: !other.media.mic,
        isSpeaking: other.speaking && other.media.mic,
        stream: other.stream,
      }),
    ),
    {
      id: self.id,
      name: self.name,
      isSelf: true,
      connection: call.status === "reconnecting" ? "reconnecting" : "connected",
      showsPicture: picture !== null,
      isMuted: !self.media.mic,
      isSpeaking: self.speaking && self.media.mic,
      stream: picture,
    },
  ];
}

/** The words over a tile whose link is not up. Oneself has a banner for that. */
export function connectionText(tile: TileView, t: Messages): string | null {
  if (tile.isSelf || tile.connection === "connected") return null;
  return t.call[tile.connection];
}

/** All a tile says, for whoever hears it instead of seeing it. */
export function tileLabel(tile: TileView, t: Messages): string {
  const parts = [
    tile.isSelf ? t.call.youNamed(tile.name) : tile.name,
    connectionText(tile, t),
    tile.isMuted ? t.call.micMuted : null,
    tile.showsPicture ? null : t.call.cameraMuted,
  ];
  return parts.filter((part) => part !== null).join(", ");
}
