/** The server's sentences in another language, with what stands in them. */

import { expect, test } from "vitest";
import { refusalWords, translated } from "../../src/api/refusals";
import german from "../../src/i18n/refusals.de.json";

test.each([
  ["A comment may have 10,000 characters at most.", "Ein Kommentar darf höchstens 10,000 Zeichen haben."],
  [
    "Ben (the 2nd) may not open this document. Share the document with them first.",
    "Ben (the 2nd) darf dieses Dokument nicht öffnen. Teile es zuerst mit der Person.",
  ],
  ["This thread was deleted.", "Diese Diskussion wurde gelöscht."],
  ["This thread was deleted. And more.", null],
  ["Something that no catalogue has.", null],
])("%s", (english, other) => {
  expect(translated(english, german)).toBe(other);
});

test("every sentence is found by itself, and by no other", () => {
  for (const [english, other] of Object.entries(german)) expect(translated(english, german)).toBe(other);
});

test("in English the server speaks for itself", () => {
  expect(refusalWords({ code: "deleted", message: "This thread was deleted." })).toBe(
    "This thread was deleted.",
  );
});
