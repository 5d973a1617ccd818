import { Command, Option } from 'commander';

import type { Bench } from './bench.ts';
import { recordFigures, renderFigures } from './results.ts';

const BENCHES: Readonly<Record<string, { readonly what: string; load(): Promise<{ bench: Bench }> }>> = {
  start: { what: 'time from `mesh up` to a placed order, and memory of the running shop', load: () => import('./start.ts') },
  rpc: { what: 'calls per second through the whole runtime, against bare grpc-js', load: () => import('./rpc/bench.ts') },
};

const list = Object.entries(BENCHES).map(([name, { what }]) => `  ${name.padEnd(8)}${what}`);

const program = new Command('npm run bench')
  .description('Measures one aspect of shopmesh beside its peers, in one run.')
  .argument('<name>', 'what to measure')
  .option('--json', 'one JSON document a figure')
  .option('--record', 'add the figures to bench/RESULTS.md')
  .addOption(new Option('--quick', 'few and short slices'))
  .addHelpText('after', `\nNames:\n${list.join('\n')}\n\nWith npm: npm run bench rpc -- --json`)
  .action(async (name: string, { json, record, quick = false }: { json?: boolean; record?: boolean; quick?: boolean }) => {
    const found = BENCHES[name];
    if (!found) return program.error(`there is no benchmark ${name}; there are ${Object.keys(BENCHES).join(', ')}`);
    const { bench } = await found.load();
    const figures = await bench({ quick, progress: (line) => void process.stderr.write(`${line}\n`) });
    process.stdout.write(json ? figures.map((figure) => `${JSON.stringify(figure)}\n`).join('') : `${renderFigures(figures)}\n`);
    if (record) recordFigures(name, figures, new Date());
  });

await program.parseAsync();
process.exit(0);
