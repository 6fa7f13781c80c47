import type { RequestErrorCode } from "./face.ts";

/** A request that the server refused, or that did not reach it. */
export class RequestError extends Error {
  /** For programs. */
  readonly code: RequestErrorCode;

  constructor(code: RequestErrorCode, message: string) {
    super(message);
    this.name = "RequestError";
    this.code = code;
  }
}
