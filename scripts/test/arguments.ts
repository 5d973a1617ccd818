import { parseArgs } from 'node:util';

export const stages = ['checks', 'unit', 'embedded', 'real'] as const;
export type Stage = (typeof stages)[number];
export type Tier = Exclude<Stage, 'checks'>;

export type TestRequest =
  | { readonly action: 'help' }
  | { readonly action: 'refuse'; readonly reason: string }
  | {
      readonly action: 'run';
      readonly stages: readonly Stage[];
      /** Test files as they were typed; empty: all. */
      readonly files: readonly string[];
      readonly grep: string | undefined;
      readonly jobs: number | undefined;
    };

export function readArguments(args: readonly string[]): TestRequest {
  const options = {
    help: { type: 'boolean', short: 'h', default: false },
    only: { type: 'string', multiple: true, default: [] as string[] },
    grep: { type: 'string', short: 'g' },
    jobs: { type: 'string', short: 'j' },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    if (values.help) return { action: 'help' };
    const only = values.only.flatMap((names) => names.split(','));
    const unknown = only.find((name) => !isStage(name));
    if (unknown !== undefined) return refuse(`There is no stage "${unknown}". There are: ${stages.join(', ')}.`);
    const jobs = values.jobs === undefined ? undefined : Number(values.jobs);
    if (jobs !== undefined && !(Number.isInteger(jobs) && jobs >= 1 && jobs <= 64)) {
      return refuse(`--jobs takes a number from 1 to 64, not "${values.jobs}".`);
    }
    const { grep } = values;
    if (grep !== undefined && !isPattern(grep)) return refuse(`--grep takes a regular expression; "${grep}" is none.`);
    const narrow = positionals.length > 0 || grep !== undefined;
    const wanted = (stage: Stage): boolean => (only.length > 0 ? only.includes(stage) : !(narrow && stage === 'checks'));
    return { action: 'run', stages: stages.filter(wanted), files: positionals, grep, jobs };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return refuse(`${message.split('. ')[0] ?? message}. See --help.`);
  }
}

function isStage(name: string): name is Stage {
  return (stages as readonly string[]).includes(name);
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}

function refuse(reason: string): TestRequest {
  return { action: 'refuse', reason };
}

export const helpText = `Usage: npm test -- [options] [test file or folder…]

Runs the checks (types, lint, contracts, generated code, import table) and then
the tests in three tiers:

  unit      starts no process
  embedded  starts stand-ins, embedded Postgres and processes of the shop
  real      starts real servers (Consul, Jaeger …); skipped where \`npm run backends\`
            has not installed them, unless CI=true, which skips nothing

A test file belongs to a tier by what it imports. Files or folders, or --grep,
run only those tests and no checks.

  --only STAGES  checks, unit, embedded, real; several with commas
  -g, --grep RE  only tests whose full title matches
  -j, --jobs N   run N test files at once, each in a process of its own; default:
                 4 processes, in which short files go together
  -h, --help     this text

The last line counts: N passed, N failed, N skipped. Exit code: 0 all passed,
1 something failed or nothing ran, 2 wrong arguments, 130 stopped by Ctrl-C.
`;
