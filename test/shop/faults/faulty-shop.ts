import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type Shop, type Topology, startShop } from '../shop-fixture.ts';
import { armFault, type Fault } from './fault.ts';

/** Program that runs services with faults composed in. */
export const FAULTY = join(import.meta.dirname, 'faulty.ts');

/** A shop whose processes meet the faults that are laid down for them. */
export interface FaultyShop extends Shop {
  arm(fault: Fault): ReturnType<typeof armFault>;
}

export async function startFaultyShop(topology: Topology, settings: Readonly<Record<string, string>> = {}): Promise<FaultyShop> {
  const folder = mkdtempSync(join(tmpdir(), 'shopmesh-faults-'));
  const shop = await startShop({ topology, launcher: FAULTY, settings: { ...settings, FAULT_DIR: folder } });
  return {
    ...shop,
    arm: (fault) => armFault(folder, fault),
    async stop() {
      await shop.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
