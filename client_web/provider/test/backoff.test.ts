import { expect, it } from "vitest";
import { LAST_CEILING, pauseBefore } from "../src/backoff.js";

it("spreads tries over an interval that doubles up to a ceiling", () => {
  expect([0, 1, 2, 3].map((tries) => pauseBefore(tries, 0.5))).toEqual([250, 500, 1000, 2000]);
  expect([pauseBefore(0, 0), pauseBefore(1_000_000, 1)]).toEqual([0, LAST_CEILING]);
});
