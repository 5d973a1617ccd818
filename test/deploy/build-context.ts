import { cp, mkdir, readFile, stat } from 'node:fs/promises';
import { basename, join, matchesGlob, posix, relative } from 'node:path';

import type { BuildStep } from './dockerfile.ts';

/** The files that a build may copy: a folder without what its .dockerignore names. */
export interface BuildContext {
  /** Does what a COPY does, into the folder that stands for WORKDIR. */
  copy(step: Extract<BuildStep, { kind: 'copy' }>, workdir: string): Promise<void>;
  isIgnored(path: string): boolean;
}

export async function openBuildContext(folder: string): Promise<BuildContext> {
  const patterns = readPatterns(await readFile(join(folder, '.dockerignore'), 'utf8'));
  const isIgnored = (path: string): boolean => withParents(path).some((part) => patterns.some((pattern) => matchesGlob(part, pattern)));
  return {
    isIgnored,
    async copy({ sources, target }, workdir) {
      for (const source of sources) {
        const from = join(folder, source);
        const isFolder = (await stat(from)).isDirectory();
        // A folder's contents go into the target; a file goes into it when it ends in a slash.
        const to = join(workdir, target, isFolder || !target.endsWith('/') ? '' : basename(source));
        await mkdir(join(to, '..'), { recursive: true });
        const filter = (path: string): boolean => !isIgnored(relative(folder, path));
        if (!filter(from)) throw new Error(`COPY ${source}: .dockerignore leaves it out`);
        await cp(from, to, { recursive: true, filter });
      }
    },
  };
}

function readPatterns(text: string): readonly string[] {
  const lines = text.split('\n').map((line) => line.trim());
  const patterns = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const unknown = patterns.find((pattern) => pattern.startsWith('!') || pattern.startsWith('/'));
  if (unknown !== undefined) throw new Error(`the replay does not know this pattern of .dockerignore: ${unknown}`);
  return patterns;
}

/** A pattern that matches a folder leaves out all that is in it. */
function withParents(path: string): string[] {
  const parts: string[] = [];
  for (let part = path; part !== '.' && part !== ''; part = posix.dirname(part)) parts.push(part);
  return parts;
}
