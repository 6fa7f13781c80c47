import { pluralIn } from "./plural.ts";

const plural = pluralIn("en");

const PEOPLE = { one: "# person", other: "# people" };

/** Texts about people and hosting: the list, invitations, the waiting room. */
export const enPeople = {
  people: {
    title: "People",
    open: (count: number) => plural(count, { one: "Only you", other: "# people" }),
    waitingCount: (count: number) =>
      plural(count, { one: "# person waiting", other: "# people waiting" }),
    waiting: "Waiting to be let in",
    admit: "Let in",
    admitNamed: (name: string) => `Let ${name} in`,
    admitAll: "Let everyone in",
    deny: "Turn away",
    denyNamed: (name: string) => `Turn ${name} away`,
    inCall: "In the call",
    role: { host: "Host", co_host: "Co-host", speaker: "Speaker", viewer: "Viewer" },
    roleTitle: "Role",
    lowerHand: (name: string) => `Lower ${name}'s hand`,
    lowerAllHands: "Lower all hands",
    hand: (place: number) => `hand raised, number ${place}`,
    actions: (name: string) => `Options for ${name}`,
    mute: "Mute",
    askToUnmute: "Ask to unmute",
    stopCamera: "Turn off camera",
    askForCamera: "Ask to turn on camera",
    stopScreen: "Stop their screen sharing",
    spotlight: "Show large to everyone",
    endSpotlight: "Stop showing large",
    remove: "Remove from call",
    removeWhy: (name: string) => `${name} can't come back to this call from the same browser.`,
    cancel: "Cancel",
    rules: "Room settings",
    entry: "Who can enter",
    entryOf: {
      open: "Anyone with the link",
      waiting: "Only those you let in",
      locked: "No one else",
    },
    chatByHosts: "Only hosts can chat",
    privateByHosts: "Private messages only with hosts",
    filesByHosts: "Only hosts can share files",
    screenByHosts: "Only hosts can share a screen",
    newcomersView: "New people can only watch",
    muteAll: "Mute everyone",
    end: "End call for everyone",
    endWhy: "Everyone is disconnected and the room closes.",
    failed: "That didn't work. Try again.",
    notSaved:
      "Done, but the server couldn't save it yet. If the server restarts before it can, this is undone.",
    forbidden: "You don't have the right to do that.",
    wantsToJoin: (name: string) => `${name} would like to join`,
    manyWantToJoin: (count: number) => `${count} people would like to join`,
    show: "Show",
    mutedMic: (by: string) => `${by} turned off your microphone`,
    mutedCamera: (by: string) => `${by} turned off your camera`,
    mutedScreen: (by: string) => `${by} ended your screen sharing`,
    loweredHand: (by: string) => `${by} lowered your hand`,
    asksMic: (by: string) => `${by} asks you to turn on your microphone`,
    asksCamera: (by: string) => `${by} asks you to turn on your camera`,
    turnOn: "Turn on",
    notNow: "Not now",
    someone: "The host",
    reacted: (name: string, emoji: string) => `${name} ${emoji}`,
  },

  invite: {
    title: "Invitation links",
    hint: "Anyone who opens such a link can join without a password and without waiting.",
    role: "They join as",
    uses: "Number of people",
    usesOf: (count: number) => (count === 0 ? "Any number" : plural(count, PEOPLE)),
    time: "Valid for",
    timeOf: (hours: number) =>
      hours === 0
        ? "As long as the room is open"
        : hours < 24
          ? plural(hours, { one: "# hour", other: "# hours" })
          : plural(hours / 24, { one: "# day", other: "# days" }),
    make: "Make a link",
    link: "Invitation link",
    copy: "Copy link",
    once: "The link is shown only now. Send it to the people you want to invite.",
    copyByHand: "The browser didn't copy the link. Select it and copy it yourself.",
    entered: (used: number) =>
      plural(used, { one: "# person has entered", other: "# people have entered" }),
    enteredOf: (used: number, uses: number) => `${used} of ${uses} have entered`,
    until: (date: string) => `until ${date}`,
    revoke: "Revoke",
  },

  waitingRoom: {
    title: (room: string) => `Waiting to join ${room}`,
    hint: "The host has been told that you are here. You'll join as soon as you are let in.",
    cancel: "Stop waiting",
  },
};

export type PeopleMessages = typeof enPeople;
