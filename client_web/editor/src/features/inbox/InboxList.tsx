/** What concerns this person, in all documents: who did what where, the unread first. */

import { useCallback, useEffect, useState } from "react";
import { type Api, explain } from "../../api/api";
import type * as wire from "../../api/wire";
import { fullTime, relativeTime } from "../../documents/times";
import { shownTitle } from "../../documents/titles";
import { t } from "../../i18n/t";
import { Button } from "../../ui/Button";
import { classes } from "../../ui/classes";

export interface InboxListProps {
  readonly api: Api;
  readonly unread: number;
  readonly onUnread: (unread: number) => void;
  readonly onLeave: () => void;
}

const PAGE = 20;

export function InboxList({ api, unread, onUnread, onLeave }: InboxListProps) {
  const [entries, setEntries] = useState<readonly wire.InboxEntry[] | null>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const [mail, setMail] = useState<boolean | null>(null);
  const [why, setWhy] = useState<string | null>(null);
  const [now] = useState(() => new Date());

  const read = useCallback(
    async (from: string | null) => {
      const query = new URLSearchParams({ limit: String(PAGE), ...(from === null ? {} : { cursor: from }) });
      try {
        const page = (await api.call(`/api/inbox?${query}`)) as wire.Inbox;
        setEntries((before) => [...(from === null ? [] : (before ?? [])), ...page.entries]);
        setCursor(page.cursor);
        setMail(page.mail);
        setWhy(null);
        onUnread(page.unread);
      } catch (error) {
        setWhy(explain(error));
      }
    },
    [api, onUnread],
  );
  useEffect(() => void read(null), [read]);

  const change = async (body: wire.InboxChange) => {
    try {
      const answer = (await api.call("/api/inbox", { method: "PATCH", body })) as wire.Unread;
      onUnread(answer.unread);
      return true;
    } catch (error) {
      setWhy(explain(error));
      return false;
    }
  };
  const readAll = async () => {
    const newest = (entries ?? []).reduce<wire.InboxEntry | null>(
      (one, other) => (one === null || other.at > one.at ? other : one),
      null,
    );
    if (newest && (await change({ until: newest.id }))) {
      setEntries((before) => (before ?? []).map((entry) => ({ ...entry, read: true })));
    }
  };
  const open = (entry: wire.InboxEntry) => {
    if (!entry.read) void change({ ids: [entry.id] });
    setEntries((before) =>
      (before ?? []).map((each) => (each.id === entry.id ? { ...each, read: true } : each)),
    );
    onLeave();
  };
  return (
    <div className="inbox-body">
      <header className="inbox-header">
        <h2>{t("Inbox")}</h2>
        {unread > 0 && (
          <Button size="small" variant="ghost" onClick={() => void readAll()}>
            {t("Mark all as read")}
          </Button>
        )}
      </header>
      {why !== null && (
        <p className="inbox-note" role="alert">
          {why}
        </p>
      )}
      {entries === null && why === null && <p className="inbox-note">{t("Loading…")}</p>}
      {entries?.length === 0 && <p className="inbox-note">{t("Nothing concerns you yet.")}</p>}
      <ul className="inbox-entries">
        {entries?.map((entry) => (
          <li key={entry.id}>
            <a
              className={classes("inbox-entry", !entry.read && "inbox-entry--unread")}
              href={addressOf(entry)}
              onClick={() => open(entry)}
            >
              {!entry.read && <span className="ui-hidden">{t("Unread")} </span>}
              <span className="inbox-what">{sentenceOf(entry)}</span>
              {entry.excerpt !== "" && (
                <span className="inbox-excerpt" dir="auto">
                  {entry.excerpt}
                </span>
              )}
              <span className="inbox-where">
                <span dir="auto">{shownTitle(entry.title)}</span>
                {" · "}
                <time dateTime={entry.at} title={fullTime(new Date(entry.at))}>
                  {relativeTime(new Date(entry.at), now)}
                </time>
              </span>
            </a>
          </li>
        ))}
      </ul>
      {cursor !== null && (
        <Button size="small" variant="ghost" onClick={() => void read(cursor)}>
          {t("Show more")}
        </Button>
      )}
      {mail !== null && (
        <label className="inbox-mail">
          <input
            type="checkbox"
            checked={mail}
            onChange={async ({ currentTarget: { checked } }) => {
              if (await change({ mail: checked })) setMail(checked);
            }}
          />
          {t("Send me by e-mail what stays unread")}
        </label>
      )}
    </div>
  );
}

function addressOf({ document_id: id, thread }: wire.InboxEntry): string {
  return `/d/${encodeURIComponent(id)}${thread === null ? "" : `#thread=${thread}`}`;
}

function sentenceOf({ reason, by: { name } }: wire.InboxEntry): string {
  switch (reason) {
    case "assigned":
      return t("{name} has assigned a comment to you", { name });
    case "mention":
      return t("{name} has mentioned you", { name });
    case "reply":
      return t("{name} has replied", { name });
    case "resolved":
      return t("{name} has resolved your comment", { name });
    case "shared":
      return t("{name} has shared a document with you", { name });
    case "suggestion_accepted":
      return t("{name} has accepted your suggestion", { name });
    case "suggestion_rejected":
      return t("{name} has rejected your suggestion", { name });
  }
}
