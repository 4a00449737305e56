/** Turns of the screen: what is drawn more often is drawn for nobody. */

/** A page that nobody sees has no frames; its document follows that often, in milliseconds. */
const UNSEEN = 250;

/** Calls `run` with the next frame; returns the way to call that off. */
export function withNextFrame(run: () => void): () => void {
  const cancel = () => {
    clearTimeout(timer);
    if (frame !== null) cancelAnimationFrame(frame);
  };
  const once = () => {
    cancel();
    run();
  };
  const timer = setTimeout(once, UNSEEN);
  const frame = typeof requestAnimationFrame === "function" ? requestAnimationFrame(once) : null;
  return cancel;
}
