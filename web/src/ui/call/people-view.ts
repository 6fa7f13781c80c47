/** View model of the list of people, computed without the DOM. */
import type { CallParticipant, CallState, RemoteParticipant, Role } from "moim-client";

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

/** Places of the raised hands by participant, from 1 on, in the order of the server. */
export function handsOf({
  self,
  others,
}: Pick<CallState, "self" | "others">): ReadonlyMap<string, number> {
  const raised = [self, ...others]
    .filter(({ raised }) => raised !== undefined)
    .sort((a, b) => (a.raised ?? 0) - (b.raised ?? 0));
  return new Map(raised.map(({ id }, i) => [id, i + 1]));
}

/** Raised hands first, in the order of the server; then oneself and the others as they joined. */
export function peopleOf(call: CallState): PersonView[] {
  const { self, others, spotlight } = call;
  const places = handsOf(call);
  const placeOf = ({ id }: CallParticipant) => places.get(id) ?? Number.POSITIVE_INFINITY;
  const everybody = [self, ...others].sort((a, b) => comparePlaces(placeOf(a), placeOf(b)));
  const own = rankOf(self.role);
  const isHosting = own >= rankOf("co_host");
  return everybody.map((person) => {
    const isSelf = person.id === self.id;
    const rank = rankOf(person.role);
    return {
      person,
      isSelf,
      hand: places.get(person.id) ?? null,
      isInSpotlight: spotlight.includes(person.id),
      mayMute: isHosting && !isSelf && rank <= own,
      mayRemove: isHosting && !isSelf && rank < own,
      roles: self.role === "host" && !isSelf && rank < own ? ROLES : [],
    };
  });
}

/** Number of raised hands that the participant may lower, its own among them. */
export function lowerableHands(rows: readonly PersonView[]): number {
  return rows.filter(({ hand, isSelf, mayMute }) => hand !== null && (isSelf || mayMute)).length;
}

/** True if the participant hosts the room, alone or with others. */
export function mayHost({ self }: Pick<CallState, "self">): boolean {
  return rankOf(self.role) >= rankOf("co_host");
}

/** Two without a place stay as they are. */
function comparePlaces(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

function rankOf(role: Role | undefined): number {
  return role === undefined ? -1 : ROLES.indexOf(role);
}
