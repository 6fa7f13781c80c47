// Requests of hosts, over the signaling connection.
import type { Hosting } from "../api.ts";
import type { Requests } from "../protocol.ts";
import type { Payload, Signaling } from "../signaling/signaling.ts";

/** Hosting of the room that the connection is in. */
export function hostingOver(signaling: Signaling): Hosting {
  const ask = async <E extends keyof Requests>(event: E, payload: Payload<E>): Promise<void> => {
    await signaling.request(event, payload);
  };
  const some = (ids: readonly string[] | null) => (ids ? { participants: [...ids] } : {});
  return {
    mute: (ids, sources) => ask("room:mute", { ...some(ids), sources: [...sources] }),
    askToUnmute: (participant, sources) =>
      ask("room:unmute", { participant, sources: [...sources] }),
    lowerHands: (ids) => ask("room:lower_hands", some(ids)),
    remove: (participant) => ask("room:remove", { participant }),
    admit: (ids) => ask("room:admit", some(ids)),
    deny: (ids) => ask("room:deny", some(ids)),
    setRole: (participant, role) => ask("room:role", { participant, role }),
    changeSettings: (settings) => ask("room:settings", settings),
    spotlight: (participants) => ask("room:spotlight", { participants: [...participants] }),
    invite: (invitation) => signaling.request("room:invite", invitation),
    revoke: (invitation) => ask("room:revoke", { invitation }),
    invitations: async () => (await signaling.request("room:invitations", {})).invitations,
    end: () => ask("room:end", {}),
  };
}
