import { pluralIn } from "./plural.ts";

const plural = pluralIn("en");

/** Texts about reaching people: the start page, invitations, before and after a call. */
export const enReach = {
  join: {
    label: "Room name or link (optional)",
    submit: "Join",
    nowhere: "That is neither the link nor the name of a room.",
    elsewhere: (host: string) => `This link leads to another server, ${host}.`,
    goElsewhere: (host: string) => `Go to ${host}`,
  },
  mine: {
    title: "Recent rooms",
    justNow: "just now",
    pin: (room: string) => `Pin ${room}`,
    unpin: (room: string) => `Unpin ${room}`,
    remove: (room: string) => `Remove ${room} from this list`,
    invite: (room: string) => `Invite people to ${room}`,
    forgetAll: "Forget all",
    forgetAllWhy: "The list is on this device only. Pinned rooms are removed, too.",
    keep: "Keep them",
  },
  options: {
    waiting: "Waiting room",
    waitingHint: "You let each person in yourself.",
    noWaiting: "Rooms on this server have no hosts, so nobody could let people in.",
    template: "Kind of room",
    noTemplate: "Standard",
  },
  invite: {
    title: (room: string) => `Invite people to ${room}`,
    people: "Invite people",
    link: "Link to the room",
    share: "Share…",
    qr: "QR code",
    qrHint: "Scan it with a phone's camera.",
    qrLabel: (link: string) => `QR code of the link ${link}`,
    qrTooLong: "This link is too long for a QR code.",
    qrFailed: "The QR code could not be loaded. Check your connection, then try again.",
    mail: "Email",
    mailSubject: (room: string) => `Video call: ${room}`,
    mailBody: (room: string, link: string) =>
      `Join the video call “${room}” here:\n\n${link}\n\nIt opens in the browser; there is nothing to install.\n`,
    calendar: "Calendar",
    start: "Start",
    length: "Duration",
    minutes: (minutes: number) =>
      minutes < 60
        ? plural(minutes, { one: "# minute", other: "# minutes" })
        : plural(minutes / 60, { one: "# hour", other: "# hours" }),
    download: "Save calendar file",
    noStart: "Choose a day and a time.",
    fileName: "call",
  },
  lobby: {
    willAsk: {
      both: "Your browser asks whether this page may use your camera and microphone. Press Allow.",
      camera: "Your browser asks whether this page may use your camera. Press Allow.",
      microphone: "Your browser asks whether this page may use your microphone. Press Allow.",
    },
    onlyHere: "Nobody sees or hears you before you join.",
  },
  waiting: {
    since: "Your camera and microphone send nothing while you wait.",
  },
  after: {
    room: (room: string) => `Room: ${room}`,
    seconds: (seconds: number) => plural(seconds, { one: "# second", other: "# seconds" }),
    minutes: (minutes: number) => plural(minutes, { one: "# minute", other: "# minutes" }),
    hours: (hours: number, minutes: number) =>
      [
        plural(hours, { one: "# hour", other: "# hours" }),
        ...(minutes === 0 ? [] : [plural(minutes, { one: "# minute", other: "# minutes" })]),
      ].join(" "),
    lasted: (time: string) => `You were in the call for ${time}.`,
  },
};

export type ReachMessages = typeof enReach;
