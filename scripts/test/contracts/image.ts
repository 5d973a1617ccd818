import { join } from 'node:path';
import { mustRunTool } from '../run-tool.ts';

/** The image that the contracts are held against, relative to the root. */
export const baselineFile = join('proto', 'baseline.binpb');

/**
 * Compiles the shop's and the mesh's contracts to an image. Third-party contracts go in
 * as imports only: their authors keep them compatible, and a newer copy is no change of ours.
 */
export function buildImage(root: string, file: string, signal: AbortSignal): Promise<void> {
  const paths = ['--path', join('proto', 'shop'), '--path', join('proto', 'mesh')];
  return mustRunTool(root, ['buf', 'build', ...paths, '--output', file], signal);
}
