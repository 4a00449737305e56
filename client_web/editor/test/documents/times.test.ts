/** How times are said. */
import { expect, test } from "vitest";
import { groupByAge, relativeTime } from "../../src/documents/times";

const NOON = new Date(2026, 4, 20, 12, 0, 0);
const before = (hours: number) => new Date(NOON.getTime() - hours * 3_600_000);

test.each([
  [before(-1), "just now"],
  [before(0.01), "just now"],
  [before(0.5), "30 minutes ago"],
  [before(3), "3 hours ago"],
  [before(13), "yesterday"],
  [before(50), "2 days ago"],
  [new Date(2026, 2, 4, 8), "Mar 4"],
  [new Date(2024, 11, 31, 8), "Dec 31, 2024"],
  [new Date(Number.NaN), ""],
])("%s is said as “%s”", (time, words) => {
  expect(relativeTime(time, NOON)).toBe(words);
});

test("shortly after midnight an hour ago is still an hour ago", () => {
  const night = new Date(2026, 4, 20, 0, 30);
  expect(relativeTime(new Date(2026, 4, 19, 23, 20), night)).toBe("1 hour ago");
});

test("a list is split where a heading's age is passed", () => {
  const documents = [1, 2, 20, 100, 500, 5000].map((hours) => ({
    id: `h${hours}`,
    title: "",
    createdAt: before(hours),
    updatedAt: before(hours),
    trashedAt: null,
    size: 0,
    role: null,
    owner: null,
    preview: "",
    editedBy: null,
    starred: false,
    openedAt: null,
    labels: [],
    requests: 0,
  }));
  const groups = groupByAge(documents, (document) => document.updatedAt, NOON);
  expect(groups.map((group) => [group.heading, group.documents.length])).toEqual([
    ["Today", 2],
    ["Yesterday", 1],
    ["Last 7 days", 1],
    ["Last 30 days", 1],
    ["Earlier", 1],
  ]);
});
