import type { DescService } from '@bufbuild/protobuf';

import type { Invoke, ServerCall } from '../call.ts';
import type { Method } from '../method.ts';
import { type Handlers, handlerLink } from './handlers.ts';

/** A contract together with what answers it. Made by `implement`, which sees that the two fit. */
export interface Implementation {
  readonly contract: DescService;
  /** The innermost link of the server chain of one of the contract's methods. */
  linkOf(method: Method): Invoke<ServerCall>;
}

/** Ties a contract to its handlers, so that contracts of different types can stand in one list. */
export function implement<S extends DescService>(contract: S, handlers: Handlers<S>): Implementation {
  return { contract, linkOf: (method) => handlerLink(method, handlers) };
}
