import { pluralIn } from "./plural.ts";

const plural = pluralIn("en");

/** Texts of files in the chat. */
export const enFiles = {
  attach: "Attach files",
  staged: "Files to send",
  unstage: (name: string) => `Don't send ${name}`,
  send: "Send files",
  drop: "Drop files to share them",
  hint: (size: string) =>
    `Up to ${size} per file, sent straight from your device, encrypted. Stay in the call until everyone has them.`,
  tooLarge: (name: string, size: string) => `${name} is too large. A file can have up to ${size}.`,
  tooMany: (most: number) =>
    `You can share up to ${most} files at a time. Stop sharing some first.`,
  noFolders: "Folders can't be shared. Choose the files in them.",
  notAllowed: "Only hosts can share files here at the moment.",
  file: (name: string, size: string) => `File ${name}, ${size}`,
  receive: "Download",
  receiveNamed: (name: string) => `Download ${name}`,
  refuse: "Decline",
  refuseNamed: (name: string) => `Decline ${name}`,
  cancel: "Cancel",
  cancelNamed: (name: string) => `Cancel download of ${name}`,
  retry: "Try again",
  retryNamed: (name: string) => `Try to download ${name} again`,
  save: "Save",
  saveNamed: (name: string) => `Save ${name}`,
  withdraw: "Stop sharing",
  withdrawNamed: (name: string) => `Stop sharing ${name}`,
  progress: (name: string) => `Download of ${name}`,
  progressOf: (part: string, whole: string) => `${part} of ${whole}`,
  preview: (name: string) => `Preview of ${name}`,
  status: {
    queued: "Starts after your other downloads",
    waiting: "Waiting for the sender",
    connecting: "Connecting…",
    interrupted: "Connection lost. It goes on by itself.",
    received: "Received",
    refused: "You declined this file",
    cancelled: "Download cancelled",
    unavailable: "No longer available",
  },
  senderGone: (name: string) =>
    `${name} left or reloaded the page, which ended the sharing. Ask them to share it again.`,
  failure: {
    space: "There isn't enough space on this device.",
    memory: "This file is too large for this browser. Try another browser.",
    busy: "Another tab is downloading this file.",
    damaged: "The file arrived damaged.",
    connection: "Your networks can't reach each other.",
    forbidden: "Only hosts can share files here at the moment.",
  },
  own: {
    offered: "Shared. Nobody has downloaded it yet.",
    sending: (percent: number) => `Sending: ${percent}%`,
    sendingTo: (name: string, percent: number) => `Sending to ${name}: ${percent}%`,
    sendingToMany: (count: number, percent: number) => `Sending to ${count} people: ${percent}%`,
    interrupted: (name: string) => `The connection to ${name} was lost. It goes on by itself.`,
    received: (name: string) => `${name} has it`,
    receivedByMany: (count: number) =>
      plural(count, { one: "# person has it", other: "# people have it" }),
    refused: (name: string) => `${name} declined it`,
    cancelled: (name: string) => `${name} stopped the download`,
    withdrawn: "No longer shared",
  },
  announced: {
    offered: (name: string, file: string, size: string) =>
      `${name} shared a file: ${file}, ${size}`,
    offeredPrivately: (name: string, file: string, size: string) =>
      `${name} shared a file only with you: ${file}, ${size}`,
    received: (file: string) => `Download finished: ${file}`,
    failed: (file: string) => `Download failed: ${file}`,
    sent: (name: string, file: string) => `${name} has received: ${file}`,
    refused: (name: string, file: string) => `${name} declined: ${file}`,
    withdrawn: (file: string) => `No longer available: ${file}`,
  },
};

export type FileMessages = typeof enFiles;
