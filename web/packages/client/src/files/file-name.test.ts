import { expect, test } from "vitest";
import { safeFileName, splitFileName } from "./file-name.ts";

test.each([
  ["report.pdf", "report.pdf"],
  ["모임 사진.jpg", "모임 사진.jpg"],
  ["👩‍🏫 class.png", "👩‍🏫 class.png"],
  ["../../etc/passwd", "_.._etc_passwd"],
  ["C:\\Users\\a.txt", "C__Users_a.txt"],
  ["photo\u{202e}gpj.exe", "photogpj.exe"],
  ["a\u{2066}b\u{200b}c\u{0}\n.txt", "abc.txt"],
  [".htaccess", "htaccess"],
  ["name. . ", "name"],
  ["", "file"],
  ["...", "file"],
  ["\u{202e}\u{200f}", "file"],
  ["con", "_con"],
  ["NUL.txt", "_NUL.txt"],
  ["console.txt", "console.txt"],
  ['a<b>:"|?*.html', "a_b______.html"],
])("“%s” becomes “%s”", (name, safe) => {
  expect(safeFileName(name)).toBe(safe);
  expect(safeFileName(safe)).toBe(safe);
});

test("a long name keeps its extension and fits the protocol", () => {
  const name = safeFileName(`${"가".repeat(300)}.tar.gz`);
  expect([...name]).toHaveLength(200);
  expect(name.endsWith("….gz")).toBe(true);
});

test("a name is split before its extension", () => {
  expect(splitFileName("a.b.pdf")).toEqual({ stem: "a.b", extension: ".pdf" });
  expect(splitFileName("README")).toEqual({ stem: "README", extension: "" });
  expect(splitFileName("What is this. Really")).toEqual({
    stem: "What is this. Really",
    extension: "",
  });
});
