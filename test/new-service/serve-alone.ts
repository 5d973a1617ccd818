import type { DescService } from '@bufbuild/protobuf';
import { trace } from '@opentelemetry/api';

import { migrate } from '#database';
import { createPostgresBus } from '#events';
import { silentLog, systemClock, systemRandom } from '#kit';
import { type Client, createMesh } from '#mesh';
import { loadModule, type ModuleName } from '#modules';

import { openTestDatabase } from '../database/open-test-database.ts';
import { createTestDatabase } from '../database/postgres-fixture.ts';

/** One service without its siblings, called through its contract, on empty tables in a real Postgres. */
export interface ServiceAlone<S extends DescService> {
  readonly client: Client<S>;
  stop(): Promise<void>;
}

/** Serves one that needs no sibling and no setting. Its calls go through every link of the chain, and through their bytes. */
export async function serveAlone<S extends DescService>(name: ModuleName, contract: S): Promise<ServiceAlone<S>> {
  const service = await loadModule(name);
  const place = await createTestDatabase();
  await migrate({ url: place.url, schema: service.name, components: service.migrations, log: silentLog });
  const database = openTestDatabase({ url: place.url, schema: service.name });
  const tracer = trace.getTracer('test');
  const openChannel = (sibling: string): never => {
    throw new Error(`${name} called ${sibling}, and is alone here`);
  };
  const mesh = createMesh({ clock: systemClock, log: silentLog, openChannel, localCalls: 'fidelity' });
  const ours = { database, clock: systemClock, random: systemRandom, log: silentLog };
  // It consumes nothing, so nothing of the bus is opened.
  const bus = createPostgresBus(ours);
  const { handlers } = service.build({ ...ours, clients: {}, bus, settings: {}, tracer, sagaHooks: {}, eventHooks: {} });
  mesh.host({ contract: service.contract, handlers, tracer, log: silentLog, check: database.ping });
  return {
    client: mesh.client(contract, { service: '', tracer }),
    async stop() {
      await mesh.stop();
      await database.stop();
      await place.drop();
    },
  };
}
