import { type Log, MeshError } from '#kit';

import { type ServerInterceptor, whenDone } from '../call.ts';
import { asSeenByCaller } from '../status.ts';

/**
 * The border where errors leave a service: what is our fault is logged here, once, with
 * its cause; the caller gets code, reason and sentence and nothing of what lies below.
 */
export function serverErrors(log: Log): ServerInterceptor {
  return (next) => async (call) => {
    try {
      return await whenDone(next, call, (thrown) => {
        if (thrown === undefined) return;
        const error = MeshError.from(thrown);
        if (error.code === 'INTERNAL' || error.code === 'UNKNOWN') log.error({ err: error, method: call.method.fullName }, 'call failed');
      });
    } catch (thrown) {
      throw asSeenByCaller(MeshError.from(thrown));
    }
  };
}
