import { type Program, startProgram } from '../rpc/program.ts';
import type { Extent } from './catalogue.ts';
import type { Load, Slice } from './load.ts';
import { readPostgresSettings } from './postgres-settings.ts';
import { cpuMsOfTree, untilIdle } from './process-tree.ts';

/** A shop that is up. */
export interface RunningShop {
  /** Where it takes orders. */
  readonly port: number;
  /** The Consul from which buyers get the certificate that the port wants; left out: it takes plaintext. */
  readonly registry?: string;
  /** The database of its user service, by which buyers get access tokens; left out: it asks nobody who they are. */
  readonly usersUrl?: string;
  /** All its processes are below this one, Postgres and stand-ins too. */
  readonly pid: number;
  /** Of the catalogue that it sells. */
  readonly extent: Extent;
  /** A database of its Postgres. */
  readonly postgresUrl: string;
  stop(): Promise<void>;
}

/** A slice, and what the shop's processes used for it. */
export interface Measured extends Slice {
  readonly cpuMsPerOrder: number;
  /** How long the shop still had to do afterwards: events to hand on, notices to write. */
  readonly drainMs: number;
}

/** A shop that takes part, with buyers of its own. */
export interface Contestant<Shop extends RunningShop = RunningShop> {
  readonly title: string;
  readonly shop: Shop;
  /** Places orders until a slice has gone well, five at most: a busy machine may be too slow for the first ones. */
  warmUp(load: Load): Promise<void>;
  /** Places orders for a while; returns when nothing of them is left to do. */
  measure(load: Load): Promise<Measured>;
  /** Orders that were placed in it so far. */
  placed(): number;
  stop(): Promise<void>;
}

/** Orders that a measurement outlives when they fail, so that one stall of a busy machine does not end it. */
const MAX_FAILED = 5;
const MAX_FAILED_SHARE = 0.01;
const MAX_WARM_UPS = 5;
const DRAIN_AT_MOST_MS = 20_000;

/** Starts a shop and its buyers. Says how durable its Postgres is, and throws where a commit could be lost. */
export async function enter<Shop extends RunningShop>(title: string, start: () => Promise<Shop>, progress: (line: string) => void): Promise<Contestant<Shop>> {
  progress(`${title}: starting`);
  const shop = await start();
  const buyers = await startBuyers(title, shop, progress).catch(async (thrown: unknown) => {
    await shop.stop();
    throw thrown;
  });
  let placed = 0;

  async function place(load: Load): Promise<Slice> {
    const slice = await buyers.ask<Slice>('measure', load);
    placed += slice.orders;
    if (slice.failed > 0) progress(`${title}: ${slice.failed} of ${slice.orders} orders failed, the last one with: ${slice.failure}`);
    return slice;
  }

  return {
    title,
    shop,
    placed: () => placed,
    async warmUp(load) {
      progress(`${title}: warming up for ${(load.ms / 1_000).toFixed(1)} s`);
      for (let slices = 0; slices < MAX_WARM_UPS; slices += 1) {
        const { failed } = await place(load);
        await untilIdle(shop.pid, DRAIN_AT_MOST_MS);
        if (failed === 0) return;
      }
    },
    async measure(load) {
      const usedMs = cpuMsOfTree(shop.pid);
      const slice = await place(load);
      const { orders, failed, failure } = slice;
      if (failed > Math.max(MAX_FAILED, orders * MAX_FAILED_SHARE)) throw new Error(`${title}: ${failed} of ${orders} orders failed: this is no measurement; the last one said: ${failure}`);
      const drainMs = await untilIdle(shop.pid, DRAIN_AT_MOST_MS);
      return { ...slice, drainMs, cpuMsPerOrder: (cpuMsOfTree(shop.pid) - usedMs) / orders };
    },
    async stop() {
      await buyers.stop();
      await shop.stop();
    },
  };
}

async function startBuyers(title: string, { postgresUrl, port, registry, usersUrl, extent }: RunningShop, progress: (line: string) => void): Promise<Program<unknown>> {
  progress(`${title}: ${await readPostgresSettings(postgresUrl)}`);
  const buyers = await startProgram<unknown>('../orders/load-program', { port, registry, extent });
  // Not as an argument, which everybody on the machine sees.
  if (usersUrl !== undefined) {
    await buyers.ask('signIn', usersUrl).catch(async (thrown: unknown) => {
      await buyers.stop();
      throw thrown;
    });
  }
  return buyers;
}
