import type { RequestErrorCode } from "../api.ts";
import type { NameError } from "../protocol.ts";

/** A request that the server rejected, or that did not reach it. */
export class RequestError extends Error {
  /** Machine-readable reason. */
  readonly code: RequestErrorCode;
  /** Reason of an `invalid` display or room name. */
  readonly nameError: NameError | undefined;

  constructor(code: RequestErrorCode, message: string, nameError?: NameError) {
    super(message);
    this.name = "RequestError";
    this.code = code;
    this.nameError = nameError;
  }
}
