/** One thread as a card: its words, its comments, and what one may do with them. */

import { Check, RotateCcw, SmilePlus, UserRoundCheck } from "lucide-react";
import { memo, useEffect, useRef, useState } from "react";
import type * as wire from "../../api/wire";
import { t } from "../../i18n/t";
import { Avatar } from "../../ui/Avatar";
import { Button } from "../../ui/Button";
import { classes } from "../../ui/classes";
import { IconButton } from "../../ui/IconButton";
import { Menu, MenuItem } from "../../ui/Menu";
import { Time } from "../margin/Time";
import { colorOf } from "../suggesting/people";
import { Body } from "./Body";
import { Composer, ComposerToCome } from "./Composer";
import type { Deeds } from "./deeds";
import { CommentMenu, ThreadMenu } from "./ThreadMenus";
import { mayChange, type ShownComment, type ShownThread } from "./threads";
import { unsentOf } from "./unsent";

export interface ThreadCardProps {
  readonly thread: ShownThread;
  readonly isActive: boolean;
  readonly isDetached: boolean;
  readonly deeds: Deeds;
  /** Who is writing a reply here. */
  readonly replying: readonly string[];
  /** What names and colours were when the card was drawn; see `namesVersion`. */
  readonly names: number;
  /** Shown in the panel of all threads, where the words are not beside the card. */
  readonly isListed?: boolean;
  /** Shown in the card of the suggestion that it is about, which says what is in the thread's head. */
  readonly isInside?: boolean;
}

/** Comments of a card that is not active. */
const FEW = 1;

export const ThreadCard = memo(function ThreadCard(props: ThreadCardProps) {
  const { thread, isActive, isDetached, deeds, replying, isListed = false, isInside = false } = props;
  const { rights, own } = deeds;
  const [isReplying, setReplying] = useState(false);
  const hasBegun = unsentOf(thread.id) !== null;
  useEffect(() => {
    if (!isActive) setReplying(false);
  }, [isActive]);
  const living = thread.comments.filter(({ deleted }) => !deleted);
  const comments = isActive ? thread.comments : living.slice(0, FEW);
  const hidden = isActive ? 0 : living.length - comments.length;
  const isWaiting = thread.waiting ?? thread.comments.find(({ waiting }) => waiting)?.waiting ?? null;
  const refused = refusedOf(thread);
  const mayTurn = mayChange(thread, rights, own);
  const card = useRef<HTMLElement>(null);
  // A field that is gone would leave the keys nowhere.
  const backToCard = () => card.current?.focus({ preventScroll: true });
  return (
    <article
      ref={card}
      className={classes("thread", isActive && "thread--active")}
      aria-label={labelOf(thread)}
      // The keys for the next and the previous thread lead here.
      tabIndex={-1}
    >
      {!isInside && (
        <header className="thread-head">
          <blockquote className={classes("thread-quote", isDetached && "thread-quote--gone")} dir="auto">
            {thread.quote || t("No words")}
          </blockquote>
          {thread.state === "open" && mayTurn && (
            <IconButton
              icon={Check}
              iconSize={17}
              size="small"
              label={t("Resolve")}
              onClick={() => deeds.change(thread, { state: "resolved" })}
            />
          )}
          {thread.state === "resolved" && mayTurn && (
            <IconButton
              icon={RotateCcw}
              iconSize={16}
              size="small"
              label={t("Reopen")}
              onClick={() => deeds.change(thread, { state: "open" })}
            />
          )}
          {(isActive || isListed) && <ThreadMenu thread={thread} deeds={deeds} />}
        </header>
      )}
      {isDetached && (
        <p className="thread-note">
          {t("The words are not in the text any more.")}{" "}
          {mayTurn && (
            <button type="button" className="thread-link" onClick={() => deeds.attach(thread)}>
              {t("Attach again")}
            </button>
          )}
        </p>
      )}
      {thread.state === "resolved" && thread.changed_by && (
        <p className="thread-note">{t("Resolved by {name}", { name: thread.changed_by.name })}</p>
      )}
      {thread.assignee && (
        <p className="thread-note">
          <UserRoundCheck aria-hidden="true" size={14} />{" "}
          {t("Assigned to {name}", { name: thread.assignee.name })}
        </p>
      )}
      <ol className="thread-comments">
        {comments.map((comment) => (
          <CommentItem
            key={comment.id}
            thread={thread}
            comment={comment}
            isActive={isActive}
            deeds={deeds}
            onEdited={backToCard}
          />
        ))}
      </ol>
      {hidden > 0 && (
        <p className="thread-more">
          {t("{count, plural, one {# reply} other {# replies}}", { count: hidden })}
        </p>
      )}
      {refused ? (
        <div className="thread-refused" role="alert">
          <p>{t("The server did not take this. {why}", { why: refused.refusal ?? "" })}</p>
          <div className="composer-buttons">
            <Button size="small" variant="ghost" onClick={() => deeds.drop(refused)}>
              {t("Discard")}
            </Button>
            <Button size="small" onClick={() => deeds.again(refused)}>
              {t("Try again")}
            </Button>
          </div>
        </div>
      ) : (
        isWaiting && deeds.isOffline && <p className="thread-note">{t("Kept on this device")}</p>
      )}
      {replying.length > 0 && (
        <p className="thread-note" role="status">
          {t("{count, plural, one {{names} is replying…} other {{names} are replying…}}", {
            count: replying.length,
            names: replying.join(", "),
          })}
        </p>
      )}
      {!isActive && hasBegun && <p className="thread-note">{t("Your reply is not sent yet")}</p>}
      {isActive && rights.mayWrite && !refused && (
        <div className="thread-reply">
          {isReplying || hasBegun ? (
            <Composer
              label={t("Reply")}
              keptAs={thread.id}
              isFocused={isReplying}
              placeholder={t("Reply, or @ to mention somebody")}
              sendLabel={t("Reply")}
              findPeople={deeds.findPeople}
              mayAssign={mayTurn}
              onWriting={(isWriting) => deeds.tellReplying(isWriting ? thread.id : null)}
              onSend={(body, assignee) => {
                deeds.reply(thread, body, assignee);
                setReplying(false);
                backToCard();
              }}
              onCancel={() => {
                setReplying(false);
                deeds.leave();
              }}
            />
          ) : (
            <>
              <ComposerToCome onOpen={() => setReplying(true)}>{t("Reply")}</ComposerToCome>
              {isInside && <ThreadMenu thread={thread} deeds={deeds} />}
            </>
          )}
        </div>
      )}
    </article>
  );
});

