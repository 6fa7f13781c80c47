import { expect, test } from "vitest";
import { FileExchange } from "./file-exchange.ts";
import type { FileExchangeOptions } from "./file-signal.ts";

const exchange = () => new FileExchange({} as FileExchangeOptions);
const file = (bytes: number) => new File([new Uint8Array(bytes)], "plan.pdf");
const TOO_LARGE = [{ name: "plan.pdf", reason: "tooLarge" }];

test("a file above the server's limit can't be offered", () => {
  const files = exchange();
  files.setLimit(10);
  expect(files.maxBytes).toBe(10);
  expect(files.offer([file(11)])).toEqual(TOO_LARGE);
});

test("a server without files permits not even an empty one", () => {
  const files = exchange();
  files.setLimit(0);
  expect(files.offer([file(0)])).toEqual(TOO_LARGE);
});

test("a server that tells no limit permits 2 GB, also after one that told another", () => {
  const files = exchange();
  files.setLimit(0);
  files.setLimit();
  expect(files.maxBytes).toBe(2_000_000_000);
});
