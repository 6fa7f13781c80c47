/** Files that were chosen, dropped or pasted and are sent with the next message. */
import { safeFileName } from "moim-client";

/** Files of one message; each becomes one of its own. */
export const MAX_STAGED = 20;

export interface Staged {
  readonly key: number;
  readonly file: File;
  /** The name under which others see it. */
  readonly name: string;
}

export type StagingProblem = { kind: "tooLarge"; name: string } | { kind: "tooMany" };

/** What is staged together with more files, and what could not be. */
export function staged(
  before: readonly Staged[],
  files: readonly File[],
  maxBytes: number,
): { files: readonly Staged[]; problem: StagingProblem | null } {
  let problem: StagingProblem | null = null;
  let key = before.at(-1)?.key ?? 0;
  const next = [...before];
  for (const file of files) {
    const name = safeFileName(file.name);
    if (file.size > maxBytes) problem = { kind: "tooLarge", name };
    else if (next.length >= MAX_STAGED) problem = { kind: "tooMany" };
    else next.push({ key: ++key, file, name });
  }
  return { files: next, problem };
}
