// Requests about polls, over the signaling connection.
import type { Poll, Polling } from "../api.ts";
import type { Joined, Requests, ServerEvents } from "../protocol.ts";
import type { Payload, Signaling } from "../signaling/signaling.ts";

type Polls = readonly Poll[];

/** Polls of the room that the connection is in. `onVote` receives what this participant chose. */
export function pollingOver(
  signaling: Signaling,
  onVote: (poll: number, options: readonly number[]) => void,
): Polling {
  const send = async <E extends keyof Requests>(event: E, payload: Payload<E>): Promise<void> => {
    await signaling.request(event, payload);
  };
  return {
    ask: (poll) => send("poll:ask", poll),
    vote: async (poll, options) => {
      await send("poll:vote", { poll, options: [...options] });
      onVote(poll, options);
    },
    close: (poll) => send("poll:close", { poll }),
    remove: (poll) => send("poll:remove", { poll }),
  };
}

/** All polls, after joining or resuming. */
export function joinedPolls(joined: Joined): Polls {
  return (joined.polls ?? []).map((poll) => ({ ...poll, mine: poll.mine ?? [] }));
}

/** The polls with one more, or with another result of one. The event knows no own vote. */
export function withPoll(polls: Polls, poll: ServerEvents["poll"]): Polls {
  const before = polls.find(({ id }) => id === poll.id);
  const next = { ...poll, mine: before?.mine ?? [] };
  return before ? polls.map((each) => (each === before ? next : each)) : [...polls, next];
}

export function withVote(polls: Polls, id: number, mine: readonly number[]): Polls {
  return polls.map((poll) => (poll.id === id ? { ...poll, mine } : poll));
}

export function withoutPoll(polls: Polls, id: number): Polls {
  return polls.filter((poll) => poll.id !== id);
}
