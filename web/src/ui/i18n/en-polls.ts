import { pluralIn } from "./plural.ts";

const plural = pluralIn("en");

/** Texts of polls. */
export const enPolls = {
  title: "Polls",
  /** In the menu, while some are open that the user has not voted in. */
  titleOpen: (count: number) => `Polls (${count} open)`,
  ask: "New poll",
  none: "No polls yet. A host can ask everyone a question here.",
  noneForHosts: "Ask everyone in the call a question. They see the result as votes come in.",
  question: "Question",
  options: "Answers",
  option: (place: number) => `Answer ${place}`,
  duplicate: "This answer is already there.",
  allowSeveral: "Allow several answers",
  showNames: "Show everyone who chose what",
  start: "Start poll",
  anonymous: "Anonymous",
  byName: "Votes are shown by name",
  several: "Several answers",
  open: "Open",
  closed: "Closed",
  votes: (count: number) => plural(count, { one: "# vote", other: "# votes" }),
  voters: (count: number) =>
    plural(count, { one: "# person has voted", other: "# people have voted" }),
  youVoted: "You have voted",
  vote: "Vote",
  changeVote: "Change vote",
  close: "End poll",
  remove: "Delete poll",
  removeWhy: "The result is deleted for everyone.",
  opened: (question: string) => `New poll: ${question}`,
  ended: (question: string) => `Poll ended: ${question}`,
  show: "Show",
};

export type PollMessages = typeof enPolls;
