/** The card that asks for one's name. It takes no focus: somebody is perhaps typing. */

import { type FormEvent, useEffect, useState } from "react";
import { rich, t } from "../../i18n/t";
import { LONGEST_NAME } from "../../page/identity";
import { Button } from "../../ui/Button";
import { TextField } from "../../ui/TextField";
import "./NameCard.css";

export interface NameCardProps {
  /** What others see until one says another name. */
  readonly guest: string;
  readonly other: string;
  /** Given the name to be shown, or the guest's when the person wants no other. */
  readonly onAnswer: (name: string) => void;
}

export function NameCard({ guest, other, onAnswer }: NameCardProps) {
  const [name, setName] = useState("");
  const [said, setSaid] = useState("");
  // Screen readers tell only of what changes in a region that is there already.
  useEffect(() => {
    setSaid(
      t("{other} is here, too, and sees you as {guest}. You can tell them your name.", { other, guest }),
    );
  }, [other, guest]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onAnswer(name.trim() || guest);
  };
  return (
    <section className="name-card" aria-label={t("Your name")}>
      <p className="ui-hidden" role="status">
        {said}
      </p>
      <form
        onSubmit={submit}
        onKeyDown={({ key }) => {
          if (key === "Escape") onAnswer(guest);
        }}
      >
        <p className="name-card-who">
          {rich("<name>{other}</name> is here, too", {
            other,
            name: (inside) => <span dir="auto">{inside}</span>,
          })}
        </p>
        <TextField
          label={t("What may others call you?")}
          hint={t("They see it beside your cursor.")}
          placeholder={guest}
          value={name}
          maxLength={LONGEST_NAME}
          autoComplete="nickname"
          onChange={({ target }) => setName(target.value)}
        />
        <div className="name-card-buttons">
          <Button size="small" variant="ghost" onClick={() => onAnswer(guest)}>
            {t("Stay {guest}", { guest })}
          </Button>
          <Button size="small" variant="primary" type="submit">
            {t("Use this name")}
          </Button>
        </div>
      </form>
    </section>
  );
}
