import { timestampFromMs } from '@bufbuild/protobuf/wkt';

import type { InstanceService } from '#proto/mesh/v1/instance_pb.js';

import type { CallTally } from './call-tally.ts';
import type { Handlers } from './handlers.ts';
import { type RuntimeState, toRuntimeFields } from './runtime-state.ts';

/** How an instance is registered; empty strings where it is in no registry. */
export interface InstanceName {
  readonly id: string;
  readonly version: string;
}

/** What an instance says of itself: who it is, the process it runs in, the calls of each method that was called, and how the runtime does. */
export function instanceHandlers(
  service: string,
  { id, version }: InstanceName,
  tallies: ReadonlyMap<string, CallTally>,
  state: () => RuntimeState,
): Handlers<typeof InstanceService> {
  return {
    getInstance: async () => ({
      instanceId: id,
      service,
      version,
      processId: BigInt(process.pid),
      startTime: timestampFromMs(Math.round(performance.timeOrigin)),
      memoryBytes: BigInt(process.memoryUsage.rss()),
      methods: [...tallies].map(([method, tally]) => methodCalls(method, tally)).filter(({ calls }) => calls > 0n).sort(byMethod),
      ...toRuntimeFields(state()),
    }),
  };
}

function methodCalls(method: string, tally: CallTally) {
  const { calls, errors, ...rates } = tally.read();
  return { method, calls: BigInt(calls), errors: BigInt(errors), ...rates };
}

function byMethod(left: { method: string }, right: { method: string }): number {
  return left.method < right.method ? -1 : 1;
}
