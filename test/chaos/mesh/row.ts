import { type Cluster, startCluster } from './cluster.ts';

/** Whether a run showed what it must, and the numbers it shows it by. */
export interface Verdict {
  readonly holds: boolean;
  readonly facts: string;
}

export type Size = 'full' | 'quick' | 'smoke';

/** How one run of a row is to be done. */
export interface Terms {
  readonly seed: number;
  /** `quick`: fewer rounds and shorter spans. `smoke`: as few and as short as the fault can be seen in at all. */
  readonly size: Size;
  /** `off`: with the mechanism that the row is about switched off; then it must not hold. */
  readonly mechanism: 'on' | 'off';
}

/** One fault, and what callers must not notice of it. */
export interface Row {
  /** The fault, and for `--only` its short name. */
  readonly name: string;
  readonly fault: string;
  readonly must: string;
  /** What is off when it is off. */
  readonly mechanism: string;
  run(terms: Terms): Promise<Verdict>;
}

/** MESH_POLICY with sections that are switched off for every service. */
export function without(...sections: readonly string[]): string {
  return JSON.stringify({ '*': Object.fromEntries(sections.map((section) => [section, { enabled: false }])) });
}

/** Runs `act` in a cluster of its own, which is gone afterwards whatever happens. */
export async function inCluster(seed: number, policy: string, act: (cluster: Cluster) => Promise<Verdict>): Promise<Verdict> {
  const cluster = await startCluster(seed, policy);
  try {
    return await act(cluster);
  } finally {
    await cluster.stop();
  }
}

/** Until so long after `from`, milliseconds since the epoch: the script of a run, not a wait for something to happen. */
export async function at(from: number, ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, from + ms - Date.now())));
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}
