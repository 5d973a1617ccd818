import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import type { SupervisorStatus } from '../cli/local/control-socket.ts';
import { askSupervisor } from '../cli/local/control-socket.ts';
import { dataFolder } from '../cli/local/data-folder.ts';
import { MODULE_NAMES } from '#modules';

import { type Figure, judge, median } from './figure.ts';
import type { BenchOptions } from './bench.ts';

const MESH = join(import.meta.dirname, '..', 'cli', 'mesh.js');
const MB = 2 ** 20;

const AIMS = {
  micro: { coldS: 5, warmS: 3, memoryMb: 600 },
  monolith: { coldS: 3.5, warmS: 1.5, memoryMb: 200 },
} as const;

type Topology = keyof typeof AIMS;

interface Run {
  readonly seconds: number;
  readonly memory: Memory;
}

/** Proportional set size in MB: memory shared by several processes counts once. */
interface Memory {
  readonly services: number;
  /** The supervisor, which hosts the stand-ins, and the guardian of Postgres. */
  readonly standIns: number;
  readonly postgres: number;
}

/** Starts the shop again and again, cold (no data yet) and warm, in both topologies by turns. */
export async function bench({ progress, quick }: BenchOptions): Promise<readonly Figure[]> {
  const rounds = quick ? 1 : 5;
  const cold: Record<Topology, Run[]> = { micro: [], monolith: [] };
  const warm: Record<Topology, Run[]> = { micro: [], monolith: [] };
  for (let round = 1; round <= rounds; round += 1) {
    for (const topology of ['micro', 'monolith'] as const) {
      const folder = await mkdtemp('/tmp/shopmesh-bench-');
      try {
        cold[topology].push(await start(folder, topology));
        warm[topology].push(await start(folder, topology));
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
      progress(`${topology}, round ${round} of ${rounds}: cold ${cold[topology].at(-1)?.seconds.toFixed(2)} s, warm ${warm[topology].at(-1)?.seconds.toFixed(2)} s`);
    }
  }
  return (['micro', 'monolith'] as const).flatMap((topology) => figuresOf(topology, cold[topology], warm[topology]));
}

function figuresOf(topology: Topology, cold: readonly Run[], warm: readonly Run[]): Figure[] {
  const aims = AIMS[topology];
  const memory = (pick: (memory: Memory) => number): number => median(warm.map((run) => pick(run.memory)));
  return [
    judge({ figure: `start.cold_s (${topology})`, value: median(cold.map(({ seconds }) => seconds)), unit: 's', aim: { atMost: aims.coldS } }),
    judge({ figure: `start.warm_s (${topology})`, value: median(warm.map(({ seconds }) => seconds)), unit: 's', aim: { atMost: aims.warmS } }),
    judge({ figure: `memory.${topology}_mb`, value: memory(({ services }) => services), unit: 'MB', aim: { atMost: aims.memoryMb } }),
    judge({ figure: `memory.${topology}_stand_ins_mb`, value: memory(({ standIns }) => standIns), unit: 'MB' }),
    judge({ figure: `memory.${topology}_postgres_mb`, value: memory(({ postgres }) => postgres), unit: 'MB' }),
  ];
}

/** One start: the seconds from the command to the sample order's final state, and the memory of the shop then. */
async function start(folder: string, topology: Topology): Promise<Run> {
  const ports = Object.fromEntries(MODULE_NAMES.map((name) => [`MESH_PORT_${name.toUpperCase()}`, '0']));
  const began = Date.now();
  const shop = spawn(process.execPath, [MESH, 'up', '--demo', '--json', '--topology', topology], {
    env: { ...process.env, ...ports, MESH_DATA_DIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => shop.once('exit', () => resolve()));
  try {
    for await (const line of createInterface({ input: shop.stdout })) {
      const updated = finalTime(line);
      if (updated === undefined) continue;
      const status = await askSupervisor(dataFolder(folder).controlSocket);
      if (!status) throw new Error('the shop ended while it was measured');
      return { seconds: (updated - began) / 1_000, memory: memoryOf(status) };
    }
    throw new Error(`the shop did not start; see what it wrote above`);
  } finally {
    shop.kill('SIGTERM');
    await ended;
  }
}

/** When the sample order reached its final state: written by the database, on this machine's clock. */
function finalTime(line: string): number | undefined {
  const answer: { order?: { updateTime?: string } } = JSON.parse(line);
  return answer.order?.updateTime ? Date.parse(answer.order.updateTime) : undefined;
}

function memoryOf({ pid, processes }: SupervisorStatus): Memory {
  const services = new Set(processes.flatMap((entry) => (entry.pid ? [entry.pid] : [])));
  const others = descendants(pid).filter((child) => !services.has(child));
  const isPostgres = (child: number): boolean => commandOf(child).includes('postgres') && !commandOf(child).includes('node');
  const sum = (pids: readonly number[]): number => pids.reduce((total, each) => total + proportionalMb(each), 0);
  return {
    services: sum([...services]),
    standIns: sum([pid, ...others.filter((child) => !isPostgres(child))]),
    postgres: sum(others.filter(isPostgres)),
  };
}

/** Every process below `pid`, from the parents that /proc names. */
function descendants(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const parent = /^PPid:\s+(\d+)/m.exec(readProc(`${entry}/status`))?.[1];
    if (parent) parents.set(Number(entry), Number(parent));
  }
  const isBelow = (child: number): boolean => {
    for (let at = parents.get(child); at !== undefined && at > 0; at = parents.get(at)) if (at === pid) return true;
    return false;
  };
  return [...parents.keys()].filter(isBelow);
}

function commandOf(pid: number): string {
  return readProc(`${pid}/cmdline`);
}

function proportionalMb(pid: number): number {
  const kilobytes = /^Pss:\s+(\d+) kB/m.exec(readProc(`${pid}/smaps_rollup`))?.[1];
  return (Number(kilobytes ?? 0) * 1_024) / MB;
}

/** A process may end while it is looked at: then there is nothing to read. */
function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return '';
  }
}
