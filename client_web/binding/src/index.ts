/** A Yjs binding for ProseMirror and Tiptap, with the names of y-tiptap. */

export { ANNOTATION_ORIGIN, type Annotating, annotate, isObject } from "./annotating.js";
export type { Binding } from "./binding.js";
export {
  type CaretOptions,
  defaultAwarenessStateFilter,
  defaultCursorBuilder,
  defaultSelectionBuilder,
  yCursorPlugin,
} from "./carets.js";
export { prosemirrorToYXmlFragment, yXmlFragmentToProseMirrorRootNode } from "./converting.js";
export type { HeirRun } from "./heirs.js";
export {
  isChangeOrigin,
  type SyncMeta,
  type SyncState,
  type UndoState,
  yCursorPluginKey,
  ySyncPluginKey,
  yUndoPluginKey,
} from "./keys.js";
export { ANNOTATIONS, annotationsIn, inOrder, PROPOSALS, proposalsIn } from "./marks.js";
export {
  absolutePositionToRelativePosition,
  type Nodes,
  relativePositionToAbsolutePosition,
} from "./positions.js";
export { type SyncOptions, ySyncPlugin } from "./sync.js";
export {
  defaultDeleteFilter,
  defaultProtectedNodes,
  nextStep,
  passOver,
  placeOfStep,
  redo,
  type StepPlace,
  type UndoOptions,
  type UndoStep,
  undo,
  yUndoPlugin,
} from "./undo.js";
export { goesOn } from "./writing.js";
