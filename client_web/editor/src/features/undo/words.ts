/** What an undo or a redo does, in words. */

import type { StepKind } from "../../extensions/undo_steps";

export const UNDO: Readonly<Record<StepKind, string>> = {
  typing: "Undo your typing",
  deletion: "Undo your deletion",
  formatting: "Undo your formatting",
  pasting: "Undo what you pasted",
  moving: "Undo what you moved",
  replacement: "Undo your replacement",
  change: "Undo your last change",
};

export const REDO: Readonly<Record<StepKind, string>> = {
  typing: "Redo your typing",
  deletion: "Redo your deletion",
  formatting: "Redo your formatting",
  pasting: "Redo what you pasted",
  moving: "Redo what you moved",
  replacement: "Redo your replacement",
  change: "Redo your last change",
};

export const UNDONE: Readonly<Record<StepKind, string>> = {
  typing: "Your typing was undone.",
  deletion: "Your deletion was undone.",
  formatting: "Your formatting was undone.",
  pasting: "What you pasted was taken out.",
  moving: "What you moved is back.",
  replacement: "Your replacement was undone.",
  change: "Your last change was undone.",
};

export const REDONE: Readonly<Record<StepKind, string>> = {
  typing: "Your typing is back.",
  deletion: "Your deletion is done again.",
  formatting: "Your formatting is back.",
  pasting: "What you pasted is back.",
  moving: "What you moved is moved again.",
  replacement: "Your replacement is done again.",
  change: "Your change is done again.",
};
