import type { Policy } from '../control-plane.ts';
import type { Caller } from './caller.ts';
import { answeredIndex, type BlockingAnswer, type BlockingRead, refuseHiddenResults } from './query.ts';
import { type KeyValueEntry, POLICY_ROOT, toPolicies, toPolicy } from './wire.ts';

/** Policies in the key-value store (https://developer.hashicorp.com/consul/api-docs/kv). */
export interface PolicyCalls {
  policy(key: string, signal?: AbortSignal): Promise<Policy | undefined>;
  putPolicy(key: string, value: string, expectedIndex: number | undefined, signal?: AbortSignal): Promise<boolean>;
  deletePolicy(key: string, expectedIndex?: number, signal?: AbortSignal): Promise<boolean>;
  policies(prefix: string, read: BlockingRead): Promise<BlockingAnswer<readonly Policy[]>>;
}

export function policyCalls({ call, read, consul }: Caller): PolicyCalls {
  return {
    policy: async (key, signal) => {
      const [, body] = await call((options) => consul.kv.get({ ...options, key: POLICY_ROOT + key }), signal);
      // Documented shape; the conformance suite holds both servers to it.
      return body === undefined ? undefined : toPolicy(body as KeyValueEntry);
    },
    putPolicy: async (key, value, expectedIndex, signal) => {
      const write = { key: POLICY_ROOT + key, value, ...checkAndSet(expectedIndex) };
      const [, written] = await call((options) => consul.kv.set({ ...options, ...write }), signal);
      return written === true;
    },
    deletePolicy: async (key, expectedIndex, signal) => {
      const unwanted = { key: POLICY_ROOT + key, ...checkAndSet(expectedIndex) };
      const [, deleted] = await call((options) => consul.kv.del({ ...options, ...unwanted }), signal);
      return deleted === true;
    },
    policies: (prefix, blocking) =>
      read(blocking, async (options) => {
        const [response, body] = await consul.kv.get({ ...options, key: POLICY_ROOT + prefix, recurse: true });
        const value = toPolicies(body);
        if (value.length === 0) refuseHiddenResults(response, `the policies under "${prefix}"`);
        return { index: answeredIndex(response), value };
      }),
  };
}

function checkAndSet(expectedIndex: number | undefined): { readonly cas?: number } {
  return expectedIndex === undefined ? {} : { cas: expectedIndex };
}
