/** This person's own name and colour, as the others see them. */

import type { LocalUser } from "@manyhands/provider";
import { memo, useState } from "react";
import { setSmartTyping, useSmartTyping } from "../../account/smartTyping";
import { t } from "../../i18n/t";
import { Avatar } from "../../ui/Avatar";
import { PERSON_COLOR_NAMES } from "../../ui/color";
import { LanguageField } from "../../ui/LanguageChoices";
import { Popover } from "../../ui/Popover";
import { TextField } from "../../ui/TextField";
import { Tooltip } from "../../ui/Tooltip";
import { LONGEST_NAME } from "../identity";

export interface OwnAvatarProps {
  readonly person: LocalUser;
  /** As the others see it: another one than the person's own while somebody here has one like it. */
  readonly color: string;
  readonly onChange: (person: LocalUser) => void;
}

export const OwnAvatar = memo(function OwnAvatar({ person, color: shown, onChange }: OwnAvatarProps) {
  const [name, setName] = useState(person.name);
  const isSmart = useSmartTyping();
  const rename = () => {
    const wanted = name.trim();
    if (wanted && wanted !== person.name) onChange({ ...person, name: wanted });
    else setName(person.name);
  };
  return (
    <Popover
      label={t("How others see you")}
      align="end"
      className="page-own"
      onOpenChange={(isOpen) => {
        if (!isOpen) rename();
      }}
      trigger={
        <button
          type="button"
          className="page-person"
          aria-label={t("You are {name}. Change name and colour", { name: person.name })}
        >
          <Tooltip label={t("You")}>
            <span>
              <Avatar aria-hidden="true" name={person.name} color={shown} />
            </span>
          </Tooltip>
        </button>
      }
    >
      <TextField
        label={t("Your name")}
        hint={t("Others see it beside your cursor.")}
        value={name}
        maxLength={LONGEST_NAME}
        autoComplete="nickname"
        onChange={({ target }) => setName(target.value)}
        onBlur={rename}
        onKeyDown={({ key }) => {
          if (key === "Enter") rename();
        }}
      />
      <fieldset className="page-own-colors">
        <legend>{t("Your colour")}</legend>
        {Object.entries(PERSON_COLOR_NAMES).map(([color, itsName]) => (
          <label key={color} className="page-own-color" title={itsName} style={{ backgroundColor: color }}>
            <input
              type="radio"
              name="own-color"
              className="ui-hidden"
              checked={color === person.color}
              onChange={() => onChange({ ...person, color })}
            />
            <span className="ui-hidden">{itsName}</span>
          </label>
        ))}
      </fieldset>
      {shown !== person.color && (
        <p className="page-own-note">
          {t("Somebody here has a colour like yours. Until they leave, you have another.")}
        </p>
      )}
      <label className="page-own-switch">
        <input type="checkbox" checked={isSmart} onChange={({ target }) => setSmartTyping(target.checked)} />
        {t("Smart quotes and dashes")}
      </label>
      <LanguageField className="page-own-language" />
    </Popover>
  );
});
