import { describeIntentionStore } from './conformance/intention-store.ts';
import { describeIntentionsApi } from './conformance/intentions.ts';
import type { ConsulServer } from './support/consul-server.ts';

/** What we rely on for intentions, asked of any server that speaks Consul's HTTP API. */
export function describeConsulIntentions(name: string, start: (this: Mocha.Context) => Promise<ConsulServer>): void {
  describe(`${name}, as the keeper of intentions`, function () {
    this.timeout(30_000);
    let server: ConsulServer | undefined;
    const current = (): ConsulServer => {
      if (!server) throw new Error('the server was not started');
      return server;
    };
    before(async function () {
      this.timeout(60_000);
      server = await start.call(this);
    });
    after(() => server?.stop());

    describeIntentionsApi(() => current().httpAddr);
    describeIntentionStore(current);
  });
}
