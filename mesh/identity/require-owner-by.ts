import { MeshError } from '#kit';

import type { CallContext } from '../call-context.ts';

/**
 * Where a call is for the owner alone, and another service knows whose it is: refuses the call with `missing` unless the
 * owner that `lookUp` finds is the caller. What is asked for there is asked with the caller's token, which is sent along, so
 * the other service tells this one no more than it would tell the caller. What it does not know, or does not show to the
 * caller (NOT_FOUND), is nobody's.
 */
export async function requireOwnerBy({ ownership }: Pick<CallContext, 'ownership'>, lookUp: () => Promise<string | undefined>, missing: () => MeshError): Promise<void> {
  if (ownership) ownership.require((await found(lookUp)) ?? '', missing);
}

async function found(lookUp: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await lookUp();
  } catch (thrown) {
    if (MeshError.from(thrown).code === 'NOT_FOUND') return undefined;
    throw thrown;
  }
}
