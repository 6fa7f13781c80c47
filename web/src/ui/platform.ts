/** Capabilities of this browser and device. */

export const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

/** The browser supports WebRTC. */
export const canCall = "RTCPeerConnection" in window;

/** Links can be shared. Phones only: on a desktop, users expect to copy a link. */
export const canShare =
  typeof navigator.share === "function" && matchMedia("(pointer: coarse)").matches;

/** Audio can be played on a chosen output device (not on iOS). */
export const canChooseSpeaker = "setSinkId" in HTMLMediaElement.prototype;

/** A screen can be shared (not on phones). */
export const canShareScreen =
  navigator.mediaDevices !== undefined && "getDisplayMedia" in navigator.mediaDevices;

/** There is a mouse or the like, and so probably a keyboard. */
export const hasKeyboard = matchMedia("(any-pointer: fine)").matches;
