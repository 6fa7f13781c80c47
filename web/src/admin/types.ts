/** Answers of `/api/v1`, as far as the admin page shows them. */

export interface AdminSession {
  /** Null: nobody is signed in. */
  administrator: string | null;
  /** False before the first one. */
  has_administrators: boolean;
}

export interface Paged<T> {
  items: T[];
  /** Cursor of the next page; absent at the end. */
  next?: string;
}

export interface Overview {
  rooms: OpenRoom[];
  /** Rooms beyond those. */
  more: number;
}

export interface OpenRoom {
  id: string;
  name: string;
  opened_at: string;
  participants: number;
  waiting: number;
  topology: "mesh" | "sfu";
  settings: { capacity: number; has_password: boolean; policy?: RoomPolicy };
  people: Person[];
  waiting_people: { id: string; name: string }[];
}

export interface RoomPolicy {
  entry: string;
  [rule: string]: unknown;
}

export interface Person {
  id: string;
  name: string;
  joined_at: string;
  connected: boolean;
  media: { mic: boolean; camera: boolean; screen: boolean; hand: boolean };
  muted: string[];
  role?: string;
  quality?: Quality;
}

/** The last ten seconds of a participant's links; absent: unknown. */
export interface Quality {
  transport?: string;
  round_trip_ms?: number;
  jitter_ms?: number;
  loss_up_permille?: number;
  loss_down_permille?: number;
  kbps_up?: number;
  kbps_down?: number;
  stalled_pictures?: number;
  limited_by?: string;
  interrupted: boolean;
}

export interface Call {
  id: string;
  room: string;
  began_at: string;
  ended_at?: string;
  participants: number;
}

export interface CallDetails extends Call {
  participations: Participation[];
}

export interface Participation {
  name: string;
  joined_at: string;
  left_at?: string;
  transport?: string;
  round_trip_ms?: number;
  loss_up_permille?: number;
  loss_down_permille?: number;
  kbps_up?: number;
  kbps_down?: number;
  stalled_seconds: number;
}

export interface CallQuality {
  findings: { from: string; to: string; participant: string; sentence: string }[];
  text: string;
}

export interface ServerState {
  version: string;
  started_at: string;
  uptime_seconds: number;
  ready: boolean;
  draining: boolean;
  rooms: number;
  participants: number;
  sessions: number;
  connections: number;
  has_store: boolean;
  /** Share of the time in which each shard works, thousandths. */
  busy_permille: number[];
  memory_bytes?: number;
  certificates: { source: "local" | "files" | "acme"; expires_at: string }[];
  domains: DomainState[];
}

export interface DomainState {
  name: string;
  expires_at?: string;
  is_expiring: boolean;
  problem?: { code: string; text: string };
  next_attempt_at?: string;
}

export interface Examined {
  findings: { code: string; severity: string; sentence: string; remedy: string }[];
  checks: {
    check: string;
    title: string;
    outcome: "passed" | "skipped" | "found";
    detail?: string;
    words?: string;
    codes?: string[];
  }[];
}

export interface VisitorReport {
  id: string;
  at: string;
  /** The host by which the visitor reached the server. */
  host: string;
  /** Present if the visitor wished so. */
  address?: string;
  user_agent: string;
  findings: { code: string; severity?: string; sentence?: string; remedy?: string }[];
}

export interface Webhook {
  id: string;
  url: string;
  form: "standard" | "livekit";
  enabled: boolean;
  /** It is in the server's configuration, and can't be removed here. */
  configured: boolean;
  created_at: string;
  /** Events that wait for it. */
  pending: number;
  /** Why the last attempt failed. */
  failure?: string;
}

export interface Sizing {
  is_direct: boolean;
  pictures: number;
  picture_kbps: number;
  room_out_kbps: number;
  room_in_kbps: number;
  out_kbps: number;
  in_kbps: number;
  packets_per_second: number;
  cores_permille: number;
  memory_mib: number;
}

export interface Administrator {
  name: string;
  created_at: string;
}

export interface AdministratorLink {
  url: string;
  path: string;
  expires_at: string;
}

export const ACCESSES = ["read", "rooms", "admin"] as const;
export type KeyAccess = (typeof ACCESSES)[number];

export interface ApiKey {
  id: string;
  name: string;
  access: KeyAccess;
  created_at: string;
  expires_at?: string;
  used_at?: string;
}

export interface AuditEntry {
  id: string;
  at: string;
  actor: string;
  action: string;
  object: string;
  address?: string;
  detail?: string;
}
