import type { EmbeddedAgent, EmbeddedAgentOptions } from './agent/index.ts';

export type { EmbeddedAgent, EmbeddedAgentOptions };

/** Starts the embedded agent. Only the process that hosts it loads its code: the others meet it over HTTP. */
export async function startEmbeddedAgent(options: EmbeddedAgentOptions): Promise<EmbeddedAgent> {
  const { startAgent } = await import('./agent/index.ts');
  return startAgent(options);
}
