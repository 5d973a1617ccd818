import type { ConsulServer } from './support/consul-server.ts';
import { describeCatalog } from './conformance/catalog.ts';
import { describeKeyValues } from './conformance/key-values.ts';
import { describeMesh } from './conformance/mesh.ts';

/**
 * What our client relies on, asked of any server that speaks Consul's HTTP API:
 * the embedded agent must answer as Consul does.
 */
export function describeConsul(name: string, start: (this: Mocha.Context) => Promise<ConsulServer>): void {
  describe(`${name}, as a control plane`, function () {
    this.timeout(30_000);
    let server: ConsulServer | undefined;
    const current = (): ConsulServer => server ?? expectServer();
    before(async function () {
      this.timeout(60_000);
      server = await start.call(this);
    });
    after(() => server?.stop());

    describeCatalog(() => current().httpAddr);
    describeKeyValues(() => current().httpAddr);
    describeMesh(current);
  });
}

function expectServer(): never {
  throw new Error('the server was not started');
}
