/** `@manyhands/provider`: a Yjs document kept in step with a Manyhands server. */

export type {
  DocumentInfo,
  Durability,
  ErrorCode,
  LocalUser,
  Provider,
  ProviderState,
  Refusal,
  Role,
  ServerError,
  Status,
  User,
} from "./types.js";
