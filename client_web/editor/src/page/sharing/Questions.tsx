/** What is asked before access changes in a way that cannot simply be taken back. */
import type { SharedPerson } from "../../api/sharing";
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
        title: `Make ${nameOf(question.person)} the owner?`,
        description:
          "You can go on editing, but only the new owner can share and delete it, or make you the owner again.",
        confirmLabel: "Make the owner",
      };
    case "remove":
      return {
        title: `Remove ${nameOf(question.person)}?`,
        description:
          question.person.via === "link"
            ? "The document closes on their screen. With the link they can come back, until you make a new one or restrict it."
            : "The document closes on their screen at once. What they wrote stays.",
        confirmLabel: "Remove access",
        tone: "danger",
      };
    case "renew":
      return {
        title: "Make a new link?",
        description:
          "Links that were sent before stop working, and whoever came by one loses access at once. People whom you added by name stay.",
        confirmLabel: "Make a new link",
        tone: "danger",
      };
    case "leave":
      return {
        title: "Leave this document?",
        description:
          "It goes from your list, and you lose the access that you were given. The owner can add you again.",
        confirmLabel: "Leave",
        tone: "danger",
      };
  }
}
