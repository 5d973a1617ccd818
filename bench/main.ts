import { Command, Option } from 'commander';

import type { Bench } from './bench.ts';
import { describeFigures } from './describe-figures.ts';
import { FIGURES as IDENTITY } from './identity/figures.ts';
import { FIGURES as ORDERS } from './orders/figures.ts';
import { recordFigures, renderFigures } from './results.ts';
import type { RpcBenchOptions } from './rpc/bench.ts';

const BENCHES: Readonly<Record<string, { readonly what: string; load(): Promise<{ bench: Bench }> }>> = {
  start: { what: 'time from `mesh up` to a placed order, and memory of the running shop', load: () => import('./start.ts') },
  rpc: { what: 'calls through the whole runtime, against grpc-js, nice-grpc, connect-node and Envoy sidecars', load: () => import('./rpc/bench.ts') },
  orders: { what: 'durable, traced orders through the whole shop, its sagas and its events, against the shop that is usually written, and DBOS', load: () => import('./orders/bench.ts') },
  identity: { what: 'what it costs to know who calls: handshakes, intentions, access tokens, sign-ins, and certificates that are renewed', load: () => import('./identity/bench.ts') },
};

const list = Object.entries(BENCHES).map(([name, { what }]) => `  ${name.padEnd(9)}${what}`);

interface Flags {
  readonly json?: boolean;
  readonly record?: boolean;
  readonly quick?: boolean;
  readonly only?: readonly string[];
  readonly ablate?: boolean;
  readonly profile?: boolean;
}

const program = new Command('npm run bench')
  .description('Measures one aspect of shopmesh beside its peers, in one run.')
  .argument('<name>', 'what to measure')
  .option('--json', 'one JSON document a figure')
  .option('--record', 'add the figures to bench/RESULTS.md')
  .addOption(new Option('--quick', 'few and short slices'))
  .addOption(new Option('--only <figures>', 'rpc, orders, identity: some of the figures, with commas between').argParser((text) => text.split(',').map((name) => name.replace(/^(rpc|orders|identity)\./, ''))))
  .addOption(new Option('--ablate', 'rpc: what each mechanism costs, instead of the figures').conflicts('only'))
  .addOption(new Option('--profile', 'rpc: CPU profiles of our client and server, which slow them'))
  .addHelpText('after', `\nNames:\n${list.join('\n')}\n\nFigures of orders, for --only:\n${describeFigures(ORDERS)}\n\nFigures of identity, for --only:\n${describeFigures(IDENTITY)}\n\nWith npm: npm run bench rpc -- --json`)
  .action(async (name: string, { json, record, quick = false, only, ablate, profile }: Flags) => {
    const found = BENCHES[name];
    if (!found) return program.error(`there is no benchmark ${name}; there are ${Object.keys(BENCHES).join(', ')}`);
    if (name !== 'rpc' && (ablate || profile)) return program.error(`--ablate and --profile are for rpc, not for ${name}`);
    if (name === 'start' && only) return program.error('--only is for rpc, orders and identity, not for start');
    const { bench } = await found.load();
    const options: RpcBenchOptions = { quick, only, ablate, profile, progress: (line) => void process.stderr.write(`${line}\n`) };
    const figures = await bench(options).catch((thrown: Error) => program.error(thrown.message));
    process.stdout.write(json ? figures.map((figure) => `${JSON.stringify(figure)}\n`).join('') : `${renderFigures(figures)}\n`);
    if (record) recordFigures(name, figures, new Date());
  });

await program.parseAsync();
process.exit(0);
