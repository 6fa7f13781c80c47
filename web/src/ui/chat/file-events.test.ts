import type { FileRecipient, FilesState, ReceivedFile } from "moim-client";
import { expect, test } from "vitest";
import { fileEventsBetween } from "./file-events.ts";

const file = { id: "f", name: "a.pdf", size: 10 };

function state(status?: ReceivedFile["status"], recipient?: FileRecipient["status"]): FilesState {
  const received = status && { file, from: "ann", status, arrived: 0 };
  const recipients = recipient ? [{ id: "ben", name: "Ben", status: recipient, sent: 0 }] : [];
  return {
    own: new Map([["f", { file, isWithdrawn: false, recipients }]]),
    received: new Map(received ? [["f", received]] : []),
    withdrawn: new Set(),
  };
}

test("the end of a download is told once, its steps are not", () => {
  const kinds = (before: FilesState, after: FilesState) =>
    fileEventsBetween(before, after).map(({ kind }) => kind);
  expect(kinds(state(), state("connecting"))).toEqual([]);
  expect(kinds(state("connecting"), state("receiving"))).toEqual([]);
  expect(kinds(state("receiving"), state("received"))).toEqual(["received"]);
  expect(kinds(state("received"), state("received"))).toEqual([]);
  expect(kinds(state("receiving"), state("failed"))).toEqual(["failed"]);
  expect(kinds(state("receiving"), state("unavailable"))).toEqual(["withdrawn"]);
  expect(kinds(state("receiving"), state("cancelled"))).toEqual([]);
});

test("a sender is told who has a file, and who does not want it", () => {
  const told = (recipient: FileRecipient["status"]) =>
    fileEventsBetween(state(undefined, "sending"), state(undefined, recipient));
  expect(told("received")).toEqual([{ kind: "sent", file: "a.pdf", name: "Ben" }]);
  expect(told("refused")).toEqual([{ kind: "refused", file: "a.pdf", name: "Ben" }]);
  expect(told("interrupted")).toEqual([]);
});