function labelOf({ comments, quote, state }: ShownThread): string {
  const name = comments.find(({ deleted }) => !deleted)?.by.name ?? "";
  return state === "resolved"
    ? t("Resolved comment of {name} on “{quote}”", { name, quote })
    : t("Comment of {name} on “{quote}”", { name, quote });
}

function refusedOf({ waiting, comments }: ShownThread) {
  return (
    [waiting, ...comments.map((comment) => comment.waiting)].find((act) => act?.refusal !== undefined) ?? null
  );
}

interface CommentItemProps {
  readonly thread: ShownThread;
  readonly comment: ShownComment;
  readonly isActive: boolean;
  readonly deeds: Deeds;
  readonly onEdited: () => void;
}

function CommentItem({ thread, comment, isActive, deeds, onEdited }: CommentItemProps) {
  const [isEditing, setEditing] = useState(false);
  const { by, deleted, edited_at: edited, body } = comment;
  const isOwn = by.user_id === deeds.own;
  if (deleted) return <li className="thread-comment thread-comment--deleted">{t("Deleted comment")}</li>;
  return (
    <li className="thread-comment">
      <div className="thread-comment-head">
        <Avatar name={by.name} color={colorOf(by.user_id)} size={26} aria-hidden="true" />
        <div className="card-by">
          <strong>{by.name}</strong>
          <Time at={comment.at} isEdited={edited !== null} />
        </div>
        {isActive && deeds.rights.mayWrite && (
          <div className="thread-comment-tools">
            <ReactionMenu thread={thread} comment={comment} deeds={deeds} />
            {(isOwn || deeds.rights.mayDeleteAll) && (
              <CommentMenu thread={thread} comment={comment} deeds={deeds} onEdit={() => setEditing(true)} />
            )}
          </div>
        )}
      </div>
      {isEditing || unsentOf(comment.id) !== null ? (
        <Composer
          label={t("Edit the comment")}
          keptAs={comment.id}
          isFocused={isEditing}
          placeholder=""
          sendLabel={t("Save")}
          initial={body}
          findPeople={deeds.findPeople}
          onSend={(changed) => {
            deeds.edit(thread, comment, changed);
            setEditing(false);
            onEdited();
          }}
          onCancel={() => {
            setEditing(false);
            onEdited();
          }}
        />
      ) : (
        <Body body={body} />
      )}
      {comment.reactions.length > 0 && <Reactions thread={thread} comment={comment} deeds={deeds} />}
    </li>
  );
}

const EMOJI = ["👍", "❤️", "😄", "🎉", "😕", "👀"];

interface ReactionsProps {
  readonly thread: ShownThread;
  readonly comment: ShownComment;
  readonly deeds: Deeds;
}

function ReactionMenu({ thread, comment, deeds }: ReactionsProps) {
  return (
    <Menu
      align="end"
      className="thread-emoji-menu"
      trigger={<IconButton icon={SmilePlus} iconSize={16} size="small" label={t("React")} />}
    >
      {EMOJI.map((emoji) => (
        <MenuItem
          key={emoji}
          onSelect={() => deeds.react(thread, comment, emoji, !hasReacted(comment, emoji, deeds.own))}
        >
          {emoji}
        </MenuItem>
      ))}
    </Menu>
  );
}

function hasReacted({ reactions }: ShownComment, emoji: string, own: string | null): boolean {
  return reactions.some((each) => each.emoji === emoji && each.people.some(({ user_id }) => user_id === own));
}

function Reactions({ thread, comment, deeds }: ReactionsProps) {
  return (
    <ul className="thread-reactions" aria-label={t("Reactions")}>
      {comment.reactions.map(({ emoji, people }: wire.Reaction) => {
        const isOn = hasReacted(comment, emoji, deeds.own);
        const names = people.map(({ name }) => name).join(", ");
        return (
          <li key={emoji}>
            <button
              type="button"
              className="thread-reaction"
              aria-pressed={isOn}
              aria-label={`${emoji} ${names}`}
              title={names}
              disabled={!deeds.rights.mayWrite}
              onClick={() => deeds.react(thread, comment, emoji, !isOn)}
            >
              {emoji} {people.length}
            </button>
          </li>
        );
      })}
    </ul>
  );
}
