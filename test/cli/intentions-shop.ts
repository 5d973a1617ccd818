import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { connectConsul, type ConsulControlPlane } from '#discovery';
import { silentLog, systemClock, systemRandom } from '#kit';

import { startEmbedded } from '../discovery/support/consul-server.ts';
import { meshHere } from './support/in-process.ts';
import type { Finished } from './support/mesh-command.ts';
import { inherited } from './support/shop-folder.ts';

/** An intention as `mesh intentions list --json` has it. */
export interface Listed {
  readonly source: string;
  readonly destination: string;
  readonly action?: string;
  readonly permissions?: readonly { readonly action: string; readonly path?: { readonly kind: string; readonly value: string } }[];
  readonly precedence: number;
  readonly description: string;
}

/** Path of the methods of the payment service. */
export const PAYMENT = '/shop.payment.v1.PaymentService';

/** An embedded agent, and `mesh` beside it. */
export interface IntentionsShop {
  readonly plane: ConsulControlPlane;
  run(...args: string[]): Promise<Finished>;
  /** What it answers; fails unless it succeeds. */
  ok(...args: string[]): Promise<string>;
  list(...filter: string[]): Promise<readonly Listed[]>;
  /** `deny /Refund`, for each permission of the only intention. */
  permissions(): Promise<readonly string[]>;
  clear(): Promise<void>;
  stop(): Promise<void>;
}

export async function startIntentionsShop(): Promise<IntentionsShop> {
  const folder = await mkdtemp(join(tmpdir(), 'shopmesh-intentions-'));
  const agent = await startEmbedded();
  const plane = await connectConsul({ address: agent.httpAddr, clock: systemClock, random: systemRandom, log: silentLog });
  const run = (...args: string[]): Promise<Finished> => meshHere(args, { ...inherited(), MESH_DATA_DIR: join(folder, 'data'), CONSUL_HTTP_ADDR: agent.httpAddr });
  async function ok(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await run(...args);
    expect(exitCode, stderr).to.equal(0);
    return stdout;
  }
  const list = async (...filter: string[]) => JSON.parse(await ok('intentions', 'list', '--json', ...filter)) as Listed[];
  return {
    plane,
    run,
    ok,
    list,
    permissions: async () => {
      const [only, ...others] = await list();
      expect(others).to.deep.equal([]);
      return (only?.permissions ?? []).map(({ action, path }) => `${action} ${path?.value.replace(PAYMENT, '')}`);
    },
    clear: async () => {
      for (const { source, destination } of await plane.intentions.list()) await plane.intentions.delete(source, destination);
    },
    stop: async () => {
      await plane.stop();
      await agent.stop();
      await rm(folder, { recursive: true });
    },
  };
}
