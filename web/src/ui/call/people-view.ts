/** View model of the list of people, computed without the DOM. */
import type { CallParticipant, CallState, RemoteParticipant, Role } from "../../client/index.ts";

/** A row of the list. */
export interface PersonView {
  person: CallParticipant & Partial<Pick<RemoteParticipant, "direct">>;
  isSelf: boolean;
  /** Place among the raised hands, from 1 on; null if the hand is down. */
  hand: number | null;
  isInSpotlight: boolean;
  /** This participant may act upon that one. */
  mayMute: boolean;
  mayRemove: boolean;
  /** Roles that this participant may give to that one; empty if none. */
  roles: readonly Role[];
}

const ROLES: readonly Role[] = ["viewer", "speaker", "co_host", "host"];

/** Raised hands first, in the order of the server; then oneself and the others as they joined. */
export function peopleOf({ self, others, spotlight }: CallState): PersonView[] {
  const everybody = [self, ...others];
  const hands = everybody
    .filter(({ raised }) => raised !== undefined)
    .sort((a, b) => (a.raised ?? 0) - (b.raised ?? 0));
  const rest = everybody.filter(({ raised }) => raised === undefined);
  const own = rankOf(self.role);
  const isHosting = own >= rankOf("co_host");
  return [...hands, ...rest].map((person) => {
    const isSelf = person.id === self.id;
    const rank = rankOf(person.role);
    const place = hands.indexOf(person);
    return {
      person,
      isSelf,
      hand: place < 0 ? null : place + 1,
      isInSpotlight: spotlight.includes(person.id),
      mayMute: isHosting && !isSelf && rank <= own,
      mayRemove: isHosting && !isSelf && rank < own,
      roles: self.role === "host" && !isSelf && rank < own ? ROLES : [],
    };
  });
}

/** Whether the participant hosts the room, alone or with others. */
export function mayHost({ self }: Pick<CallState, "self">): boolean {
  return rankOf(self.role) >= rankOf("co_host");
}

function rankOf(role: Role | undefined): number {
  return role === undefined ? -1 : ROLES.indexOf(role);
}
