/** The mark of Manyhands: four fingers of four people, standing side by side as carets do in a line. */
import "./Mark.css";

export function Mark({ size = 28 }: { readonly size?: number }) {
  return (
    <svg className="ui-mark" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect className="ui-mark-1" x="3" y="11" width="5" height="17" rx="2.5" />
      <rect className="ui-mark-2" x="10" y="4" width="5" height="24" rx="2.5" />
      <rect className="ui-mark-3" x="17" y="7" width="5" height="21" rx="2.5" />
      <rect className="ui-mark-4" x="24" y="14" width="5" height="14" rx="2.5" />
    </svg>
  );
}

/** The mark with the name beside it. */
export function Wordmark() {
  return (
    <span className="ui-wordmark">
      <Mark />
      Manyhands
    </span>
  );
}
