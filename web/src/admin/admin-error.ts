/** Why the server did not do what was asked. */
export class AdminError extends Error {
  /** The HTTP status; 0 if the server could not be reached. */
  readonly status: number;
  /** The reason, for programs. */
  readonly code: string;

  /** `detail`: the reason, for people, in English. */
  constructor(status: number, code: string, detail: string) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}
