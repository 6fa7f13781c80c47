// By which ways media is to travel to each of the others: peer to peer, through the media server,
// or for a while by both, since a way is left only once the other one brings a picture. A value and
// what it becomes; nothing here acts.
import type { ParticipantId, Topology } from "../protocol.ts";

export type Way = Topology;

/** How it stands with one other participant. */
export interface Pair {
  /** It can't or won't use the media server. */
  readonly direct: boolean;
  /** There is to be a link peer to peer. */
  readonly mesh: boolean;
  /** It was told that it is received by the room's present topology. */
  readonly told: boolean;
  /** It said so itself. */
  readonly heard: boolean;
}

export interface Ways {
  readonly topology: Topology;
  /** This device can't use the media server, and so is linked with everybody. */
  readonly direct: boolean;
  /** The media server is tried once more, while everything goes peer to peer. */
  readonly trying: boolean;
  /** There is to be a link to the media server. */
  readonly sfu: boolean;
  readonly pairs: ReadonlyMap<ParticipantId, Pair>;
}

/** Somebody else, as far as ways are concerned. */
export interface Other {
  readonly id: ParticipantId;
  readonly direct: boolean;
}

export type WaysMessage =
  /** Who is there, and how media is to travel from now on. */
  | { is: "room"; topology: Topology; others: readonly Other[] }
  /** The link to the media server stands. */
  | { is: "sfu:up" }
  /** It can't be had. */
  | { is: "sfu:down" }
  /** The network is another one, or enough time has passed. */
  | { is: "sfu:again" }
  /** Somebody was told that it is received by this topology. */
  | { is: "told"; id: ParticipantId; topology: Topology }
  /** Somebody tells that it receives this device by this topology. */
  | { is: "heard"; id: ParticipantId; topology: Topology }
  /** Somebody offers a link peer to peer. */
  | { is: "offered"; id: ParticipantId };

export const NO_WAYS: Ways = {
  topology: "mesh",
  direct: false,
  trying: false,
  sfu: false,
  pairs: new Map(),
};

/** The ways after the message. */
export function after(ways: Ways, message: WaysMessage): Ways {
  switch (message.is) {
    case "room":
      return settled(moved(ways, message.topology, message.others));
    case "sfu:up":
      return settled({
        ...ways,
        trying: false,
        direct: false,
        // Whoever was linked for want of the server is handed over like everybody.
        pairs: ways.direct ? each(ways, anew) : ways.pairs,
      });
    case "sfu:down":
      return settled({ ...ways, trying: false, direct: ways.direct || ways.topology === "sfu" });
    case "sfu:again":
      return settled({ ...ways, trying: ways.direct && ways.topology === "sfu" });
    case "told":
      return settled(change(ways, message, (pair) => ({ ...pair, told: true })));
    case "heard":
      return settled(change(ways, message, (pair) => ({ ...pair, heard: true })));
    case "offered":
      return offered(ways, message.id);
  }
}

/** Those to be linked peer to peer. */
export function linked(ways: Ways): ParticipantId[] {
  return [...ways.pairs].filter(([, { mesh }]) => mesh).map(([id]) => id);
}

/** The way by which somebody is to be received in the end. */
export function wayTo(ways: Ways, id: ParticipantId): Way {
  const pair = ways.pairs.get(id);
  return pair && viaServer(ways, pair) ? "sfu" : "mesh";
}

/** Those who wait to be told that they are received by the present topology. */
export function untold(ways: Ways): ParticipantId[] {
  // In a mesh there is nothing to tell but on the way back from the media server.
  if (ways.topology === "mesh" && !ways.sfu) return [];
  return [...ways.pairs]
    .filter(([, pair]) => !pair.told && (ways.topology === "mesh" || viaServer(ways, pair)))
    .map(([id]) => id);
}

function moved(ways: Ways, topology: Topology, others: readonly Other[]): Ways {
  const turned = topology !== ways.topology;
  const pairs = new Map(
    others.map(({ id, direct }) => {
      const before = ways.pairs.get(id);
      if (!before) return [id, met(topology, direct)];
      const starts = turned || before.direct !== direct;
      return [id, starts ? { ...anew(before), direct } : before];
    }),
  );
  // Whom the media server failed may find it well the next time.
  const direct = turned ? false : ways.direct;
  return { ...ways, topology, direct, trying: turned ? false : ways.trying, pairs };
}

/** In a mesh there is nothing to be handed over of somebody new; at the server nothing is linked. */
function met(topology: Topology, direct: boolean): Pair {
  const mesh = topology === "mesh";
  return { direct, mesh, told: mesh, heard: mesh };
}

function anew(pair: Pair): Pair {
  return { ...pair, told: false, heard: false };
}

/** Whoever offers is answered: the offer may come from before the other heard of the topology. */
function offered(ways: Ways, id: ParticipantId): Ways {
  return settled(
    change(ways, { id, topology: ways.topology }, (pair) => ({ ...pair, mesh: true })),
  );
}

/** What was said of another topology is past, and what is said of nobody known is too late. */
function change(
  ways: Ways,
  { id, topology }: { id: ParticipantId; topology: Topology },
  to: (pair: Pair) => Pair,
): Ways {
  const pair = ways.pairs.get(id);
  if (!pair || topology !== ways.topology) return ways;
  return { ...ways, pairs: new Map(ways.pairs).set(id, to(pair)) };
}

function each(ways: Ways, to: (pair: Pair) => Pair): ReadonlyMap<ParticipantId, Pair> {
  return new Map([...ways.pairs].map(([id, pair]) => [id, to(pair)]));
}

/** Brings the links in line: the one door through which they come and go. */
function settled(ways: Ways): Ways {
  const pairs = each(ways, (pair) => ({
    ...pair,
    mesh: viaServer(ways, pair) ? pair.mesh && !isHandedOver(pair) : true,
  }));
  const awaited = [...pairs.values()].some((pair) => !pair.direct && !isHandedOver(pair));
  const sfu =
    ways.topology === "sfu" ? !ways.direct || ways.trying : ways.sfu && !ways.direct && awaited;
  return { ...ways, sfu, pairs };
}

function viaServer(ways: Ways, pair: Pair): boolean {
  return ways.topology === "sfu" && !ways.direct && !pair.direct;
}

function isHandedOver({ told, heard }: Pair): boolean {
  return told && heard;
}
