import { refusal } from '#kit';

import { type Entry, LISTINGS } from './listings.ts';
import { MODEL_FILES, type ModelFile, MODELS_OWN } from './model-service.ts';
import { applyChanges, MODEL, outdated, rename, type ServiceWords, withoutModelWord } from './model-text.ts';
import { unfit } from './service-words.ts';

/** One file to write. Paths are relative to the root, with `/`. */
export type PlannedFile =
  | { readonly kind: 'new'; readonly path: string; readonly about: string; readonly text: string }
  /** `before` is what it must still hold when it is written. */
  | { readonly kind: 'changed'; readonly path: string; readonly about: string; readonly text: string; readonly before: string };

export interface Plan {
  readonly words: ServiceWords;
  readonly port: number;
  readonly files: readonly PlannedFile[];
}

export interface PlanOptions {
  readonly words: ServiceWords;
  /** The services there are, with their well-known ports, in their order. */
  readonly modules: Readonly<Record<string, number>>;
  /** The reasons there are for a refusal. */
  readonly reasons: Readonly<Record<string, string>>;
  /** The text of a file of the repository; undefined where there is none. */
  readonly read: (path: string) => Promise<string | undefined>;
  /** Whether there is a file or a folder of this name. */
  readonly exists: (path: string) => boolean;
}

/**
 * Everything that makes a new service, written after the model's files as they are now.
 * Writes nothing. INVALID_ARGUMENT when the name is taken or cannot be used, INTERNAL when
 * the files have changed so that none can be written after them.
 */
export async function planService(options: PlanOptions): Promise<Plan> {
  const { words, modules, read } = options;
  refuseTaken(options);
  const port = Math.max(...Object.values(modules)) + 1;
  const entry: Entry = { words, port, modelPort: modules[MODEL] ?? 0, last: Object.keys(modules).at(-1) ?? MODEL };
  const created: PlannedFile[] = [];
  const changed: PlannedFile[] = [];
  // One after the other, so that of several faults it is always the same one that is told.
  for (const file of MODEL_FILES) created.push(newFile(file, await mustRead(file.path, read), entry));
  for (const { path, about, add } of LISTINGS) {
    const before = await mustRead(path, read);
    changed.push({ kind: 'changed', path, about, text: add(before, entry), before });
  }
  return { words, port, files: [...created, ...changed] };
}

/** The folders that a service has of its own. */
function foldersOf({ singular }: ServiceWords): readonly string[] {
  return [`proto/shop/${singular}`, `proto/gen/shop/${singular}`, `services/${singular}`, `test/${singular}`];
}

function refuseTaken({ words, modules, reasons, exists }: PlanOptions): void {
  const { singular } = words;
  if (Object.hasOwn(modules, singular)) throw unfit(words, singular, `there is such a service (services/${singular}); the services are ${Object.keys(modules).join(', ')}`);
  if (exists(singular)) throw unfit(words, singular, `${singular}/ is a folder of the repository, with another meaning`);
  const folder = foldersOf(words).find(exists);
  if (folder) throw unfit(words, singular, `${folder}/ is there, and nothing is overwritten; remove it first if it is of no use`);
  const reason = ['NOT_FOUND', 'EXISTS'].map((end) => `${singular.toUpperCase()}_${end}`).find((name) => Object.hasOwn(reasons, name));
  if (reason) throw unfit(words, singular, `${reason} is a reason already, of another service (kit/reasons.ts)`);
}

/** The model's file without what is only the model's, and then in the new one's words. */
function newFile({ path, about, changes }: ModelFile, text: string, { words, port, modelPort }: Entry): PlannedFile {
  const generic = applyChanges(path, text, changes);
  const [own] = MODELS_OWN.exec(withoutModelWord(generic)) ?? [];
  if (own) throw outdated(path, `says "${own}", which is its own matter`);
  refuseUsed(words, path, generic);
  return { kind: 'new', path: rename(path, words), about, text: rename(generic.replaceAll(String(modelPort), String(port)), words) };
}

const COMMENTS_AND_TEXTS = /\/\*\*[^]*?\*\/|\/\/.*|^\s*--.*|'[^'\n]*'/gm;

/** A name that the model's code uses for something else would mean two things in the new service's. */
function refuseUsed(words: ServiceWords, path: string, text: string): void {
  if (path.endsWith('.md')) return;
  const code = text.replaceAll(COMMENTS_AND_TEXTS, '');
  const used = new Set(code.match(/[a-z]\w*/gi)?.map((word) => word.toLowerCase()));
  for (const word of [words.singular, words.plural]) {
    if (used.has(word)) throw unfit(words, word, `the new service's code would use it for something else as well, as ${path} does`);
  }
}

async function mustRead(path: string, read: PlanOptions['read']): Promise<string> {
  const text = await read(path);
  if (text !== undefined) return text;
  throw refusal('INVALID_ARGUMENT', `${path} is not here, and a new service is written after the files of ${MODEL}: use a clone of the repository, with its contracts, tests and docs`);
}
