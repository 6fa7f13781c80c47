// Routes of media to each remote participant: peer to peer, through the media server, or both for a
// while, since a route is kept until the other one delivers. A value and its reducer; nothing here
// has side effects.
import type { ParticipantId, Topology } from "../protocol.ts";

export type Route = Topology;

/** State of the routes to one remote participant. */
export interface PeerRoute {
  /** It can't or won't use the media server. */
  readonly direct: boolean;
  /** A mesh link to it is needed. */
  readonly mesh: boolean;
  /** This device has told it that its media arrives by the current topology. */
  readonly handoverSent: boolean;
  /** It has told this device the same. */
  readonly handoverReceived: boolean;
}

export interface Routes {
  readonly topology: Topology;
  /** This device can't use the media server and has a mesh link to everyone. */
  readonly direct: boolean;
  /** The media server is being retried while all media goes peer to peer. */
  readonly retrying: boolean;
  /** A link to the media server is needed. */
  readonly sfu: boolean;
  readonly peers: ReadonlyMap<ParticipantId, PeerRoute>;
}

/** The members of a remote participant that determine its routes. */
export interface RoutedParticipant {
  readonly id: ParticipantId;
  readonly direct: boolean;
}

export type RoutesEvent =
  /** Participants or topology changed. */
  | { is: "room"; topology: Topology; others: readonly RoutedParticipant[] }
  /** The link to the media server is connected. */
  | { is: "sfu:up" }
  /** The media server is unreachable. */
  | { is: "sfu:down" }
  /** The network changed, or the retry delay has passed. */
  | { is: "sfu:retry" }
  /** This device sent a `handover`. */
  | { is: "handover:sent"; id: ParticipantId; topology: Topology }
  /** This device received a `handover`. */
  | { is: "handover:received"; id: ParticipantId; topology: Topology }
  /** A participant without a mesh link sent an offer. */
  | { is: "mesh:offered"; id: ParticipantId };

export const NO_ROUTES: Routes = {
  topology: "mesh",
  direct: false,
  retrying: false,
  sfu: false,
  peers: new Map(),
};

/** The routes after the event. */
export function reduceRoutes(routes: Routes, event: RoutesEvent): Routes {
  switch (event.is) {
    case "room":
      return withLinks(withRoom(routes, event.topology, event.others));
    case "sfu:up":
      return withLinks({
        ...routes,
        retrying: false,
        direct: false,
        // Mesh links made for lack of the server are handed over like any other.
        peers: routes.direct ? mapPeers(routes, withoutHandover) : routes.peers,
      });
    case "sfu:down":
      return withLinks({
        ...routes,
        retrying: false,
        direct: routes.direct || routes.topology === "sfu",
      });
    case "sfu:retry":
      return withLinks({ ...routes, retrying: routes.direct && routes.topology === "sfu" });
    case "handover:sent":
      return withLinks(updatePeer(routes, event, (peer) => ({ ...peer, handoverSent: true })));
    case "handover:received":
      return withLinks(updatePeer(routes, event, (peer) => ({ ...peer, handoverReceived: true })));
    case "mesh:offered": {
      // The participant may have sent the offer before it learned of the topology.
      const { topology } = routes;
      return withLinks(
        updatePeer(routes, { id: event.id, topology }, (peer) => ({ ...peer, mesh: true })),
      );
    }
  }
}

/** The participants that need a mesh link. */
export function meshPeers(routes: Routes): ParticipantId[] {
  return [...routes.peers].filter(([, { mesh }]) => mesh).map(([id]) => id);
}

/** The route by which a participant's media is to arrive in the end. */
export function routeTo(routes: Routes, id: ParticipantId): Route {
  const peer = routes.peers.get(id);
  return peer && usesSfu(routes, peer) ? "sfu" : "mesh";
}

/** The participants that still await a `handover` for the current topology. */
export function pendingHandovers(routes: Routes): ParticipantId[] {
  // In a mesh only those that come back from the media server need one.
  if (routes.topology === "mesh" && !routes.sfu) return [];
  return [...routes.peers]
    .filter(
      ([, peer]) => !peer.handoverSent && (routes.topology === "mesh" || usesSfu(routes, peer)),
    )
    .map(([id]) => id);
}

function withRoom(
  routes: Routes,
  topology: Topology,
  others: readonly RoutedParticipant[],
): Routes {
  const isNewTopology = topology !== routes.topology;
  const peers = new Map(
    others.map(({ id, direct }) => {
      const before = routes.peers.get(id);
      if (!before) return [id, newPeer(topology, direct)];
      const startsOver = isNewTopology || before.direct !== direct;
      return [id, startsOver ? { ...withoutHandover(before), direct } : before];
    }),
  );
  return {
    ...routes,
    topology,
    // A new topology is a new chance to reach the media server.
    direct: isNewTopology ? false : routes.direct,
    retrying: isNewTopology ? false : routes.retrying,
    peers,
  };
}

/** A mesh has nothing to hand over for a new participant; the media server has no link to it. */
function newPeer(topology: Topology, direct: boolean): PeerRoute {
  const mesh = topology === "mesh";
  return { direct, mesh, handoverSent: mesh, handoverReceived: mesh };
}

function withoutHandover(peer: PeerRoute): PeerRoute {
  return { ...peer, handoverSent: false, handoverReceived: false };
}

/** Ignores messages about another topology, which are outdated, and about unknown participants. */
function updatePeer(
  routes: Routes,
  { id, topology }: { id: ParticipantId; topology: Topology },
  update: (peer: PeerRoute) => PeerRoute,
): Routes {
  const peer = routes.peers.get(id);
  if (!peer || topology !== routes.topology) return routes;
  return { ...routes, peers: new Map(routes.peers).set(id, update(peer)) };
}

function mapPeers(
  routes: Routes,
  update: (peer: PeerRoute) => PeerRoute,
): ReadonlyMap<ParticipantId, PeerRoute> {
  return new Map([...routes.peers].map(([id, peer]) => [id, update(peer)]));
}

/** Derives which links are needed. No other function adds or removes one, except for an offer. */
function withLinks(routes: Routes): Routes {
  const peers = mapPeers(routes, (peer) => ({
    ...peer,
    mesh: usesSfu(routes, peer) ? peer.mesh && !isHandedOver(peer) : true,
  }));
  const isAwaited = [...peers.values()].some((peer) => !peer.direct && !isHandedOver(peer));
  const sfu =
    routes.topology === "sfu"
      ? !routes.direct || routes.retrying
      : routes.sfu && !routes.direct && isAwaited;
  return { ...routes, sfu, peers };
}

function usesSfu(routes: Routes, peer: PeerRoute): boolean {
  return routes.topology === "sfu" && !routes.direct && !peer.direct;
}

function isHandedOver({ handoverSent, handoverReceived }: PeerRoute): boolean {
  return handoverSent && handoverReceived;
}
