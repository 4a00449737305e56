/** A grey bar where words will be. */
import "./Skeleton.css";

export interface SkeletonProps {
  /** Any CSS length. */
  readonly width?: string;
  readonly height?: string;
}

export function Skeleton({ width = "100%", height = "0.8em" }: SkeletonProps) {
  return <span className="ui-skeleton" aria-hidden="true" style={{ width, height }} />;
}
