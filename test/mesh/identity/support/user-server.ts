import { silentLog, systemClock } from '#kit';
import { type CallContext, createMesh, type Hosting, type ListenAs, type Mesh, type Peer } from '#mesh';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import { createTelemetry } from '../../support/telemetry.ts';

/** A process that answers as `user`, whatever it shows. */
export interface UserServer {
  readonly port: number;
  /** Who called, call by call. */
  readonly peers: readonly Peer[];
  /** For further ports of it. */
  readonly hosting: Pick<Hosting, 'listen'>;
  /** Calls wait from now on, until the returned function is called. */
  hold(): () => void;
  stop(): Promise<void>;
}

export async function startUserServer(as?: ListenAs): Promise<UserServer> {
  const mesh: Mesh = createMesh({ clock: systemClock, log: silentLog, openChannel: callsNobody });
  const peers: Peer[] = [];
  let gate: Promise<void> | undefined;
  const handlers = {
    async getUser(_: unknown, { peer }: CallContext) {
      peers.push(peer);
      await gate;
      return {};
    },
    createUser: async () => ({}),
    listUsers: async () => ({}),
  };
  const hosting = mesh.host({ contract: UserService, handlers, tracer: createTelemetry().tracer('user'), log: silentLog, check: async () => {} });
  const listening = await hosting.listen('127.0.0.1', 0, as);
  return {
    ...{ port: listening.port, peers, hosting },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return () => {
        gate = undefined;
        resolve();
      };
    },
    async stop() {
      listening.hurry();
      await listening.stop();
      await mesh.stop();
    },
  };
}

function callsNobody(): never {
  throw new Error('it calls nobody');
}
