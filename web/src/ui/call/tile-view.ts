/** View model of the tiles of a call, computed without the DOM. */
import {
  type CallParticipant,
  type CallState,
  type ConnectionState,
  isInterrupted,
  type MediaState,
  mayReceive,
  type Quality,
  type Reaction,
  type RemoteParticipant,
  type TrackSource,
} from "moim-client";
import type { Messages } from "../i18n/en.ts";
import { distinctName } from "../parts/distinct-name.ts";
import { handsOf } from "./people-view.ts";

/** A participant. */
export interface TileView {
  kind: "person";
  /** Unique among all tiles, and stable while the tile exists. */
  key: string;
  id: string;
  name: string;
  /** Number among participants whose names look the same. */
  alike: number | undefined;
  isSelf: boolean;
  connection: ConnectionState;
  quality: Quality | null;
  /** Shows the video; the avatar is shown otherwise. */
  showsVideo: boolean;
  /** The camera is off, or may not be seen. */
  isCameraOff: boolean;
  isMuted: boolean;
  /** The microphone may not be heard: nothing is played, whatever arrives. */
  isSilenced: boolean;
  /** The microphone or camera is on but muted by the participant's system. */
  isMicPaused: boolean;
  isCameraPaused: boolean;
  /** The camera is on, but this browser can't decode its codec. */
  isUnplayable: boolean;
  isSpeaking: boolean;
  /** Place among the raised hands, from 1 on; null if the hand is down. */
  hand: number | null;
  /** The last reaction. */
  reaction: Reaction | null;
  stream: MediaStream | null;
}

/** A shared screen. */
export interface ScreenView {
  kind: "screen";
  key: string;
  /** Id of the participant who shares it. */
  id: string;
  name: string;
  /** Number among participants whose names look the same. */
  alike: number | undefined;
  isSelf: boolean;
  /** Its audio is not played: it is the user's own, or may not be heard. */
  isSilenced: boolean;
  stream: MediaStream;
  /** This browser can't decode its codec. */
  isUnplayable: boolean;
}

export type AnyTileView = TileView | ScreenView;

/** The user's own streams, shown locally. */
export interface OwnStreams {
  camera: MediaStream | null;
  screen: MediaStream | null;
}

/**
 * Tiles in display order: shared screens, then participants in the order they joined, the user
 * last. On a phone the last tile floats.
 */
