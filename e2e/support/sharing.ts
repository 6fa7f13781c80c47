// Files in the chat: made, attached and checked within the page, as in both browsers.

import type { Participant } from "./participant.ts";
import { DEADLINE, until } from "./until.ts";

declare global {
  interface Window {
    /** SHA-256 of what the page has saved, by name. */
    savedFiles: Record<string, string>;
  }
}

/** Opens the chat and attaches a file of 30 MB of noise; returns its SHA-256. */
export async function attachNoise(person: Participant): Promise<string> {
  return await person.tab.evaluate(async () => {
    const bytes = new Uint8Array(30_000_001);
    for (let at = 0; at < bytes.length; at += 65_536) {
      crypto.getRandomValues(bytes.subarray(at, at + 65_536));
    }
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], "noise 소음.bin"));
    const input = document.querySelector<HTMLInputElement>("[data-testid=chat] input[type=file]");
    if (!input) throw new Error("no input for files");
    input.files = transfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  });
}

/** Takes note of what the page saves. */
export async function watchSaving(person: Participant): Promise<void> {
  await person.tab.evaluate(() => {
    window.savedFiles = {};
    const create = URL.createObjectURL.bind(URL);
    let pending: Promise<string> | null = null;
    URL.createObjectURL = (object) => {
      if (object instanceof Blob) {
        if (object.type !== "application/octet-stream") throw new Error(`saved as ${object.type}`);
        pending = object
          .arrayBuffer()
          .then((bytes) => crypto.subtle.digest("SHA-256", bytes))
          .then((digest) =>
            [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join(""),
          );
      }
      return create(object);
    };
    const click = HTMLAnchorElement.prototype.click;
    HTMLAnchorElement.prototype.click = function () {
      const name = this.download;
      if (name && pending) {
        const digest = pending;
        void digest.then((hash) => {
          window.savedFiles[name] = hash;
        });
      }
      click.call(this);
    };
  });
}

/** Waits until the page has saved a file with this digest. */
export async function savedWith(person: Participant, hash: string, deadline = 120_000) {
  await until(
    `${person.name} to have saved the file`,
    async () => {
      const seen = await person.tab.evaluate(() => ({
        saved: window.savedFiles,
        card: document.querySelector("[data-testid=file]")?.textContent,
      }));
      return { done: Object.values(seen.saved ?? {}).includes(hash) || undefined, seen };
    },
    deadline,
  );
}

/** Status and progress (per cent) of the last file in the chat. */
export async function lastFile(person: Participant) {
  return await person.tab.evaluate(() => {
    const card = [...document.querySelectorAll("[data-testid=file]")].at(-1);
    const bar = card?.querySelector("[data-testid=file-progress]");
    return {
      status: card?.getAttribute("data-status") ?? "none",
      percent: Number(bar?.getAttribute("aria-valuenow") ?? 0),
      text: card?.textContent ?? "",
    };
  });
}

/** Waits until the last file has this status, or until its progress is in this range. */
export async function fileIs(
  person: Participant,
  status: string,
  from = 0,
  to = 100,
  deadline = DEADLINE,
) {
  return await until(
    `${person.name}'s file to be ${status}`,
    async () => {
      const seen = await lastFile(person);
      const isDone = seen.status === status && seen.percent >= from && seen.percent <= to;
      return { done: isDone ? seen : undefined, seen };
    },
    deadline,
  );
}

/** In the page: ends the connections that carry files, as a network does that goes away. */
export function breakTransfers(): void {
  for (const { connection } of window.observed.peers) {
    if (connection.sctp && connection.getTransceivers().length === 0) connection.close();
  }
}
