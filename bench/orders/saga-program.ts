import { ProxyTracerProvider } from '@opentelemetry/api';

import { migrate, openDatabase } from '#database';
import { newId, silentLog, systemClock, systemRandom } from '#kit';
import { createSagaRunner, type SagaDefinition, sagaMigrations } from '#saga';

import { answerParent } from '../rpc/parent.ts';
import { keepRunning } from './keep-running.ts';
import { type SagaLoad, STEPS } from './saga-steps.ts';

/** Our saga runner alone, with steps that do nothing. */
const { databaseUrl: url }: { readonly databaseUrl: string } = JSON.parse(process.argv[2] ?? '{}');
await migrate({ url, schema: 'bench', components: [sagaMigrations], log: silentLog, mayCreateDatabase: true });
const common = { log: silentLog, clock: systemClock, random: systemRandom, tracer: new ProxyTracerProvider().getTracer('none') };
const database = openDatabase({ ...common, url, schema: 'bench', maxConnections: 10, applicationName: 'bench' });

const definition: SagaDefinition<object> = {
  name: 'nothing',
  steps: Array.from({ length: STEPS }, (_, n) => ({ name: `step ${n}`, action: async () => {} })),
  pivot: { step: `step ${STEPS - 1}`, refusals: [] },
  onFinished: async () => {},
};
const runner = createSagaRunner([definition], { ...common, database });
runner.start();

async function runOne(): Promise<void> {
  const sagaId = newId(systemClock, systemRandom);
  const saga = await database.transaction('bench.begin', (tx) => runner.begin(tx, definition, { sagaId, subject: sagaId, state: {} }));
  const outcome = await saga.run();
  if (outcome?.kind !== 'completed') throw new Error('a saga did not end as it should');
}

answerParent({}, { measure: async (load: SagaLoad) => STEPS * (await keepRunning(runOne, load)) });
