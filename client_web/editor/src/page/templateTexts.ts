/** What documents begin with that are made from a template. */
import type { JSONContent } from "@tiptap/core";
import type { TemplateName } from "../documents/templates";
import { LOCALE } from "../i18n/language";
import { t } from "../i18n/t";

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
const today = () => new Date().toLocaleDateString(LOCALE, { dateStyle: "long" });

const TEXTS: Readonly<Record<TemplateName, () => readonly JSONContent[]>> = {
  meeting: () => [
    line(today()),
    heading(t("Who is here")),
    list(""),
    heading(t("What we talk about")),
    list("", "", ""),
    heading(t("What we decided")),
    list(""),
    heading(t("Who does what")),
    tasks("", ""),
  ],
  project: () => [
    heading(t("What it is for")),
    line(t("In two sentences: what will be better, and for whom?")),
    heading(t("What belongs to it, and what does not")),
    list("", ""),
    heading(t("Steps")),
    table([t("Step"), t("Who"), t("Until when"), t("State")], 4),
    heading(t("What may go wrong")),
    list("", ""),
    heading(t("Open questions")),
    tasks("", ""),
  ],
  weekly: () => [
    line(t("The week of {date}", { date: today() })),
    heading(t("Done|heading")),
    list("", ""),
    heading(t("Learned")),
    list(""),
    heading(t("In the way")),
    list(""),
    heading(t("Next week")),
    tasks("", "", ""),
  ],
  decision: () => [
    line(today()),
    heading(t("The question")),
    line(),
    heading(t("What we could do")),
    table([t("Choice"), t("For it"), t("Against it")], 3),
    heading(t("What we do, and why")),
    line(),
    heading(t("When we look at it again")),
    line(),
  ],
  letter: () => [
    line(t("Your name")),
    line(t("Your address")),
    line(),
    line(t("Name of the recipient")),
    line(t("Address of the recipient")),
    line(),
    line(today()),
    line(),
    heading(t("What this letter is about"), 3),
    line(t("Dear …,")),
    line(),
    line(t("Kind regards")),
    line(),
  ],
};

export function templateText(name: TemplateName): JSONContent {
  return { type: "doc", content: [...TEXTS[name]()] };
}
