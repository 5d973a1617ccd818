import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from 'chai';

import { errorCode } from '#kit';

import type { RunInstance } from '../../../../cli/local/control-messages.ts';
import { until } from '../../orders.ts';
import type { Fleet, RealShop } from '../real-shop.ts';

const SERVED_AGAIN_WITHIN_MS = 60_000;

/** Resolves with the instances of the history's services once all of them serve. */
export function allServe({ shop, fleet }: Pick<RealShop, 'shop' | 'fleet'>): Promise<readonly RunInstance[]> {
  return until('every instance serves', SERVED_AGAIN_WITHIN_MS, async () => {
    const { instances, missing } = await shop.supervisor.scale({ counts: fleet, allowNone: false });
    return missing.length === 0 && instances.every(({ pid }) => isAlive(pid)) ? instances : undefined;
  });
}

export async function startFleet(shop: RealShop['shop'], fleet: Fleet): Promise<void> {
  const { missing } = await shop.supervisor.scale({ counts: fleet, allowNone: false });
  if (missing.length > 0) expect.fail(missing.map(({ process: name, reason }) => `${name} does not serve: ${reason}`).join('\n'));
}

/** Of the shop's embedded Postgres. */
export function postgresPid(shop: Pick<RealShop['shop'], 'environment'>): number {
  const pidFile = join(shop.environment['MESH_DATA_DIR'] ?? '', 'postgres', 'cluster', 'postmaster.pid');
  return Number(readFileSync(pidFile, 'utf8').split('\n')[0]);
}

function isAlive(pid: number | undefined): boolean {
  return send(pid, 0);
}

/** False when there is no such process any more. */
export function send(pid: number | undefined, signal: NodeJS.Signals | 0): boolean {
  try {
    return pid !== undefined && process.kill(pid, signal);
  } catch (thrown) {
    if (errorCode(thrown) === 'ESRCH') return false;
    throw thrown;
  }
}
