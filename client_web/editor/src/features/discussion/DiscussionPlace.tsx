/** The place of the discussion in the page; its code comes when there is one. */

import { lazy, Suspense } from "react";
import type { DiscussionViewProps } from "./Discussion";
import { loadDiscussion } from "./useDiscussion";

const DiscussionView = lazy(async () => ({ default: (await loadDiscussion()).DiscussionView }));

export function DiscussionPlace(props: DiscussionViewProps) {
  return (
    props.open.isWanted && (
      <Suspense>
        <DiscussionView {...props} />
      </Suspense>
    )
  );
}
