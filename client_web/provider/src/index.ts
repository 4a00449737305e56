/** `@manyhands/provider`: a Yjs document kept in step with a Manyhands server. */

export type { Clock } from "./clock.js";
export type { Answer, Authentication, Connection, Receiver } from "./connection.js";
export { forgetCopies } from "./forgetting.js";
export { HEIRS, type Heir, type Heirs, UNSAVED } from "./heirs.js";
export { type KeepOnDevice, keepOnDevice } from "./offline.js";
export { ManyhandsProvider, type ProviderEvents, type ProviderOptions } from "./provider.js";
export type { TokenSource } from "./tokens.js";
export { SocketConnection, type SocketConnectionOptions } from "./transport.js";
export type {
  ConnectionStatus,
  DocumentInfo,
  Durability,
  ErrorCode,
  Format,
  LocalUser,
  Provider,
  ProviderState,
  ReadOnly,
  Refusal,
  Role,
  ServerError,
  Status,
  SuggestAnew,
  Todo,
  Trouble,
  User,
  Vocabulary,
} from "./types.js";
