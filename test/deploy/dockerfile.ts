/** A step that changes the image's files. */
export type BuildStep =
  | { readonly kind: 'copy'; readonly sources: readonly string[]; readonly target: string }
  | { readonly kind: 'run'; readonly command: string };

/** What a Dockerfile of one stage says. */
export interface ImageRecipe {
  readonly base: string;
  readonly workdir: string;
  readonly steps: readonly BuildStep[];
  readonly user: string;
  readonly stopSignal: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
}

/**
 * Reads the part of a Dockerfile's language that ours uses
 * (https://docs.docker.com/reference/dockerfile/) and throws at anything else, so that a
 * test which replays the file can never pass over an instruction.
 */
export function readDockerfile(text: string): ImageRecipe {
  const steps: BuildStep[] = [];
  const single = new Map<string, string>();
  for (const line of instructionsOf(text)) {
    const [, name = '', rest = ''] = /^([A-Z]+)\s+(.+)$/.exec(line) ?? [];
    if (name === 'COPY') steps.push(readCopy(rest));
    else if (name === 'RUN') steps.push(readRun(rest));
    else if (!SINGLE.has(name)) throw new Error(`the replay does not know this instruction: ${line}`);
    else if (single.has(name)) throw new Error(`the replay knows one ${name} only`);
    else single.set(name, rest);
  }
  const one = (name: string): string => {
    const found = single.get(name);
    if (found === undefined) throw new Error(`the Dockerfile has no ${name}`);
    return found;
  };
  return {
    base: one('FROM'),
    workdir: one('WORKDIR'),
    steps,
    user: one('USER'),
    stopSignal: one('STOPSIGNAL'),
    entrypoint: readExecForm(one('ENTRYPOINT')),
    command: readExecForm(one('CMD')),
  };
}

const SINGLE: ReadonlySet<string> = new Set(['FROM', 'WORKDIR', 'USER', 'STOPSIGNAL', 'ENTRYPOINT', 'CMD']);

/** Comments go first, then lines that end in a backslash are joined: so it is written in the reference. */
function instructionsOf(text: string): string[] {
  const lines = text.split('\n').filter((line) => !/^\s*#/.test(line));
  return lines.join('\n').replaceAll(/\\\n/g, ' ').split('\n').map((line) => line.trim()).filter((line) => line !== '');
}

function readCopy(rest: string): BuildStep {
  const words = rest.split(/\s+/);
  const target = words.pop();
  if (target === undefined || words.length === 0 || /^\[|--|[*?$]/.test(rest)) throw new Error(`the replay does not know this COPY: ${rest}`);
  return { kind: 'copy', sources: words, target };
}

/** A cache that is mounted while the command runs is not part of the image. */
function readRun(rest: string): BuildStep {
  const command = rest.replace(/^--mount=type=cache,target=\S+\s+/, '');
  if (/^(--|\[)/.test(command)) throw new Error(`the replay does not know this RUN: ${rest}`);
  return { kind: 'run', command };
}

function readExecForm(rest: string): readonly string[] {
  const parsed: unknown = rest.startsWith('[') ? JSON.parse(rest) : undefined;
  if (Array.isArray(parsed) && parsed.every((word) => typeof word === 'string')) return parsed;
  throw new Error(`not in exec form, so signals would go to a shell: ${rest}`);
}

/** Whether a file of the repository gets into the image. */
export function copies({ steps }: ImageRecipe, path: string): boolean {
  return steps.some((step) => step.kind === 'copy' && step.sources.some((source) => path === source || path.startsWith(`${source}/`)));
}
