import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runTool } from '../run-tool.ts';
import { comparePolicies } from './compare-policies.ts';
import { baselineFile, buildImage } from './image.ts';

// FILE also keeps generated code of other languages compiling, as buf.yaml asks for the same.
const rules = JSON.stringify({ version: 'v2', breaking: { use: ['FILE'] } });

/** What in the contracts breaks callers of the baseline's by shape: fields, types, methods. */
export function breakingShapes(root: string, signal: AbortSignal): Promise<string[]> {
  return withImage(root, signal, async (image) => {
    // Image against image: against a workspace of two modules buf wants an image for each.
    const against = ['--against', baselineFile, '--exclude-imports', '--config', rules];
    const { ok, output } = await runTool(root, ['buf', 'breaking', image, ...against], signal);
    return ok ? [] : output.split('\n');
  });
}

/** What in the mesh options breaks callers of the baseline's: deadlines, idempotency keys, who may call; also who is let in that was not. */
export function breakingPolicies(root: string, signal: AbortSignal): Promise<string[]> {
  return withImage(root, signal, async (image) =>
    comparePolicies(await readFile(join(root, baselineFile)), await readFile(image)),
  );
}

async function withImage<T>(root: string, signal: AbortSignal, use: (image: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'shopmesh-contracts-'));
  try {
    const image = join(folder, 'now.binpb');
    await buildImage(root, image, signal);
    return await use(image);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
