/** The names of the templates; what they begin with is loaded when one is used (page/templateTexts.ts). */
import { t } from "../i18n/t";

export const TEMPLATES = [
  { name: "meeting", title: t("Meeting notes") },
  { name: "project", title: t("Project plan") },
  { name: "weekly", title: t("Weekly review") },
  { name: "decision", title: t("Decision") },
  { name: "letter", title: t("Letter") },
] as const;

export type TemplateName = (typeof TEMPLATES)[number]["name"];
