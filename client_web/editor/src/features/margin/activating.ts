/** Ways of a card to the front: a click in it, and the keyboard's focus. */

/** True while a mouse's button is held that was pressed in a card. */
let isPressed = false;

/**
 * Handlers of one card. A press puts the focus into it as well, and a card that comes to the front moves. The release would
 * miss what was pressed, and be no click. So a press waits for its click.
 */
export function activating(activate: () => void) {
  return {
    onMouseDown: () => {
      isPressed = true;
      const release = () => {
        isPressed = false;
      };
      addEventListener("mouseup", release, { once: true, capture: true });
    },
    onClick: activate,
    onFocus: () => {
      if (!isPressed) activate();
    },
  };
}
