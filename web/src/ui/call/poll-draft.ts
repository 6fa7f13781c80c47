/** A poll that is being written. */
import type { AskPoll } from "moim-client";

/** Bounds of the server. */
export const MIN_OPTIONS = 2;
export const MAX_OPTIONS = 10;
export const MAX_POLL_TEXT = 200;

export interface PollDraft {
  readonly question: string;
  /** At least two; the last one is blank while there is room for another. */
  readonly options: readonly string[];
  readonly multiple: boolean;
  readonly named: boolean;
}

export const EMPTY_DRAFT: PollDraft = {
  question: "",
  options: ["", ""],
  multiple: false,
  named: false,
};

/** Writes an option. A blank one follows the last, so that nobody has to ask for it. */
export function withOption(draft: PollDraft, place: number, text: string): PollDraft {
  const options = draft.options.map((option, i) => (i === place ? text : option));
  const isLastUsed = options.at(-1)?.trim() !== "";
  if (isLastUsed && options.length < MAX_OPTIONS) options.push("");
  while (options.length > MIN_OPTIONS && isBlank(options.at(-1)) && isBlank(options.at(-2))) {
    options.pop();
  }
  return { ...draft, options };
}

/** The poll as it is asked; null while something is missing, too long or twice the same. */
export function askOf({ question, options, multiple, named }: PollDraft): AskPoll | null {
  const texts = options.map((option) => option.trim()).filter((option) => option !== "");
  const asked = question.trim();
  const fits = [asked, ...texts].every((text) => [...text].length <= MAX_POLL_TEXT);
  if (asked === "" || !fits || texts.length < MIN_OPTIONS || duplicateOf(options) !== null) {
    return null;
  }
  return { question: asked, options: texts, multiple, named };
}

/** Place of the first option that an earlier one equals. */
export function duplicateOf(options: readonly string[]): number | null {
  const texts = options.map((option) => option.trim());
  const place = texts.findIndex((text, i) => text !== "" && texts.indexOf(text) < i);
  return place < 0 ? null : place;
}

function isBlank(text: string | undefined): boolean {
  return text?.trim() === "";
}
