/** What is asked before access changes in a way that cannot simply be taken back. */
import type { SharedPerson } from "../../api/sharing";
import { t } from "../../i18n/t";
import { ConfirmDialog, type ConfirmDialogProps } from "../../ui/Dialog";
import { nameOf } from "./PeopleList";

export type Question =
  | { readonly kind: "transfer"; readonly person: SharedPerson }
  | { readonly kind: "remove"; readonly person: SharedPerson }
  | { readonly kind: "renew" }
  | { readonly kind: "leave" };

export interface QuestionDialogProps {
  readonly question: Question | null;
  readonly onYes: (question: Question) => void;
  readonly onNo: () => void;
}

export function QuestionDialog({ question, onYes, onNo }: QuestionDialogProps) {
  if (question === null) return null;
  return <ConfirmDialog open onOpenChange={onNo} onConfirm={() => onYes(question)} {...wordsOf(question)} />;
}

type Words = Pick<ConfirmDialogProps, "title" | "description" | "confirmLabel" | "tone">;

function wordsOf(question: Question): Words {
  switch (question.kind) {
    case "transfer":
      return {
        title: t("Make {name} the owner?", { name: nameOf(question.person) }),
        description: t(
          "You can go on editing, but only the new owner can share and delete it, or make you the owner again.",
        ),
        confirmLabel: t("Make the owner"),
      };
    case "remove":
      return {
        title: t("Remove {name}?", { name: nameOf(question.person) }),
        description:
          question.person.via === "link"
            ? t(
                "The document closes on their screen. With the link they can come back, until you make a new one or restrict it.",
              )
            : t("The document closes on their screen at once. What they wrote stays."),
        confirmLabel: t("Remove access"),
        tone: "danger",
      };
    case "renew":
      return {
        title: t("Make a new link?"),
        description: t(
          "Links that were sent before stop working, and whoever came by one loses access at once. People whom you added by name stay.",
        ),
        confirmLabel: t("Make a new link"),
        tone: "danger",
      };
    case "leave":
      return {
        title: t("Leave this document?"),
        description: t(
          "It goes from your list, and you lose the access that you were given. The owner can add you again.",
        ),
        confirmLabel: t("Leave"),
        tone: "danger",
      };
  }
}