export function tilesOf(
  call: CallState,
  own: OwnStreams,
  reactions: ReadonlyMap<string, Reaction> = new Map(),
): AnyTileView[] {
  const { self, others } = call;
  const hands = handsOf(call);
  const momentary = (id: string) => ({
    hand: hands.get(id) ?? null,
    reaction: reactions.get(id) ?? null,
  });
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
        showsVideo: showsCamera(other, call),
        isCameraOff: !other.media.camera || !mayReceive(call, other, "camera"),
        isSilenced: !mayReceive(call, other, "microphone"),
        isMuted: !other.media.mic,
        ...pausesOf(other.media),
        isUnplayable: other.media.camera && isUnplayable(other, "camera"),
        // The last level stays while a link is broken.
        isSpeaking: other.speaking && other.media.mic && connectionOf(other, call) === "connected",
        ...momentary(other.id),
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
      showsVideo: own.camera !== null && !isInterrupted(self.media, "camera"),
      isCameraOff: !self.media.camera,
      isSilenced: false,
      isMuted: !self.media.mic,
      ...pausesOf(self.media),
      isUnplayable: false,
      isSpeaking: self.speaking && self.media.mic,
      ...momentary(self.id),
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

function showsCamera(other: RemoteParticipant, call: CallState): boolean {
  const isOn =
    call.reception !== "sound" &&
    other.media.camera &&
    other.stream !== null &&
    mayReceive(call, other, "camera");
  return isOn && !isInterrupted(other.media, "camera") && !isUnplayable(other, "camera");
}

/** Connection state of a participant, including loss of their own link to the media server. */
function connectionOf(other: RemoteParticipant, { topology }: CallState): ConnectionState {
  const isLost = other.interrupted === true && topology === "sfu" && !other.direct;
  return isLost && other.connection === "connected" ? "reconnecting" : other.connection;
}

function screensOf(call: CallState, own: MediaStream | null): ScreenView[] {
  const { self, others } = call;
  const view = ({ id, name, alike }: CallParticipant, stream: MediaStream) => ({
    kind: "screen" as const,
    key: `${id} screen`,
    id,
    name,
    alike,
    stream,
  });
  return [
    ...others.flatMap((other) =>
      call.reception !== "sound" &&
      other.media.screen &&
      other.screen &&
      mayReceive(call, other, "screen")
        ? {
            ...view(other, other.screen),
            isSelf: false,
            isSilenced: !mayReceive(call, other, "screen_audio"),
            isUnplayable: isUnplayable(other, "screen"),
          }
        : [],
    ),
    ...(own ? [{ ...view(self, own), isSelf: true, isSilenced: true, isUnplayable: false }] : []),
  ];
}

function isUnplayable({ unplayable }: RemoteParticipant, source: TrackSource): boolean {
  return unplayable?.includes(source) ?? false;
}

/**
 * The tile shown large: the pinned one, else the newest shared screen, else whom a host shows to
 * everybody, else the speaker.
 */
export function featuredOf(
  tiles: readonly AnyTileView[],
  {
    pinned,
    isSpeakerView,
    speaker,
    spotlight = [],
  }: {
    pinned: string | null;
    isSpeakerView: boolean;
    speaker: string | null;
    spotlight?: readonly string[];
  },
): string | null {
  if (tiles.length < 2) return null;
  if (tiles.some(({ key }) => key === pinned)) return pinned;
  // One's own screen, shown large, would contain itself.
  const screen = tiles.findLast(({ kind, isSelf }) => kind === "screen" && !isSelf);
  if (screen) return screen.key;
  const shown = tiles.find(({ kind, key }) => kind === "person" && spotlight.includes(key));
  if (shown) return shown.key;
  if (!isSpeakerView) return null;
  const people = tiles.filter(({ kind, isSelf }) => kind === "person" && !isSelf);
  return (people.find(({ key }) => key === speaker) ?? people[0])?.key ?? null;
}

/**
 * Tiles without those of other people whose camera is off, unless these are all: an empty stage
 * would say nothing. A pinned tile stays.
 */
export function withCamera(tiles: readonly AnyTileView[], pinned: string | null): AnyTileView[] {
  const shown = tiles.filter(
    (tile) => tile.kind === "screen" || tile.isSelf || tile.showsVideo || tile.key === pinned,
  );
  return shown.some((tile) => tile.kind === "screen" || !tile.isSelf) ? shown : [...tiles];
}

/** The remote source that a tile displays; null for one's own tiles. */
export function sourceOf(tile: AnyTileView): TrackSource | null {
  if (tile.isSelf) return null;
  return tile.kind === "screen" ? "screen" : "camera";
}

/** Text over a tile that is not connected. One's own tile has none: a banner says it. */
export function connectionText(tile: TileView, t: Messages): string | null {
  if (tile.isSelf || tile.connection === "connected") return null;
  return t.call[tile.connection];
}

/**
 * Reason why a tile shows no video; null if it shows one, is about to, or shows none because the
 * user receives sound only, which a banner says.
 */
function cameraText(tile: TileView, t: Messages): string | null {
  if (tile.isUnplayable) return t.call.unplayable;
  if (tile.isCameraPaused) return t.call.cameraPaused;
  return tile.isCameraOff ? t.call.cameraMuted : null;
}

/** Accessible name of a tile, with everything that it shows. */
export function tileLabel(tile: TileView, t: Messages): string {
  const parts = [
    tile.isSelf ? t.call.youNamed(tile.name) : tile.name,
    tile.alike === undefined ? null : t.call.sameName(tile.alike),
    connectionText(tile, t),
    tile.hand === null ? null : t.people.hand(tile.hand),
    tile.isMuted ? t.call.micMuted : tile.isMicPaused ? t.call.micPaused : null,
    cameraText(tile, t),
    // A good connection is not mentioned.
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
