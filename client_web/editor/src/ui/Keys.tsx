/** A keyboard shortcut as a person reads it. */
import "./Keys.css";

export function Keys({ shortcut }: { readonly shortcut: string }) {
  return <kbd className="ui-keys">{shortcut}</kbd>;
}
