// Browser interfaces of WebRTC, injected so that tests can replace them.
import type { ParticipantId } from "../protocol.ts";

export interface RtcPlatform {
  createPeer: (configuration: RTCConfiguration) => RTCPeerConnection;
  createStream: (tracks: MediaStreamTrack[]) => MediaStream;
}

/** A peer connection and its remote end: a participant, or `sfu` for the media server. */
export interface PeerConnectionEntry {
  readonly to: ParticipantId;
  readonly peer: RTCPeerConnection;
}
