/** What documents begin with that are made from a template. */
import type { JSONContent } from "@tiptap/core";
import type { TemplateName } from "../documents/templates";

const words = (text: string): JSONContent => ({ type: "text", text });
const line = (text = ""): JSONContent =>
  text === "" ? { type: "paragraph" } : { type: "paragraph", content: [words(text)] };
const heading = (text: string, level = 2): JSONContent => ({
  type: "heading",
  attrs: { level },
  content: [words(text)],
});
const list = (...texts: readonly string[]): JSONContent => ({
  type: "bulletList",
  content: texts.map((text) => ({ type: "listItem", content: [line(text)] })),
});
const tasks = (...texts: readonly string[]): JSONContent => ({
  type: "taskList",
  content: texts.map((text) => ({ type: "taskItem", attrs: { checked: false }, content: [line(text)] })),
});
const table = (head: readonly string[], rows: number): JSONContent => ({
  type: "table",
  content: [
    { type: "tableRow", content: head.map((text) => ({ type: "tableHeader", content: [line(text)] })) },
    ...Array.from({ length: rows }, () => ({
      type: "tableRow",
      content: head.map(() => ({ type: "tableCell", content: [line()] })),
    })),
  ],
});

/** The date as people here write it. */
const today = () => new Date().toLocaleDateString("en-GB", { dateStyle: "long" });

const TEXTS: Readonly<Record<TemplateName, () => readonly JSONContent[]>> = {
  meeting: () => [
    line(today()),
    heading("Who is here"),
    list(""),
    heading("What we talk about"),
    list("", "", ""),
    heading("What we decided"),
    list(""),
    heading("Who does what"),
    tasks("", ""),
  ],
  project: () => [
    heading("What it is for"),
    line("In two sentences: what will be better, and for whom?"),
    heading("What belongs to it, and what does not"),
    list("", ""),
    heading("Steps"),
    table(["Step", "Who", "Until when", "State"], 4),
    heading("What may go wrong"),
    list("", ""),
    heading("Open questions"),
    tasks("", ""),
  ],
  weekly: () => [
    line(`The week of ${today()}`),
    heading("Done"),
    list("", ""),
    heading("Learned"),
    list(""),
    heading("In the way"),
    list(""),
    heading("Next week"),
    tasks("", "", ""),
  ],
  decision: () => [
    line(today()),
    heading("The question"),
    line(),
    heading("What we could do"),
    table(["Choice", "For it", "Against it"], 3),
    heading("What we do, and why"),
    line(),
    heading("When we look at it again"),
    line(),
  ],
  letter: () => [
    line("Your name"),
    line("Your address"),
    line(),
    line("Name of the recipient"),
    line("Address of the recipient"),
    line(),
    line(today()),
    line(),
    heading("What this letter is about", 3),
    line("Dear …,"),
    line(),
    line("Kind regards"),
    line(),
  ],
};

export function templateText(name: TemplateName): JSONContent {
  return { type: "doc", content: [...TEXTS[name]()] };
}
