// Moves proto/baseline.binpb, the image that contracts are held against, to what they are now.
// Part of a release; nothing else writes that file. See --help.
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { breakingPolicies, breakingShapes } from './test/contracts/compare-images.ts';
import { baselineFile, buildImage } from './test/contracts/image.ts';

const helpText = `Usage: node scripts/release-baseline.ts [options]

Makes the contracts as they are now the baseline of the breaking check
(proto/baseline.binpb). Refuses when they would break callers of the last release.

  --major     move it all the same: the release gets a new major version
  -h, --help  this text

Exit code: 0 moved, 1 refused, 2 wrong arguments.
`;

const root = join(import.meta.dirname, '..');

async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const options = readOptions(args);
  if (typeof options === 'string') {
    process.stderr.write(`${options}\n`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(helpText);
    return 0;
  }
  const broken = [...(await breakingShapes(root, signal)), ...(await breakingPolicies(root, signal))];
  if (broken.length > 0) {
    process.stderr.write(`These changes break callers of the last release:\n${broken.map((line) => `  ${line}\n`).join('')}`);
    if (!options.major) {
      process.stderr.write(`Undo them, or release a new major version: --major. ${baselineFile} stays as it is.\n`);
      return 1;
    }
  }
  await moveBaseline(signal);
  process.stdout.write(`${baselineFile} holds the contracts as they are now. Commit it with the release.\n`);
  return 0;
}

function readOptions(args: readonly string[]): { help: boolean; major: boolean } | string {
  const options = {
    help: { type: 'boolean', short: 'h', default: false },
    major: { type: 'boolean', default: false },
  } as const;
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return `${message.split('. ')[0] ?? message}. See --help.`;
  }
}

/** By a rename, so that an interrupted run leaves the old image whole. */
async function moveBaseline(signal: AbortSignal): Promise<void> {
  const next = join(root, `${baselineFile}.next.binpb`);
  try {
    await buildImage(root, next, signal);
    await rename(next, join(root, baselineFile));
  } finally {
    await rm(next, { force: true });
  }
}

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());
process.exitCode = await run(process.argv.slice(2), stop.signal);
