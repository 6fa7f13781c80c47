// Signaling of transfers, in the terms of the protocol.
import type { KeyValueStorage } from "../options.ts";
import type {
  FileSignalEvent,
  FileState,
  IceServer,
  ParticipantId,
  SharedFile,
} from "../protocol.ts";
import type { Signal } from "../rtc/negotiation.ts";

/** A description, a candidate or a state. */
export type FileContent = Signal | { state: FileState };

/** Reason for which the server did not relay a signal; null if it did. */
export type SignalOutcome = "forbidden" | "no_such_participant" | "other" | null;

/** The call, as transfers need it. */
export interface FileTransport {
  createPeer: (configuration: RTCConfiguration) => RTCPeerConnection;
  iceServers: () => readonly IceServer[];
  signal: (
    to: ParticipantId,
    file: string,
    attempt: number,
    content: FileContent,
    done?: (outcome: SignalOutcome) => void,
  ) => void;
  /** Names of the others. */
  nameOf: (id: ParticipantId) => string | undefined;
  /** Milliseconds of a monotonic clock. */
  now: () => number;
}

/** An offer as a recipient knows it. */
export interface OfferedFile {
  readonly file: SharedFile;
  readonly from: ParticipantId;
  readonly name: string;
  readonly at: number;
  readonly isPrivate: boolean;
}

export interface FileExchangeOptions {
  transport: FileTransport;
  tab: KeyValueStorage | undefined;
  room: string;
  /** Sends the chat message that offers a file. */
  sendOffer: (file: SharedFile, to?: ParticipantId) => void;
  sendWithdrawal: (file: string, to?: ParticipantId) => void;
  /** A private offer from before a reload, which the server tells no more. */
  onKept: (offer: OfferedFile) => void;
}

/** The content of an event; null for one without any. */
export function contentOf(event: FileSignalEvent): FileContent | null {
  const { description, candidate, state } = event;
  if (description) return { description };
  if (candidate) return { candidate };
  return state ? { state } : null;
}

/** Calls back at most every `interval`, and soon after the last request. */
export class Throttle {
  readonly #run: () => void;
  readonly #interval: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(interval: number, run: () => void) {
    this.#interval = interval;
    this.#run = run;
  }

  /** Something has changed a little. */
  soon(): void {
    this.#timer ??= setTimeout(() => this.now(), this.#interval);
  }

  /** Something has changed that is to be seen at once. */
  now(): void {
    this.stop();
    this.#run();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
