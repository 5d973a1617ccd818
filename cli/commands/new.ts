import { existsSync, realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

import { errorCode, REASONS, refusal } from '#kit';
import { MODULES } from '#modules';

import { generateCode } from '../new/generate.ts';
import { capitalized } from '../new/model-text.ts';
import { type Plan, type PlannedFile, planService } from '../new/plan.ts';
import { readServiceWords } from '../new/service-words.ts';
import { writeFiles } from '../new/write-files.ts';
import { type Output, table } from '../output.ts';

export interface NewServiceOptions {
  readonly plural?: string;
  /** Says what would be written, and writes nothing. */
  readonly dryRun?: boolean;
}

/** `mesh new service review`: a service after the model of one that is there, listed wherever services are. */
export async function newServiceCommand(name: string, { plural, dryRun = false }: NewServiceOptions, output: Output): Promise<void> {
  const words = readServiceWords(name, plural);
  const root = checkout();
  const plan = await planService({
    words,
    modules: MODULES,
    reasons: REASONS,
    read: (path) => readIfThere(join(root, path)),
    exists: (path) => existsSync(join(root, path)),
  });
  const generated = await generateCode(root, plan);
  const files = plan.files.flatMap((file) => (file.path.endsWith('.proto') ? [file, ...generated] : [file]));
  if (!dryRun) await writeFiles(root, files);
  const answer = { ...words, port: plan.port, dryRun, created: pathsOf('new', files), changed: pathsOf('changed', files) };
  output.answer(() => forPeople(plan, files, dryRun), answer);
}

/** The repository that this program is part of. The command must be run in it, so that nothing appears where nobody looks. */
function checkout(): string {
  const root = realpathSync(join(import.meta.dirname, '..', '..'));
  const [first] = relative(root, realpathSync(process.cwd())).split(sep);
  if (first === '..') throw refusal('INVALID_ARGUMENT', `a new service becomes part of the checkout of shopmesh that this program belongs to: run the command within ${root} (another clone has a \`npx mesh\` of its own)`);
  return root;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    if (errorCode(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
}

function pathsOf(kind: PlannedFile['kind'], files: readonly PlannedFile[]): string[] {
  return files.filter((file) => file.kind === kind).map(({ path }) => path);
}

function forPeople({ words: { singular, plural }, port }: Plan, files: readonly PlannedFile[], dryRun: boolean): string {
  const shown = (kind: PlannedFile['kind']): string =>
    table(files.filter((file) => file.kind === kind).map(({ path, about }) => [`  ${path}`, about]));
  const lines = [
    `${dryRun ? 'would write' : 'wrote'} the service ${singular}, on port ${port}, with the table ${plural}:`,
    shown('new'),
    dryRun ? 'and would add it to:' : 'and added it to:',
    shown('changed'),
  ];
  return [...lines, ...(dryRun ? ['Nothing was written.'] : nextSteps(singular))].join('\n');
}

function nextSteps(name: string): string[] {
  const create = `${name}.Create${capitalized(name)}`;
  return [
    '',
    'It passes every check as it is:',
    `  npm run check && npm test -- test/${name}`,
    'Where Consul has access control lists, it needs rights and intentions, which are made of what services call:',
    '  npx node deploy/consul/write.ts',
    'It starts with the others:',
    '  npx mesh up',
    `  npx mesh call ${create} '{"${name}Id":"first","name":"The first one"}'`,
    'Make it yours, from the contract inwards, and generate anew after each change of the contract:',
    `  proto/shop/${name}/v1/${name}.proto, then \`npm run generate\``,
    `  services/${name}/handlers.ts, store.ts, migrations/001.do.${name}.sql, README.md; test/${name}/${name}.test.ts`,
  ];
}
