export { type EmbeddedAgent, type EmbeddedAgentOptions, startAgent } from './start.ts';
