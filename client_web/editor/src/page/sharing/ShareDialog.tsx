/** The dialog behind "Share": who has access, what the link opens, and for the owner how to change both. */
import type { DocumentInfo } from "@manyhands/provider";
import { Link2, LogOut } from "lucide-react";
import { useState } from "react";
import { useApi } from "../../api/ApiContext";
import type { GivenRole, LinkAccess, Role, Sharing } from "../../api/sharing";
import { useMe } from "../../api/whoAmI";
import { shownTitle } from "../../documents/titles";
import { ReadersSwitch } from "../../features/discussion/ReadersSwitch";
import { t } from "../../i18n/t";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Skeleton } from "../../ui/Skeleton";
import { useToasts } from "../../ui/Toast";
import { addressOf } from "../link";
import { EditorsSection } from "./EditorsSection";
import { InviteForm } from "./InviteForm";
import { LinkSection } from "./LinkAccess";
import { nameOf, PeopleList } from "./PeopleList";
import { type Question, QuestionDialog } from "./Questions";
import { RequestsSection } from "./RequestsSection";
import { LINK_IS_CLOSED, LINK_REACHES, OWN_POWERS } from "./roles";
import type { Requests } from "./useRequests";
import { type SharingView, useSharing } from "./useSharing";
import "./sharing.css";

export interface ShareDialogProps {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
  readonly documentId: string;
  readonly title: string;
  /** This person's own; null while it is not known. */
  readonly role: Role | null;
  readonly document: DocumentInfo | null;
  readonly requests: Requests;
  readonly accessChanges: number;
  readonly onCopy: (address: string) => void;
  /** This person has left the document. */
  readonly onLeft: () => void;
}

export function ShareDialog({
  open,
  onOpenChange,
  documentId,
  title,
  role,
  document,
  requests,
  accessChanges,
  onCopy,
  onLeft,
}: ShareDialogProps) {
  const api = useApi();
  const me = useMe();
  const [question, setQuestion] = useState<Question | null>(null);
  const maySee = role === "owner" || role === "editor";
  const view = useSharing(documentId, open && maySee, accessChanges);
  const sharing = view.state.kind === "ready" ? view.state.sharing : null;

  const answer = async (yes: Question) => {
    setQuestion(null);
    switch (yes.kind) {
      case "transfer":
        return view.change(
          () => api.giveRole(documentId, yes.person.user.id, "owner"),
          t("The owner stays."),
        );
      case "remove":
        return view.change(
          () => api.removePerson(documentId, yes.person.user.id),
          t("{name} stays.", { name: nameOf(yes.person) }),
        );
      case "renew":
        return view.change(
          () => api.changeLink(documentId, { role: sharing?.link.role ?? "viewer", renew: true }),
          t("The link stays."),
        );
      case "leave": {
        if (!me) return;
        const hasLeft = await view.change(
          () => api.removePerson(documentId, me.user.id),
          t("You are still in it."),
        );
        if (hasLeft) onLeft();
      }
    }
  };

  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      size="medium"
      title={<span dir="auto">{t("Share “{title}”", { title: shownTitle(title) })}</span>}
      footer={
        <>
          <div className="page-copy-link">
            <Button
              icon={Link2}
              aria-describedby={sharing === null ? undefined : "page-copy-reach"}
              onClick={() => onCopy(addressToCopy(documentId, sharing))}
            >
              {t("Copy link")}
            </Button>
            {sharing !== null && (
              <span id="page-copy-reach" className="page-access-note">
                {sharing.link.role === null ? LINK_IS_CLOSED : LINK_REACHES[sharing.link.role]}
              </span>
            )}
          </div>
          {role !== "owner" && role !== null && me && (
            <Button variant="ghost" icon={LogOut} onClick={() => setQuestion({ kind: "leave" })}>
              {t("Leave…")}
            </Button>
          )}
          <Button variant="primary" onClick={() => onOpenChange(false)}>
            {t("Done")}
          </Button>
        </>
      }
    >
      {role !== null && role !== "owner" && <p className="page-access-own">{OWN_POWERS[role]}</p>}
      {role === "owner" && me && me.kind !== "guest" && (
        <InviteForm
          busy={view.isBusy}
          onInvite={(invitee, given) =>
            view.change(() => api.invite(documentId, invitee, given), t("Nobody was added."))
          }
        />
      )}
      {role === "owner" && (
        <RequestsSection
          requests={requests.waiting}
          disabled={view.isBusy}
          onGrant={(request, given) =>
            void view
              .change(
                () => api.invite(documentId, { userId: request.user.id }, given),
                t("Nobody was let in."),
              )
              .then(requests.reload)
          }
          onRefuse={(request) =>
            void view
              .change(() => api.refuseRequest(documentId, request.user.id), t("The request stays."))
              .then(requests.reload)
          }
        />
      )}
      {maySee && <Access documentId={documentId} role={role} view={view} onQuestion={setQuestion} />}
      {role === "owner" && document?.format && (
        <EditorsSection
          anyFormat={document.anyFormat === true}
          disabled={view.isBusy}
          onChange={(allowed) =>
            void view.change(() => api.allowAnyFormat(documentId, allowed), t("Nothing has changed."))
          }
        />
      )}
      {role === "owner" && <ReadersSwitch documentId={documentId} />}
      {role === null && (
        <p className="page-access-note">{t("Who has access shows as soon as the server is reached.")}</p>
      )}
      <QuestionDialog question={question} onYes={(yes) => void answer(yes)} onNo={() => setQuestion(null)} />
    </Dialog>
  );
}

