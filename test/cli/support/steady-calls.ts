import { MeshError, systemClock } from '#kit';
import type { Client } from '#mesh';
import { InventoryService } from '#proto/shop/inventory/v1/inventory_pb.js';

import { createCaller } from '../../../cli/calling/caller.ts';
import { askEnvironment } from '../../../cli/local/control-socket.ts';
import { loadSettings } from '../../../cli/settings.ts';
import { eventually } from './eventually.ts';

/** Callers that ask the inventory without a pause, through discovery. */
export interface SteadyCalls {
  /** Waits for so many more answers. */
  untilAnswered(more: number): Promise<void>;
  /** Resolves when the last call is over, with the reasons of those that failed. */
  stop(): Promise<{ readonly answered: number; readonly failures: readonly string[] }>;
}

const CALLERS = 16;

export async function startCalls(controlSocket: string): Promise<SteadyCalls> {
  const caller = await createCaller(await loadSettings(await askEnvironment(controlSocket)));
  const inventory = caller.mesh.client(InventoryService, caller);
  await inventory.setStock({ productId: 'steady', available: 1n });
  const tally: Tally = { answered: 0, failures: [], over: false };
  const calling = Promise.all(Array.from({ length: CALLERS }, () => callOn(inventory, tally)));
  return {
    untilAnswered: async (more) => {
      const goal = tally.answered + more;
      await eventually(`${more} more calls are answered`, () => tally.answered >= goal);
    },
    stop: async () => {
      tally.over = true;
      await calling;
      await caller.stop();
      return tally;
    },
  };
}

interface Tally {
  answered: number;
  readonly failures: string[];
  over: boolean;
}

async function callOn(inventory: Client<typeof InventoryService>, tally: Tally): Promise<void> {
  while (!tally.over) {
    try {
      // Long: a busy machine may hold any answer back for a while, and a call that is lost is lost for ever.
      await inventory.getStock({ productId: 'steady' }, { deadlineMs: 10_000 });
      tally.answered += 1;
    } catch (thrown) {
      const { reason, message } = MeshError.from(thrown);
      tally.failures.push(`${reason}: ${message}`);
      // Where nobody answers, failures come at once.
      await systemClock.sleep(5);
    }
  }
}
