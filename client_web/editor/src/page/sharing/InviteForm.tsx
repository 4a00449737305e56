/** The line that asks somebody in by e-mail address or id. */
import { UserPlus } from "lucide-react";
import { type FormEvent, useState } from "react";
import type { GivenRole, Invitee } from "../../api/sharing";
import { t } from "../../i18n/t";
import { Button } from "../../ui/Button";
import { TextField } from "../../ui/TextField";
import { RoleMenu } from "./RoleMenu";

export interface InviteFormProps {
  readonly busy: boolean;
  /** Returns whether it worked. */
  readonly onInvite: (invitee: Invitee, role: GivenRole) => Promise<boolean>;
}

export function InviteForm({ busy, onInvite }: InviteFormProps) {
  const [words, setWords] = useState("");
  const [role, setRole] = useState<GivenRole>("editor");
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const wanted = words.trim();
    if (wanted === "" || busy) return;
    if (await onInvite(inviteeIn(wanted), role)) setWords("");
  };
  return (
    <form className="page-invite" onSubmit={(event) => void submit(event)}>
      <TextField
        label={t("Add people by e-mail address or user id")}
        labelHidden
        placeholder={t("E-mail or user id")}
        value={words}
        maxLength={254}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck="false"
        onChange={({ target }) => setWords(target.value)}
        trailing={
          <RoleMenu whose={t("Role of the new person")} role={role} disabled={false} onChange={setRole} />
        }
      />
      <Button type="submit" icon={UserPlus} busy={busy} disabled={words.trim() === ""}>
        {t("Add")}
      </Button>
    </form>
  );
}

export function inviteeIn(words: string): Invitee {
  return /^[^\s@]+@[^\s@]+$/.test(words) ? { email: words } : { userId: words };
}
