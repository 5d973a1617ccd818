import type { Registration } from '../control-plane.ts';
import { explorerPortOf } from '../explorer-port.ts';
import type { Caller } from './caller.ts';
import { type AgentService, readAgentServices } from './agent-services.ts';
import { registrationBody } from './registration-body.ts';

/** The calls to the agent beside this process (https://developer.hashicorp.com/consul/api-docs/agent/service). */
export interface AgentCalls {
  /** The address of the leader, empty when there is none. */
  leader(signal?: AbortSignal): Promise<string>;
  register(registration: Registration): Promise<void>;
  /** Whether the agent knows the id. */
  isRegistered(id: string, signal?: AbortSignal): Promise<boolean>;
  /** Ids under which the agent knows other instances of this service at this address and one of its ports. */
  predecessors(registration: Registration): Promise<string[]>;
  /** An id that the agent does not know is deregistered already. */
  deregister(id: string): Promise<void>;
}

export function agentCalls({ call, consul }: Caller): AgentCalls {
  return {
    leader: async (signal) => {
      const [, leader] = await call((options) => consul.status.leader(options), signal);
      return typeof leader === 'string' ? leader : '';
    },
    register: async (registration) => {
      const body = registrationBody(registration);
      // Not through the package's own function: that drops the weights.
      await call((options) => consul._put({ path: '/agent/service/register', type: 'json', body, ...options }));
    },
    // The package has no function that asks for one service.
    isRegistered: (id, signal) =>
      call((options) => isFound(consul._get({ path: '/agent/service/{id}', params: { id }, ...options })), signal),
    async predecessors(registration) {
      const [, services] = await call((options) => consul.agent.service.list(options));
      return readAgentServices(services)
        .filter((known) => isPredecessor(known, registration))
        .map(({ id }) => id);
    },
    deregister: async (id) => {
      await call((options) => isFound(consul.agent.service.deregister({ ...options, id })));
    },
  };
}

/** Two cannot listen on one port: who is registered with one of ours is gone. */
function isPredecessor(known: AgentService, registration: Registration): boolean {
  const { id, service, address, port } = registration;
  if (known.id === id || known.service !== service || known.address !== address) return false;
  return known.port === port || (known.explorerPort !== undefined && known.explorerPort === explorerPortOf(registration));
}

async function isFound(answer: Promise<unknown>): Promise<boolean> {
  try {
    await answer;
    return true;
  } catch (thrown) {
    if (typeof thrown === 'object' && thrown !== null && 'statusCode' in thrown && thrown.statusCode === 404) return false;
    throw thrown;
  }
}
