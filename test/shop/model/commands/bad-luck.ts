import { expect } from 'chai';

import { systemClock } from '#kit';
import type { ModuleName } from '#modules';

import { expectAgreement } from '../agreement.ts';
import type { RealShop } from '../real-shop.ts';
import { MAX_KILLS } from '../trouble.ts';
import type { ShopCommand } from './command.ts';
import { allServe, postgresPid, send } from './processes.ts';

/** Twice the lease of a saga, and some. */
const STALL_MS = 2_500;

/** What goes on when somebody is killed, and how long it has been going on by then: the moment is part of the history. */
export interface Meanwhile {
  readonly ordering: ShopCommand;
  readonly afterMs: number;
}

/** `kill -9` of an instance. What goes on meanwhile, or comes next, meets what is left of the shop. */
export function killInstance(service: ModuleName, drawn: number, meanwhile?: Meanwhile): ShopCommand {
  return killing(`an instance of ${service}`, meanwhile, (real) => instanceOf(real, service, drawn));
}

/** `kill -9` of Postgres, and of all that the services had open there. */
export function killPostgres(meanwhile?: Meanwhile): ShopCommand {
  return killing('Postgres', meanwhile, async (real) => ({ name: 'Postgres', pid: postgresPid(real.shop) }));
}

function killing(what: string, meanwhile: Meanwhile | undefined, find: (real: RealShop) => Promise<{ name: string; pid: number | undefined }>): ShopCommand {
  const moment = meanwhile ? ` after ${meanwhile.afterMs} ms of what follows` : '';
  return {
    check: ({ kills }) => kills < MAX_KILLS,
    toString: () => `kill ${what}${moment}: ${meanwhile?.ordering.toString() ?? ''}`,
    async run(model, real) {
      const { name, pid } = await find(real);
      real.journal.push(`kill ${name}${moment}`);
      model.kills += 1;
      real.disturbed = true;
      const kill = async (): Promise<void> => {
        await systemClock.sleep(meanwhile?.afterMs ?? 0);
        send(pid, 'SIGKILL');
      };
      await allOf(meanwhile?.ordering.run(model, real), kill());
      await expectAgreement(model, real, model.orders.map((_, number) => number).slice(-1));
    },
  };
}

/**
 * An instance gets no time for a while, longer than its sagas wait for it: it then goes on
 * where it was, though others have taken over what it did.
 */
export function stallInstance(service: ModuleName, drawn: number, { ordering, afterMs }: Meanwhile): ShopCommand {
  const moment = `for ${STALL_MS} ms, after ${afterMs} ms of what follows`;
  return {
    check: ({ kills }) => kills < MAX_KILLS,
    toString: () => `stop an instance of ${service} ${moment}: ${ordering.toString()}`,
    async run(model, real) {
      const { name, pid } = await instanceOf(real, service, drawn);
      real.journal.push(`stop ${name} ${moment}`);
      model.kills += 1;
      const stall = async (): Promise<void> => {
        await systemClock.sleep(afterMs);
        send(pid, 'SIGSTOP');
        await systemClock.sleep(STALL_MS);
        send(pid, 'SIGCONT');
      };
      await allOf(ordering.run(model, real), stall());
    },
  };
}

/** As Promise.all, but nothing is still going on when it rejects. */
export async function allOf(...works: readonly (Promise<void> | undefined)[]): Promise<void> {
  await Promise.allSettled(works);
  await Promise.all(works);
}

async function instanceOf(real: RealShop, service: ModuleName, drawn: number): Promise<{ name: string; pid: number | undefined }> {
  const instances = (await allServe(real)).filter((instance) => instance.service === service);
  const { process: name, pid } = instances[drawn % instances.length] ?? expect.fail(`there is no instance of ${service}`);
  return { name, pid };
}