interface AccessProps {
  readonly documentId: string;
  readonly role: Role;
  readonly view: SharingView;
  readonly onQuestion: (question: Question) => void;
}

function Access({ documentId, role, view, onQuestion }: AccessProps) {
  const api = useApi();
  const me = useMe();
  const { state, isBusy, change } = view;
  const changeLink = useChangeLink(documentId, view);
  if (state.kind === "loading") return <LoadingPeople />;
  if (state.kind === "failed") {
    return (
      <div className="page-access-failed" role="alert">
        <p>{t("Who has access cannot be shown. {why}", { why: state.why })}</p>
        <Button size="small" onClick={view.reload}>
          {t("Try again")}
        </Button>
      </div>
    );
  }
  const { people, link } = state.sharing;
  const mayShare = role === "owner";
  return (
    <>
      <h3 className="page-access-heading">{t("People with access")}</h3>
      {people.length === 0 && (
        <p className="page-access-note">{t("Nobody by name: this document has no owner.")}</p>
      )}
      <PeopleList
        people={people}
        linkRole={link.role}
        ownId={me?.user.id ?? null}
        mayShare={mayShare}
        disabled={isBusy}
        onRole={(person, given) =>
          void change(() => api.giveRole(documentId, person.user.id, given), t("The role stays."))
        }
        onTransfer={(person) => onQuestion({ kind: "transfer", person })}
        onRemove={(person) => onQuestion({ kind: "remove", person })}
      />
      <h3 className="page-access-heading">{t("Access by link")}</h3>
      <LinkSection
        link={link}
        mayShare={mayShare}
        disabled={isBusy}
        onRole={(given) => void changeLink(link, given)}
        onRenew={() => onQuestion({ kind: "renew" })}
      />
    </>
  );
}

/** Changes what the link lets people do, and says whether opening it brought the old link back. */
function useChangeLink(documentId: string, { change }: SharingView) {
  const api = useApi();
  const toasts = useToasts();
  const wish = (role: GivenRole | null, addressAlone = false) =>
    change(() => api.changeLink(documentId, { role, addressAlone }), t("The link stays."));
  return async (before: LinkAccess, role: GivenRole | null): Promise<void> => {
    if (!(await wish(role)) || role === null || before.role !== null) return;
    if (before.reopens) toasts.show({ message: t("The link that was sent before works again.") });
    else
      toasts.show({
        message: t("This is a new link. An address that was sent before stays closed."),
        duration: READING_MS,
        action: { label: t("Open the old address too"), onAction: () => void wish(role, true) },
      });
  };
}

/** Time to read two sentences and decide. */
const READING_MS = 15_000;

function LoadingPeople() {
  return (
    <div className="page-access-row" role="status">
      <span className="ui-hidden">{t("Asking who has access…")}</span>
      <Skeleton width="34px" height="34px" />
      <Skeleton width="40%" />
    </div>
  );
}

/** The owner's link, else the address by which this person came. */
function addressToCopy(documentId: string, sharing: Sharing | null): string {
  const url = sharing?.link.role ? sharing.link.url : null;
  return url ? new URL(url, window.location.href).href : addressOf(documentId);
}
