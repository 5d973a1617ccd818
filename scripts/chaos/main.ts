// npm run chaos: the long runs of what `npm test` only samples. See --help.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, 'test', 'chaos');
const suffix = '.long.test.ts';
const names = readdirSync(folder).filter((file) => file.endsWith(suffix)).map((file) => file.slice(0, -suffix.length));

const help = `Usage: npm run chaos -- <name…> [--seed TEXT] [--rounds N] [--quick] [--only NAMES] [--write]

The long runs of what \`npm test\` only samples: ${names.join(', ')}.

  --seed TEXT  repeats the run that printed it; default: a new one
  --rounds N   how long, for runs that go on at random (shop: 20)
  --quick      mesh, orders: fewer faults, for a shorter time
  --only NAMES mesh, orders: these rows alone, such as kill,stall; it names them all when it does not know one
  --write      failures: write the table in docs/orders.md, if all of them end as it says
`;

async function run(): Promise<number> {
  const options = {
    seed: { type: 'string' },
    rounds: { type: 'string' },
    quick: { type: 'boolean' },
    only: { type: 'string' },
    write: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (values.help) return say(help, 0);
  const unknown = positionals.find((name) => !existsSync(join(folder, `${name}${suffix}`)));
  if (positionals.length === 0 || unknown !== undefined) return say(`${unknown === undefined ? 'Name at least one run' : `There is no run ${unknown}`}.\n\n${help}`, 2);
  const seed = values.seed ?? String(Date.now());
  say(`seed ${seed}\n`, 0);
  const environment = {
    ...process.env,
    ...{ CHAOS_SEED: seed, CHAOS_ROUNDS: values.rounds ?? '', CHAOS_ONLY: values.only ?? '' },
    ...{ CHAOS_QUICK: values.quick ? 'true' : '', CHAOS_WRITE: values.write ? 'true' : '' },
  };
  const files = positionals.map((name) => join('test', 'chaos', `${name}${suffix}`));
  const child = spawn(process.execPath, [join(root, 'scripts', 'test', 'main.ts'), ...files], { cwd: root, stdio: 'inherit', env: environment });
  // Ctrl-C reaches the child too, which ends its tests and then itself.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

function say(text: string, code: number): number {
  process[code === 0 ? 'stdout' : 'stderr'].write(text);
  return code;
}

process.exitCode = await run();
