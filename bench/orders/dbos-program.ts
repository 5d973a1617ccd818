import { DBOS } from '@dbos-inc/dbos-sdk';

import { ensureDatabase } from '#database';

import { answerParent } from '../rpc/parent.ts';
import { keepRunning } from './keep-running.ts';
import { type SagaLoad, STEPS } from './saga-steps.ts';

/** DBOS with the same number of steps that do nothing. Its own defaults, but for the connections and what it would log. */
const { databaseUrl }: { readonly databaseUrl: string } = JSON.parse(process.argv[2] ?? '{}');
await ensureDatabase(databaseUrl);
DBOS.setConfig({ name: 'bench', systemDatabaseUrl: databaseUrl, systemDatabasePoolSize: 10, logLevel: 'error' });

const workflow = DBOS.registerWorkflow(
  async () => {
    for (let n = 0; n < STEPS; n += 1) await DBOS.runStep(async () => {}, { name: `step ${n}` });
  },
  { name: 'nothing' },
);
await DBOS.launch();

answerParent({}, { measure: async (load: SagaLoad) => STEPS * (await keepRunning(() => workflow(), load)) });
