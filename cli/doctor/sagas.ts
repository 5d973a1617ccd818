import type { ModuleName } from '#modules';
import { type FailingSagas, findFailing, listSagas, type SagaRecord, sagaMigrations } from '#saga';

import { modulesWith } from '../serving/modules-with.ts';
import { type Check, fail, type Finding, ok, orElse, type Scene, skip, warn } from './check.ts';
import { readTables } from './databases.ts';

/** As many are counted; whoever has more has one trouble many times. */
const MOST = 100;

/** A try that fails once is nothing: a step is tried again after 0.1 s. */
const MIN_ATTEMPTS = 2;

/** Sagas that are parked until somebody decides, and those whose step fails again and again, in the tables of every service that runs any. */
export const sagas: Check = {
  name: 'sagas',
  async run({ settings }: Scene) {
    const named = (await modulesWith(sagaMigrations)).filter((name) => settings.databaseUrls[name] !== '');
    if (named.length === 0) return [skip('no database is named here; the one of `mesh up` runs with the shop')];
    const found = await Promise.all(named.map((name) => lookAtSagas(name, settings.ownerUrls[name])));
    return orElse(found.flat(), ok('none is stuck, and none is held up'));
  },
};

async function lookAtSagas(name: ModuleName, url: string): Promise<Finding[]> {
  const sight = await readTables(url, name, async (database) => {
    const stuck = await listSagas(database, { status: 'STUCK' }, { size: MOST, after: undefined });
    return [...stuckOnes(name, stuck), ...failingOnes(name, await findFailing(database, MIN_ATTEMPTS))];
  });
  return sight?.found ?? [skip(`those of ${name} cannot be read`)];
}

function stuckOnes(name: ModuleName, stuck: readonly SagaRecord[]): Finding[] {
  const [first] = stuck;
  if (!first) return [];
  const count = stuck.length > MOST ? `more than ${MOST} sagas` : `${stuck.length} ${stuck.length === 1 ? 'saga' : 'sagas'}`;
  const why = first.lastError ? ` for ${first.lastError.reason}` : '';
  return [
    fail(
      `${count} of ${name} ${stuck.length === 1 ? 'is' : 'are'} stuck, such as ${nameOf(first)}${why}`,
      `see \`npx mesh saga list --state stuck\`; when the cause is mended, \`npx mesh saga retry ${first.sagaId} --why …\` lets it go on`,
    ),
  ];
}

/** The saga of a new order has the order's id. */
function nameOf({ sagaId, subject }: Pick<SagaRecord, 'sagaId' | 'subject'>): string {
  return subject === sagaId ? sagaId : `${sagaId} (${subject})`;
}

function failingOnes(name: ModuleName, failing: FailingSagas | undefined): Finding[] {
  if (!failing) return [];
  const { count, worst } = failing;
  const { sagaId, attempt, lastError } = worst;
  const says = `${count} ${count === 1 ? 'saga' : 'sagas'} of ${name} ${count === 1 ? 'fails and is' : 'fail and are'} tried again, such as ${nameOf(worst)}, ${attempt} times so far, for ${lastError.reason}: ${lastError.message}`;
  return [warn(says, `see \`npx mesh saga show ${sagaId}\``)];
}
