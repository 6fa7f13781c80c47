/** What the tiles of a call show, decided without a browser. */
import {
  type CallState,
  type Connection,
  isInterrupted,
  type MediaState,
  type Quality,
  type RemoteParticipant,
  type Self,
  type Source,
} from "../../client/index.ts";
import type { Messages } from "../i18n/en.ts";
import { distinctName } from "../parts/distinct-name.ts";

/** A participant. */
export interface TileView {
  kind: "person";
  /** Unique among all tiles, and the same for as long as the tile is there. */
  key: string;
  id: string;
  name: string;
  /** Its place among those here whose names look alike. */
  alike: number | undefined;
  isSelf: boolean;
  connection: Connection;
  quality: Quality | null;
  /** The picture is there to be shown; the avatar is shown otherwise. */
  showsPicture: boolean;
  isMuted: boolean;
  /** The system of that participant mutes what is on. */
  isMicPaused: boolean;
  isCameraPaused: boolean;
  /** Its picture is on, in a format that this browser can't play. */
  isUnplayable: boolean;
  isSpeaking: boolean;
  stream: MediaStream | null;
}

/** A shared screen. */
export interface ScreenView {
  kind: "screen";
  key: string;
  /** Whose it is. */
  id: string;
  name: string;
  /** As for a participant. */
  alike: number | undefined;
  isSelf: boolean;
  stream: MediaStream;
  /** It is in a format that this browser can't play. */
  isUnplayable: boolean;
}

export type AnyView = TileView | ScreenView;

/** What of this device is shown. */
export interface OwnPictures {
  camera: MediaStream | null;
  screen: MediaStream | null;
}

/**
 * The shared screens, then the others in the order they joined, oneself last: on a phone the last
 * tile floats.
 */
export function tilesOf(call: CallState, own: OwnPictures): AnyView[] {
  const { self, others } = call;
  return [
    ...screensOf(call, own.screen),
    ...others.map(
      (other): TileView => ({
        kind: "person",
        key: other.id,
        id: other.id,
        name: other.name,
        alike: other.alike,
        isSelf: false,
        connection: connectionOf(other, call),
        quality: connectionOf(other, call) === "connected" ? other.quality : null,
        showsPicture: showsCamera(other),
        isMuted: !other.media.mic,
        ...pausesOf(other.media),
        isUnplayable: other.media.camera && isUnplayable(other, "camera"),
        isSpeaking: other.speaking && other.media.mic,
        stream: other.stream,
      }),
    ),
    {
      kind: "person",
      key: self.id,
      id: self.id,
      name: self.name,
      alike: self.alike,
      isSelf: true,
      connection: call.status === "reconnecting" ? "reconnecting" : "connected",
      quality: self.quality,
      showsPicture: own.camera !== null && !isInterrupted(self.media, "camera"),
      isMuted: !self.media.mic,
      ...pausesOf(self.media),
      isUnplayable: false,
      isSpeaking: self.speaking && self.media.mic,
      stream: own.camera,
    },
  ];
}

function pausesOf(media: MediaState): Pick<TileView, "isMicPaused" | "isCameraPaused"> {
  return {
    isMicPaused: isInterrupted(media, "mic"),
    isCameraPaused: isInterrupted(media, "camera"),
  };
}

function showsCamera(other: RemoteParticipant): boolean {
  const isOn = other.media.camera && other.stream !== null;
  return isOn && !isInterrupted(other.media, "camera") && !isUnplayable(other, "camera");
}

/** One's own link to the media server may be well and the other's not. */
function connectionOf(other: RemoteParticipant, { topology }: CallState): Connection {
  const isLost = other.interrupted === true && topology === "sfu" && !other.direct;
  return isLost && other.connection === "connected" ? "reconnecting" : other.connection;
}

function screensOf({ self, others }: CallState, own: MediaStream | null): ScreenView[] {
  const view = ({ id, name, alike }: Self, stream: MediaStream) => ({
    kind: "screen" as const,
    key: `${id} screen`,
    id,
    name,
    alike,
    stream,
  });
  return [
    ...others.flatMap((other) =>
      other.media.screen && other.screen
        ? {
            ...view(other, other.screen),
            isSelf: false,
            isUnplayable: isUnplayable(other, "screen"),
          }
        : [],
    ),
    ...(own ? [{ ...view(self, own), isSelf: true, isUnplayable: false }] : []),
  ];
}

function isUnplayable({ unplayable }: RemoteParticipant, source: Source): boolean {
  return unplayable?.includes(source) ?? false;
}

/** The tile to be shown large: the pinned one, else somebody's screen, else who speaks. */
export function featuredOf(
  tiles: readonly AnyView[],
  {
    pinned,
    isSpeakerView,
    speaker,
  }: {
    pinned: string | null;
    isSpeakerView: boolean;
    speaker: string | null;
  },
): string | null {
  if (tiles.length < 2) return null;
  if (tiles.some(({ key }) => key === pinned)) return pinned;
  // One's own screen large would show itself in itself.
  const screen = tiles.findLast(({ kind, isSelf }) => kind === "screen" && !isSelf);
  if (screen) return screen.key;
  if (!isSpeakerView) return null;
  const people = tiles.filter(({ kind, isSelf }) => kind === "person" && !isSelf);
  return (people.find(({ key }) => key === speaker) ?? people[0])?.key ?? null;
}

/** Whose picture a tile takes from the network, and which. */
export function sourceOf(tile: AnyView): Source | null {
  if (tile.isSelf) return null;
  return tile.kind === "screen" ? "screen" : "camera";
}

/** The words over a tile whose link is not up. Oneself has a banner for that. */
export function connectionText(tile: TileView, t: Messages): string | null {
  if (tile.isSelf || tile.connection === "connected") return null;
  return t.call[tile.connection];
}

/** Says why no picture is shown; nothing where one is. */
function cameraText(tile: TileView, t: Messages): string | null {
  if (tile.isUnplayable) return t.call.unplayable;
  if (tile.isCameraPaused) return t.call.cameraPaused;
  return tile.showsPicture ? null : t.call.cameraMuted;
}

/** All a tile says, for whoever hears it instead of seeing it. */
export function tileLabel(tile: TileView, t: Messages): string {
  const parts = [
    tile.isSelf ? t.call.youNamed(tile.name) : tile.name,
    tile.alike === undefined ? null : t.call.alike(tile.alike),
    connectionText(tile, t),
    tile.isMuted ? t.call.micMuted : tile.isMicPaused ? t.call.micPaused : null,
    cameraText(tile, t),
    // What is well needs no words.
    tile.quality === "fair" || tile.quality === "poor" ? t.call.quality[tile.quality] : null,
  ];
  return parts.filter((part) => part !== null).join(", ");
}

export function screenLabel(
  screen: Pick<ScreenView, "isSelf" | "name" | "alike" | "isUnplayable">,
  t: Messages,
): string {
  if (screen.isUnplayable) return t.call.screenUnplayable(distinctName(screen));
  return screen.isSelf ? t.call.yourScreen : t.call.screenOf(distinctName(screen));
}
