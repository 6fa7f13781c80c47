import type { RequestErrorCode } from "../api.ts";
import type { NameError } from "../protocol.ts";

/** A request that the server refused, or that did not reach it. */
export class RequestError extends Error {
  /** For programs. */
  readonly code: RequestErrorCode;
  /** Why a name of a person or a room was `invalid`. */
  readonly nameError: NameError | undefined;

  constructor(code: RequestErrorCode, message: string, nameError?: NameError) {
    super(message);
    this.name = "RequestError";
    this.code = code;
    this.nameError = nameError;
  }
}
