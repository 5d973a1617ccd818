import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedAgent, startAgent } from '#discovery/agent';
import { silentLog, systemClock, systemRandom } from '#kit';

/** A server of Consul's HTTP API that a suite can take away and bring back. */
export interface ConsulServer {
  readonly httpAddr: string;
  kill(): Promise<void>;
  /** On the same address. The embedded agent has its state again, `consul agent -dev` has none. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startEmbedded(): Promise<ConsulServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'shopmesh-agent-test-'));
  const options = { dataDir, host: '127.0.0.1', log: silentLog, clock: systemClock, random: systemRandom };
  let agent: EmbeddedAgent = await startAgent({ ...options, port: 0 });
  return {
    httpAddr: agent.url,
    kill: () => agent.stop(),
    restart: async () => {
      await agent.stop();
      agent = await startAgent({ ...options, port: agent.port });
    },
    stop: async () => {
      await agent.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
