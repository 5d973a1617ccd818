import type { Message } from '@bufbuild/protobuf';
import { ROOT_CONTEXT } from '@opentelemetry/api';

import { Lifetime, type Method, type ServerCall, unprovedPeer } from '#mesh';

/** A call as it reaches a server's chain, with nothing but its request. */
export function createServerCall(method: Method, request: Message): ServerCall {
  const lifetime = new Lifetime();
  return {
    method,
    peer: unprovedPeer(''),
    request,
    deadline: Infinity,
    timed: false,
    local: false,
    lifetime,
    get signal() {
      return lifetime.signal;
    },
    context: ROOT_CONTEXT,
    header: () => undefined,
    allHeaders: () => ({}),
    setHeader: () => {},
    setTrailer: () => {},
  };
}
