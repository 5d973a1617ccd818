import { loopback } from './free-port.ts';
import { requireBackend } from './locate.ts';
import { probe } from './probe.ts';
import { startServer } from './start-server.ts';

export type StripeMock = {
  readonly host: string;
  readonly port: number;
  pid(): number;
  stop(): Promise<void>;
};

export type StripeMockOptions = { readonly lifetimeMs?: number };

/** stripe-mock in clear text; it takes any free port and prints it. It keeps no state between calls. */
export async function startStripeMock(options: StripeMockOptions = {}): Promise<StripeMock> {
  let port = 0;
  const started = await startServer({
    name: 'stripe-mock',
    command: await requireBackend('stripe-mock'),
    lifetimeMs: options.lifetimeMs,
    plan: async () => ({
      address: undefined,
      // Asked for HTTP alone by address, it would open HTTPS on 12112 of every interface as well.
      args: ['-http-addr', `${loopback}:0`, '-https-addr', `${loopback}:0`],
      isReady: async (server) => {
        port = Number(/Listening for HTTP at address: \S+:(\d+)/.exec(server.output())?.[1] ?? 0);
        return port !== 0 && (await probe(`http://${loopback}:${port}/`)) !== undefined;
      },
    }),
  });
  return { host: loopback, port, pid: () => started.server().pid, stop: () => started.stop() };
}
