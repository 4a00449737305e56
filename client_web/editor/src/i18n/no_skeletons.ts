/** In the builds, the place of the code that reads ICU's skeletons (“{n, number, ::percent}”), which no words of the page have. */

function refuse(): never {
  throw new Error("The page's words have no skeletons: write “{n, number}” or “{when, date, medium}”.");
}

export const parseDateTimeSkeleton = refuse;
export const parseNumberSkeleton = refuse;
export const parseNumberSkeletonFromString = refuse;
