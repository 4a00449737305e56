/** The names of the templates; what they begin with is loaded when one is used (page/templateTexts.ts). */

export const TEMPLATES = [
  { name: "meeting", title: "Meeting notes" },
  { name: "project", title: "Project plan" },
  { name: "weekly", title: "Weekly review" },
  { name: "decision", title: "Decision" },
  { name: "letter", title: "Letter" },
] as const;

export type TemplateName = (typeof TEMPLATES)[number]["name"];
