import { pluralIn } from "./plural.ts";

const plural = pluralIn("en");

const PEOPLE = { one: "# person", other: "# people" };

/** Texts of the start page: open rooms, sign-in, a new room. */
export const enHome = {
  rooms: {
    title: "Open rooms",
    empty: "No open rooms yet",
    emptyHint: "Create a room and share its link.",
    loading: "Looking for open rooms…",
    offline: "Can't reach the server. Trying again…",
    people: (here: number, capacity: number) =>
      plural(capacity, { one: `${here} of # place taken`, other: `${here} of # places taken` }),
    full: "Full",
    locked: "Password required",
    otherApp: "In another app",
    peopleInOtherApp: (here: number) => plural(here, PEOPLE),
  },

  signIn: {
    button: "Sign in",
    signedInAs: (name: string) => `Signed in as ${name}`,
    signOut: "Sign out",
    signOutFailed: "You are still signed in: the server didn't answer. Try again.",
    errors: {
      away: "The sign-in service can't be reached right now. Try again in a moment.",
      expired: "Signing in took too long or began in another browser. Try again.",
      refused: "The sign-in service didn't sign you in. Try again.",
      not_host:
        "This account isn't allowed to open rooms here. You can still join rooms by their links.",
      insecure: "Open this page over HTTPS to sign in.",
      busy: "Too many people are signing in right now. Try again in a moment.",
      failed: "Signing in failed. If it happens again, tell the operator of this server.",
    },
  },

  create: {
    options: "Options",
    capacity: "Participant limit",
    capacityHint: "Leave empty to use the server's default.",
    password: "Password",
    passwordHint: "Everyone needs it to join.",
    listed: "Show in the list of open rooms",
    listedHint: "Everyone who visits this page can see the room and come in.",
    unlistedHint: "Unlisted: only people who have the link can come in.",
    submit: "Start a call",
    submitting: "Starting…",
    exists: (room: string) => `There is already a room called “${room}”.`,
    goThere: "Go to that room",
  },
};

export type HomeMessages = typeof enHome;
