// Public types of measurements.
import type { ParticipantId, TrackSource } from "./protocol.ts";

/** Statistics of a call. */
export interface Statistics {
  /** By peer connection. */
  readonly links: readonly LinkStats[];
  /** The oldest first. */
  readonly samples: readonly StatsSample[];
}

/** Statistics of one peer connection. */
export interface LinkStats {
  /** The participant at the other end; `sfu` is the media server. */
  readonly to: ParticipantId;
  /** Round-trip time, in milliseconds. */
  readonly roundTrip: number | null;
  /** Types and transports of the selected candidate pair, as `host/udp ⇄ relay/tcp`. */
  readonly path: string | null;
  /** Both directions. */
  readonly tracks: readonly TrackStats[];
}

/** Statistics of one track on one link. */
export interface TrackStats {
  /** Received or sent. */
  readonly direction: "in" | "out";
  /** Sender of an incoming track, receiver of an outgoing one; `sfu` is the media server. */
  readonly participant: ParticipantId;
  /** Source of the track. */
  readonly source: TrackSource;
  /** As in SDP, `VP8`; null until packets flow. */
  readonly codec: string | null;
  /** Bits per second. */
  readonly bitrate: number;
  /** Packet loss at the receiving end, 0 to 1; null while unknown. */
  readonly loss: number | null;
  /** Freezes of the video since the last measurement. */
  readonly freezes: number;
  /** The received video layer, or the layers being sent, the largest first. */
  readonly layers: readonly Layer[];
}

/** One encoding of a video. */
export interface Layer {
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
  /** Frames per second. */
  readonly frameRate: number;
  /** Scalability mode, as `L1T3`; null if the browser does not report it. */
  readonly mode: string | null;
}

/** A call's own measurements over its last seconds, as `/api/doctor/judge` takes them. */
export interface CallFacts {
  /** The worst transport of the selected candidate pairs. */
  readonly transport: "udp" | "tcp" | "tls";
  /** Sent packets by connection; round-trip time in milliseconds. */
  readonly sent: readonly { packets: number; lost: number; rttMs?: number }[];
  /** Received packets by participant. */
  readonly publishers: readonly {
    packets: number;
    lost: number;
    hasPicture: boolean;
    isStill: boolean;
  }[];
  /** Largest jitter of what is received, in milliseconds. */
  readonly jitterMs: number;
  /** Share of received audio that was concealed, 0 to 1. */
  readonly concealed: number;
  /** Share of received frames that were dropped, 0 to 1. */
  readonly dropped: number;
  /** Share of measurements in which the processor limited the encoder, 0 to 1. */
  readonly limitedCpu: number;
  /** Share of measurements in which bandwidth limited the encoder, 0 to 1. */
  readonly limitedBandwidth: number;
  /** Estimate of the bandwidth to send, in kb/s; absent where the browser tells none. */
  readonly availableKbps?: number;
  /** Time to encode one frame, in milliseconds. */
  readonly encodeMs: number;
  /** Frames per second. */
  readonly encodedRate: number;
  /** Frames per second of the camera. */
  readonly capturedRate: number;
  /** Lines of the largest video that is sent. */
  readonly height: number;
}

/** Totals over all links at one measurement. */
export interface StatsSample {
  /** Milliseconds of a monotonic clock. */
  readonly at: number;
  /** Received bits per second. */
  readonly in: number;
  /** Sent bits per second. */
  readonly out: number;
  /** Highest packet loss, 0 to 1. */
  readonly loss: number;
  /** Longest round-trip time, in milliseconds. */
  readonly roundTrip: number;
}
