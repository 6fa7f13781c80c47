// Public types of shared files.
import type { ParticipantId, SharedFile } from "./protocol.ts";

/** A file that can't be offered. */
export interface FileRejection {
  /** Name of the file. */
  readonly name: string;
  /** `tooMany`: too many files are offered already. */
  readonly reason: "tooLarge" | "tooMany";
}

/** State of the files that participants share. */
export interface FilesState {
  /** Own files, by their ids. */
  readonly own: ReadonlyMap<string, OwnFile>;
  /** Files of others that were received, refused or begun, by their ids. */
  readonly received: ReadonlyMap<string, ReceivedFile>;
  /** Files of others that are no longer offered. */
  readonly withdrawn: ReadonlySet<string>;
}

/** A file that this participant offers. */
export interface OwnFile {
  /** Name, size and id, as others see them. */
  readonly file: SharedFile;
  /** The only recipient of a private offer. */
  readonly to?: ParticipantId;
  /** No longer offered. */
  readonly isWithdrawn: boolean;
  /** Those who have answered. */
  readonly recipients: readonly FileRecipient[];
}

/** A participant who receives an own file. */
export interface FileRecipient {
  /** Id of the participant. */
  readonly id: ParticipantId;
  /** Name of the participant. */
  readonly name: string;
  /** `waiting` for other transfers to end; `interrupted` until the recipient tries again. */
  readonly status:
    | "waiting"
    | "connecting"
    | "sending"
    | "interrupted"
    | "received"
    | "refused"
    | "cancelled";
  /** Bytes. */
  readonly sent: number;
}

/** Another participant's file that this one receives. */
export interface ReceivedFile {
  /** Name, size and id, as its sender tells them. */
  readonly file: SharedFile;
  /** The sender. */
  readonly from: ParticipantId;
  /**
   * `queued` behind other files of this device, `waiting` for the sender's other transfers,
   * `interrupted` until the next attempt, `unavailable` as the sender has it no more.
   */
  readonly status:
    | "queued"
    | "waiting"
    | "connecting"
    | "receiving"
    | "interrupted"
    | "received"
    | "refused"
    | "cancelled"
    | "unavailable"
    | "failed";
  /** Bytes that have arrived. */
  readonly arrived: number;
  /** Reason of `failed`. */
  readonly failure?: FileFailure;
}

/**
 * Reason for which a file could not be received. `space`: this device has too little; `memory`: too
 * large for this browser; `busy`: another tab receives it.
 */
export type FileFailure = "space" | "memory" | "busy" | "damaged" | "connection" | "forbidden";
