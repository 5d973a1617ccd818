import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { type EmbeddedAgent, startAgent } from '#discovery/agent';
import { silentLog, systemClock, systemRandom } from '#kit';
import { SIMULATOR_KEY } from '#stripe-simulator';

import { makeTestFolder } from '../database/postgres-fixture.ts';
import { type SimulatorFixture, startSimulatorFixture } from '../payment/simulator/simulator-fixture.ts';

/** What services need besides a database, and the settings that lead there. */
export interface ShopServers {
  readonly agent: EmbeddedAgent;
  readonly cards: SimulatorFixture;
  readonly environment: Readonly<Record<string, string>>;
  /** Empty; other users may pass through it. Removed with the servers. */
  readonly scratch: string;
  stop(): Promise<void>;
}

export async function startShopServers(): Promise<ShopServers> {
  const scratch = await makeTestFolder();
  const own = { log: silentLog, clock: systemClock, random: systemRandom };
  const agent = await startAgent({ dataDir: join(scratch, 'agent'), host: '127.0.0.1', port: 0, ...own });
  const cards = await startSimulatorFixture();
  return {
    agent,
    cards,
    scratch,
    environment: {
      CONSUL_HTTP_ADDR: agent.url,
      OTEL_TRACES_EXPORTER: 'none',
      STRIPE_API_KEY: SIMULATOR_KEY,
      MESH_STRIPE_URL: cards.url(),
    },
    async stop() {
      await agent.stop();
      await cards.remove();
      await rm(scratch, { recursive: true, force: true });
    },
  };
}

export interface Registered {
  readonly address: string;
  readonly port: number;
}

/** The healthy instances of a service, as the registry answers whoever looks for it. */
export async function healthyInstances(agent: EmbeddedAgent, service: string): Promise<Registered[]> {
  const response = await fetch(`${agent.url}/v1/health/service/${service}?passing=true`, { headers: { connection: 'close' } });
  const entries = (await response.json()) as { Service: { Address: string; Port: number } }[];
  return entries.map(({ Service }) => ({ address: Service.Address, port: Service.Port }));
}
