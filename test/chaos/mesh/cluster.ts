import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type EmbeddedAgent, startAgent } from '#discovery/agent';
import { silentLog, systemClock } from '#kit';

import { seededRandom } from '../../kit/support.ts';
import { type AgentDoor, openAgentDoor } from './agent-door.ts';
import { ended, heard } from './child.ts';
import { type Load, loadOf } from './load.ts';
import type { ChurnReport, ChurnSettings, HostileReport, HostileSettings, LoadSettings, NodeSettings } from './messages.ts';
import { type Node, nodeOf } from './node.ts';

/** A program that has not ended by itself by then is killed: a run must not leave anything behind. */
const LONGEST_MS = 600_000;

/** What a run may set; the rest is the same for all. */
export type NodeOptions = Partial<Omit<NodeSettings, 'consul' | 'effectsFile' | 'name'>> & { readonly name: string };
export type LoadOptions = Partial<Omit<LoadSettings, 'consul'>> & Pick<LoadSettings, 'perSecond'>;

/** Processes on loopback that find each other through an embedded agent. */
export interface Cluster {
  /** What stands between everybody and the agent. */
  readonly agent: AgentDoor;
  node(options: NodeOptions): Promise<Node>;
  load(options: LoadOptions): Promise<Load>;
  /** Calls that are cancelled and channels that are closed, many of them, in a process of their own. */
  churn(options: Pick<ChurnSettings, 'calls' | 'channels' | 'putsAway'>): Promise<ChurnReport>;
  /** Every attack in turn. `attacked` hears of each; resolves after the last. What they hold open stays until the end. */
  beHostileTo(node: Node, scale: number, attacked: (attack: string) => void): Promise<() => Promise<void>>;
  /** The effects of `apply` so far: one id for each. */
  effects(): readonly string[];
  stop(): Promise<void>;
}

/** `policy`: what MESH_POLICY is in every process; empty: the defaults. */
export async function startCluster(seed: number, policy: string): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'shopmesh-chaos-'));
  const effectsFile = join(folder, 'effects');
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  // A run that is broken off stops nothing.
  process.once('exit', remove);
  const inner: EmbeddedAgent = await startAgent({
    ...{ dataDir: folder, host: '127.0.0.1', port: 0 },
    ...{ log: silentLog, clock: systemClock, random: seededRandom(seed) },
  });
  const agent = await openAgentDoor(inner.url);
  const children = new Set<ChildProcess>();
  let started = 0;

  function start(program: string, settings: object): ChildProcess {
    const child = fork(join(import.meta.dirname, program), [JSON.stringify(settings)], { execArgv: ['--expose-gc'] });
    const tooLong = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS);
    children.add(child);
    child.once('exit', () => {
      clearTimeout(tooLong);
      children.delete(child);
    });
    return child;
  }

  const common = () => ({ consul: agent.url, policy, zone: 'local', seed: seed + (started += 1), heedsHints: true, naive: false });

  return {
    agent,
    async node(options) {
      const settings: NodeSettings = { ...common(), service: 'load', port: 0, workers: 8, serviceMs: 10, drains: true, limits: true, effectsFile, ...options };
      const child = start('node-program.ts', settings);
      const { port } = await heard(child, 'listening');
      return nodeOf(settings.name, port, child);
    },
    async load(options) {
      const settings: LoadSettings = { ...common(), service: 'load', durationMs: LONGEST_MS, mix: { read: 1 }, deadlineMs: 500, ...options };
      const child = start('load-program.ts', settings);
      await heard(child, 'ready');
      return loadOf(child);
    },
    churn: (options) => heard(start('churn-program.ts', { ...common(), ...options } satisfies ChurnSettings), 'churned'),
    async beHostileTo({ port }, scale, attacked) {
      const child = start('hostile/hostile-program.ts', { port, scale, seed: common().seed } satisfies HostileSettings);
      child.on('message', (report: HostileReport) => report.kind === 'attacked' && attacked(report.name));
      await heard(child, 'over');
      return async () => {
        await ended(child, 'SIGKILL');
        children.delete(child);
      };
    },
    effects: () => readEffects(effectsFile),
    async stop() {
      await Promise.all([...children].map((child) => ended(child, 'SIGKILL')));
      await agent.stop();
      await inner.stop();
      remove();
      process.off('exit', remove);
    },
  };
}

function readEffects(file: string): readonly string[] {
  return readFileSync(file, 'utf8').split('\n').filter(Boolean);
}

/** Ids of effects that there were more than once. */
export function duplicatesOf(effects: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  return effects.filter((id) => seen.size === seen.add(id).size);
}
