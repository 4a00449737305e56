/** The bell: how much of what concerns this person is unread. The entries come when it is pressed. */

import { Bell } from "lucide-react";
import { lazy, Suspense, useContext, useState } from "react";
import { ApiContext } from "../../api/ApiContext";
import { t } from "../../i18n/t";
import { IconButton } from "../../ui/IconButton";
import { Popover } from "../../ui/Popover";
import { useUnread } from "./useUnread";
import "./inbox.css";

const InboxList = lazy(async () => ({ default: (await import("./InboxList")).InboxList }));

/** `changes` grows when the server has told of news, and is 0 while it tells of none. Without `changes` it is asked now and then. */
export function InboxButton({ changes }: { readonly changes?: number }) {
  const api = useContext(ApiContext);
  const [isOpen, setOpen] = useState(false);
  const { unread, setUnread } = useUnread(api, changes);
  if (api === null || unread === null) return null;
  const label = t("{count, plural, =0 {Inbox} one {Inbox, one unread} other {Inbox, # unread}}", {
    count: unread,
  });
  return (
    <span className="inbox-place" data-unread={unread > 0 || undefined}>
      <Popover
        label={t("Inbox")}
        align="end"
        className="inbox"
        open={isOpen}
        onOpenChange={setOpen}
        trigger={<IconButton icon={Bell} label={label} />}
      >
        <Suspense fallback={<p className="inbox-note">{t("Loading…")}</p>}>
          <InboxList api={api} unread={unread} onUnread={setUnread} onLeave={() => setOpen(false)} />
        </Suspense>
      </Popover>
      {unread > 0 && (
        <span className="inbox-count" aria-hidden="true">
          {unread > 99 ? "99+" : unread}
        </span>
      )}
    </span>
  );
}
