/** What an undo or a redo does, in words. */

import type { StepKind } from "../../extensions/undo_steps";
import { t } from "../../i18n/t";

export const UNDO: Readonly<Record<StepKind, string>> = {
  typing: t("Undo your typing"),
  deletion: t("Undo your deletion"),
  formatting: t("Undo your formatting"),
  pasting: t("Undo what you pasted"),
  moving: t("Undo what you moved"),
  replacement: t("Undo your replacement"),
  change: t("Undo your last change"),
};

export const REDO: Readonly<Record<StepKind, string>> = {
  typing: t("Redo your typing"),
  deletion: t("Redo your deletion"),
  formatting: t("Redo your formatting"),
  pasting: t("Redo what you pasted"),
  moving: t("Redo what you moved"),
  replacement: t("Redo your replacement"),
  change: t("Redo your last change"),
};

export const UNDONE: Readonly<Record<StepKind, string>> = {
  typing: t("Your typing was undone."),
  deletion: t("Your deletion was undone."),
  formatting: t("Your formatting was undone."),
  pasting: t("What you pasted was taken out."),
  moving: t("What you moved is back."),
  replacement: t("Your replacement was undone."),
  change: t("Your last change was undone."),
};

export const REDONE: Readonly<Record<StepKind, string>> = {
  typing: t("Your typing is back."),
  deletion: t("Your deletion is done again."),
  formatting: t("Your formatting is back."),
  pasting: t("What you pasted is back."),
  moving: t("What you moved is moved again."),
  replacement: t("Your replacement is done again."),
  change: t("Your change is done again."),
};
