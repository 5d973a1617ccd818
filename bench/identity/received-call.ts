import { create } from '@bufbuild/protobuf';
import { Metadata } from '@grpc/grpc-js';
import { ROOT_CONTEXT } from '@opentelemetry/api';

import { Lifetime, type Method, type ServerCall } from '#mesh';
import { GetOrderResponseSchema } from '#proto/shop/order/v1/order_pb.js';

import { fromMetadata } from '../../mesh/headers.ts';
import { REGION } from './made-up-intentions.ts';

/** As each call brings them: whoever asks for one header pays for reading all. */
const HEADERS = {
  [REGION.name]: REGION.value,
  'user-agent': 'grpc-node-js/1.14.7',
  traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
  authorization: `Bearer ${'c'.repeat(500)}`,
};

const message = create(GetOrderResponseSchema);

/** A call of a service as it comes over the network, certificate and all. */
export function receivedCall(method: Method, service: string): ServerCall {
  const received = new Metadata();
  for (const [name, value] of Object.entries(HEADERS)) received.set(name, value);
  const lifetime = new Lifetime();
  return {
    method,
    lifetime,
    peer: { service, proof: 'certificate', address: '10.0.0.1' },
    request: message,
    deadline: Infinity,
    timed: false,
    local: false,
    get signal() {
      return lifetime.signal;
    },
    context: ROOT_CONTEXT,
    header: () => undefined,
    allHeaders: () => fromMetadata(received),
    setHeader: () => {},
    setTrailer: () => {},
  };
}
