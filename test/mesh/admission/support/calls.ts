import { create } from '@bufbuild/protobuf';
import { ROOT_CONTEXT } from '@opentelemetry/api';

import { UserService } from '#proto/shop/user/v1/user_pb.js';

import type { ServerCall } from '../../../../mesh/call.ts';
import { Lifetime } from '../../../../mesh/lifetime.ts';
import { type Criticality, describeMethod, type Method } from '../../../../mesh/method.ts';
import type { Admission, Live, ServerPolicy } from '../../../../mesh/policy/call-policy.ts';
import { SERVER_DEFAULTS } from '../../../../mesh/policy/defaults.ts';

const contract = describeMethod(UserService.method.getUser);

/** A method that differs in nothing but how much it matters. */
export function methodOf(criticality: Criticality = 'default'): Method {
  return { ...contract, criticality };
}

export function callOf(method: Method, deadline = Infinity, headers: Readonly<Record<string, string>> = {}): ServerCall {
  const call = {
    method,
    request: create(method.desc.input),
    header: (name: string) => headers[name],
    deadline,
    lifetime: new Lifetime(),
    context: ROOT_CONTEXT,
  };
  // Admission and faults read nothing else of a call.
  return call as ServerCall;
}

/** The defaults, but for what a test says. */
export function policyOf(changes: Partial<Admission> = {}): Live<ServerPolicy> {
  return { current: { ...SERVER_DEFAULTS, admission: { ...SERVER_DEFAULTS.admission, ...changes } } };
}
