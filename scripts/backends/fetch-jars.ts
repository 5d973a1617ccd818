import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { JarsBackend } from './catalogue.ts';
import type { FetchOptions } from './fetch-options.ts';
import { jarsPath } from './folders.ts';
import { runProgram, type RunResult } from './run-program.ts';

export type FetchJarsOptions = FetchOptions<JarsBackend> & { readonly maven: string };

// Pinned like everything else: another version of the plugin might copy under other names.
const copyDependencies = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

/**
 * Has Maven copy the jars of the committed pom.xml, which it takes from its own cache or downloads, compares every one with the
 * committed checksums, and writes a program that runs Java on them. All jars are in place before the program is.
 */
export async function fetchJars(options: FetchJarsOptions): Promise<RunResult> {
  const { backend, maven, modules, folder, output, scratch, env, signal, onStep } = options;
  const jars = join(scratch, 'jars');
  await copyFile(join(modules, backend.name, 'pom.xml'), join(scratch, 'pom.xml'));

  onStep('fetching jars');
  const args = ['--batch-mode', '--no-transfer-progress', '--quiet', '--strict-checksums', copyDependencies];
  const copied = await runProgram({
    command: maven,
    args: [...args, `-DoutputDirectory=${jars}`, '-DincludeScope=runtime'],
    cwd: scratch,
    env,
    signal,
  });
  if (copied.state !== 'exited' || copied.code !== 0) return copied;

  onStep('comparing checksums');
  const wrong = await wrongJars(jars, await readFile(join(modules, backend.name, 'jars.sha256'), 'utf8'));
  if (wrong.length > 0) return { state: 'exited', code: 1, lastLines: wrong.map((jar) => `the checksum of ${jar} is not the one in jars.sha256`) };
  const place = jarsPath(folder, backend.name);
  await mkdir(dirname(place), { recursive: true });
  await rm(place, { recursive: true, force: true });
  await rename(jars, place);
  await writeFile(output, javaProgram(backend));
  return copied;
}

/** Names of jars that are missing, too many or not what they were. The list is one that `sha256sum` prints. */
async function wrongJars(folder: string, list: string): Promise<string[]> {
  const wanted = new Map(list.trim().split('\n').map((line): [string, string] => [line.slice(66), line.slice(0, 64)]));
  const found: string[] = await readdir(folder).catch(() => []);
  const missing = [...wanted.keys()].filter((name) => !found.includes(name));
  const sums = await Promise.all(
    found.map(async (name) => ({ name, sum: createHash('sha256').update(await readFile(join(folder, name))).digest('hex') })),
  );
  return [...missing, ...sums.filter(({ name, sum }) => wanted.get(name) !== sum).map(({ name }) => name)];
}

/** It finds the jars from its own place, so that the whole cache folder can be moved; `exec` keeps its process id for Java. */
function javaProgram({ name, version }: JarsBackend): string {
  return `#!/bin/sh
# ${name} ${version}: the first argument is a main class. Options for Java itself go into JAVA_TOOL_OPTIONS.
exec java -cp "$(dirname -- "$0")/../jars/${name}-${version}/*" "$@"
`;
}

export const howToGetMaven = [
  'Java 17 or newer and Maven are needed to fetch and run it, and no `mvn` or no `java` was found on the PATH.',
  "Install them with the system's package manager (Debian: `apt-get install maven default-jre-headless`; macOS: `brew install maven`)",
  'and run this again.',
].join(' ');
