import { experimental, type StatusObject } from '@grpc/grpc-js';

import { MeshError } from '#kit';

import { toStatus } from '../../status.ts';
import { attemptOf } from '../attempt.ts';
import type { Destination } from './destination.ts';
import type { InstanceConnections } from './instance-connections.ts';
import { unreachable } from './refusals.ts';

const { PickResultType } = experimental;

/** Asks the destination for the instance of each call. Calls are counted from when grpc-js says that they have started: not every pick becomes a call. */
export class LeastRequestPicker implements experimental.Picker {
  readonly #destination: Destination;
  readonly #connections: ReadonlyMap<string, InstanceConnections>;

  constructor(destination: Destination, connections: ReadonlyMap<string, InstanceConnections>) {
    this.#destination = destination;
    this.#connections = connections;
  }

  pick(args: experimental.PickArgs): experimental.PickResult {
    const destination = this.#destination;
    const call = destination.pick(attemptOf(args.metadata));
    if (call instanceof MeshError) return refused(call);
    const picked = this.#connections.get(call.endpoint.id)?.pick(args);
    if (!picked) return refused(unreachable(destination.service, 'a connection was just lost'));
    let startedAtMs = 0;
    return {
      ...picked,
      onCallStarted: () => {
        startedAtMs = destination.started(call);
      },
      onCallEnded: (code, details, trailers) => destination.ended(call, startedAtMs, code, details, trailers),
    };
  }
}

/** Fails the call at once, also one that would wait for a connection. */
function refused(error: MeshError): experimental.PickResult {
  const status: StatusObject = toStatus(error);
  return { pickResultType: PickResultType.DROP, subchannel: null, status, onCallStarted: null, onCallEnded: null };
}
