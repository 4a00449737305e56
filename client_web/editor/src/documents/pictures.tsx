/** The drawings of the documents page's empty states. */

/** A sheet that four people write on at once. */
export function WritingPicture() {
  return (
    <svg width="176" height="132" viewBox="0 0 176 132" fill="none" role="presentation">
      <rect className="documents-picture-sheet" x="30" y="6" width="116" height="120" rx="10" />
      <g className="documents-picture-line">
        <rect x="46" y="26" width="52" height="8" rx="4" />
        <rect x="46" y="48" width="74" height="5" rx="2.5" />
        <rect x="46" y="62" width="84" height="5" rx="2.5" />
        <rect x="46" y="76" width="58" height="5" rx="2.5" />
        <rect x="46" y="98" width="70" height="5" rx="2.5" />
      </g>
      <Caret className="ui-mark-1" x={101} y={22} />
      <Caret className="ui-mark-3" x={123} y={43} />
      <Caret className="ui-mark-4" x={107} y={71} />
      <Caret className="ui-mark-2" x={119} y={93} />
    </svg>
  );
}

function Caret({ className, x, y }: { readonly className: string; readonly x: number; readonly y: number }) {
  return (
    <g className={className}>
      <rect x={x} y={y} width="2.5" height="16" rx="1.25" />
      <rect x={x} y={y - 6} width="26" height="9" rx="3" />
    </g>
  );
}
