/** What this device is, as far as the page cares. */

export const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

/** The browser knows WebRTC at all. */
export const canCall = "RTCPeerConnection" in window;

/** Sharing is for phones; on a desktop copying is what people expect. */
export const canShare =
  typeof navigator.share === "function" && matchMedia("(pointer: coarse)").matches;

/** Sound can be sent to a chosen loudspeaker (not on iOS). */
export const canChooseSpeaker = "setSinkId" in HTMLMediaElement.prototype;

/** A screen can be shared (not on phones). */
export const canShareScreen =
  navigator.mediaDevices !== undefined && "getDisplayMedia" in navigator.mediaDevices;
