import { explorerPortOf } from '../explorer-port.ts';

/** What the agent knows of one of its services, as far as it is needed here. */
export interface AgentService {
  readonly id: string;
  readonly service: string;
  readonly address: string;
  readonly port: number;
  /** Undefined where it has none. */
  readonly explorerPort: number | undefined;
}

/** Reads the answer of `/v1/agent/services`: an object of services by id. What is not one is left out. */
export function readAgentServices(answer: unknown): AgentService[] {
  if (typeof answer !== 'object' || answer === null) return [];
  return Object.values(answer).flatMap((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null) return [];
    const { ID: id, Service: service, Address: address, Port: port, Meta: meta }: Partial<Record<'ID' | 'Service' | 'Address' | 'Port' | 'Meta', unknown>> = entry;
    const whole = typeof id === 'string' && typeof service === 'string' && typeof address === 'string' && typeof port === 'number';
    return whole ? [{ id, service, address, port, explorerPort: explorerPortOf({ metadata: { ...(typeof meta === 'object' && meta) } }) }] : [];
  });
}
