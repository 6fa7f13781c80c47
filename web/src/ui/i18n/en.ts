import { enCall } from "./en-call.ts";
import { enErrors } from "./en-errors.ts";
import { enHome } from "./en-home.ts";
import { enPeople } from "./en-people.ts";
import { enReach } from "./en-reach.ts";
import { enSound } from "./en-sound.ts";

/** English: the source catalogue, which defines the keys of every other language. */
export const en = {
  ...enHome,
  ...enCall,
  ...enPeople,
  ...enErrors,

  languageLabel: "Language",
  tagline: "Meet in one click.",
  lead: "Video calls that anyone can host, right in the browser. Nothing to install, no account.",
  pageNotFound: "There is no page at this address.",
  close: "Close",
  yourName: "Your name",
  namePlaceholder: "What others will see",
  nameRequired: "Please enter your name.",
  preview: {
    title: (room: string) => `Ready to join ${room}?`,
    documentTitle: (room: string) => `${room} · Join`,
    video: "Preview of your camera",
    cameraOff: "Your camera is off",
    cameraStarting: "Starting your camera…",
    asking: "Your browser is asking. Press Allow.",
    startBoth: "Turn on camera and microphone",
    devicesOff: "You followed a link, so your camera and microphone are still off.",
    level: "Microphone level",
    join: "Join now",
    joinWithout: "Join without camera and microphone",
    waitForPlace: "Join when a place is free",
    waitingForPlace: "You'll join as soon as someone leaves.",
    anotherRoom: "Create another room",
    joining: "Joining…",
    empty: "No one is here yet. You'll be the first.",
    someoneHere: (here: number, capacity: number) => `${here} of ${capacity} places taken`,
    opensAtJoin: "If it isn't open yet, joining opens it.",
    password: "Room password",
  },
  devices: {
    title: "Audio and video",
    camera: "Camera",
    microphone: "Microphone",
    speaker: "Speaker",
    unnamed: {
      camera: (n: number) => `Camera ${n}`,
      microphone: (n: number) => `Microphone ${n}`,
      speaker: (n: number) => `Speaker ${n}`,
    },
    none: "None found",
    notAllowed: "Permission needed",
    systemDefault: "System default",
    mirror: "Mirror my video",
  },
  sound: enSound,
  reach: enReach,
  leaving: {
    title: "Leave the call?",
    hint: "The call goes on without you.",
    stay: "Stay",
    leave: "Leave",
  },
  elsewhere: {
    title: "You are in this call in another tab",
    hint: "With two open microphones, everyone would hear an echo.",
    move: "Move the call here",
    otherCall: (room: string) => `You are in the call “${room}” in another tab`,
    otherCallHint:
      "Your microphone is on there. With it on here as well, both calls would hear you.",
    muteThere: "Mute me there and join",
    second: "Join here too, muted",
    moved: "The call goes on in another tab",
    movedHint: "You moved it there. This tab can be closed.",
  },
  comingBack: {
    title: "Bringing you back…",
    stayOut: "Stay out",
  },
  callEnded: {
    title: "You left the call",
    removed: "You were removed from the call",
    removedHint: "A host removed you. You can't come back to this call.",
    ended: "The call has ended",
    endedHint: "The host ended it for everyone.",
    lost: "The connection was lost",
    lostHint: "The server couldn't be reached for too long.",
    again: "Join again",
    home: "Back to home",
    documentTitle: (room: string) => `${room} · Call ended`,
  },
};

export type Messages = typeof en;
