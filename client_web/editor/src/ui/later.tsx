/** Dialogs whose code comes when they are opened first. */

import { type ComponentType, lazy, type ReactNode, Suspense, useState } from "react";

/** A component that is not loaded before it is open, and stays from then on, so that it can close as it likes. */
export function openedLater<Props extends { readonly open: boolean }>(
  load: () => Promise<ComponentType<Props>>,
): (props: Props) => ReactNode {
  const Late = lazy(async () => ({ default: await load() }));
  return function Later(props: Props) {
    const [wasOpen, setWasOpen] = useState(props.open);
    if (props.open && !wasOpen) setWasOpen(true);
    return (
      wasOpen && (
        <Suspense>
          <Late {...props} />
        </Suspense>
      )
    );
  };
}
