// npm run test:attacks: every attack on the shop, with its guard and without. See --help.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { backendsFolder, binaryPath } from '../backends/folders.ts';
import { gapsIn, readResults, renderReport, REPORT_VARIABLE } from './report.ts';

const root = join(import.meta.dirname, '..', '..');

const help = `Usage: npm run test:attacks -- [test file…] [--seed TEXT] [--quick] [--only NAMES]

Every attack that must fail, and each again with its guard taken away, when it must succeed.
Prints a table and the counts. \`npm test\` runs the same with fewer inputs each (--quick).
Exit code: 0 all were refused, and succeed without their guard; 1 one was not, or not run.

  --seed TEXT   repeats the run that printed it; default: a new one
  --quick       as in \`npm test\`
  --only NAMES  these attacks alone, such as token-expired,sql
`;

async function run(): Promise<number> {
  const options = { seed: { type: 'string' }, quick: { type: 'boolean' }, only: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const seed = values.seed ?? String(Date.now());
  process.stdout.write(`seed ${seed}\n`);
  const folder = mkdtempSync(join(tmpdir(), 'shopmesh-attacks-'));
  try {
    const report = join(folder, 'results');
    const environment = { ATTACKS_SEED: seed, ATTACKS_FULL: values.quick ? '' : 'true', ATTACKS_ONLY: values.only ?? '', [REPORT_VARIABLE]: report };
    const code = await runTests(positionals, environment);
    const results = existsSync(report) ? readResults(report) : [];
    const gaps = gapsIn(results, (values.only ?? '').split(',').filter(Boolean));
    process.stdout.write(`\n${[renderReport(results), ...leftOut(), ...gaps].join('\n')}\n`);
    return code === 0 && gaps.length > 0 ? 1 : code;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the tests skip where it is not there, unless CI=true. */
function leftOut(): string[] {
  if (existsSync(binaryPath(backendsFolder(process.env), 'consul'))) return [];
  return ['Consul is not installed, so nothing was tried on it; `npm run backends -- consul` installs it.'];
}

async function runTests(files: readonly string[], environment: Readonly<Record<string, string>>): Promise<number> {
  const tests = files.length > 0 ? files : [join('test', 'attacks')];
  const child = spawn(process.execPath, [join(root, 'scripts', 'test', 'main.ts'), ...tests], { cwd: root, stdio: 'inherit', env: { ...process.env, ...environment } });
  // Ctrl-C reaches the child too, which ends its tests and then itself.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

process.exitCode = await run();
