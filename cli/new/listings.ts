import { applyChanges, findOnce, MODEL, outdated, rename, type ServiceWords } from './model-text.ts';

/** What a list of services needs to know of a new one. */
export interface Entry {
  readonly words: ServiceWords;
  readonly port: number;
  /** The port of the model, which stands in its lines. */
  readonly modelPort: number;
  /** The service that was the last one so far: the new one comes after it. */
  readonly last: string;
}

/** A file that names every service, or every reason of theirs. */
export interface Listing {
  readonly path: string;
  /** What is added to it. */
  readonly about: string;
  /** The text with the new service's lines, which are the model's, renamed. INTERNAL when the places are not found. */
  add(text: string, entry: Entry): string;
}

const MODULES_FILE = 'services/modules.ts';
const REASONS_FILE = 'kit/reasons.ts';
const ERRORS_FILE = 'docs/errors.md';
const COMPOSE_FILE = 'docker-compose.yml';
const DATABASES_FILE = 'deploy/compose/postgres.sql';
const IMAGE_FILE = 'Dockerfile';

export const LISTINGS: readonly Listing[] = [
  {
    path: MODULES_FILE,
    about: 'its port and its code',
    add(text, { words, port, last }) {
      const ports = findOnce(MODULES_FILE, text, /^export const MODULES = \{\n(?: {2}\w+: \d+,\n)+(?=\} as const;$)/);
      const loader = findOnce(MODULES_FILE, text, linesOf(loaderOf(MODEL)));
      const listed = text.replace(ports, () => `${ports}  ${words.singular}: ${port},\n`);
      return insertAfter(MODULES_FILE, listed, linesOf(loaderOf(last)), rename(loader, words));
    },
  },
  {
    path: REASONS_FILE,
    about: 'its reasons for a refusal',
    add(text, { words }) {
      const reasons = findOnce(REASONS_FILE, text, linesOf(`  ${MODEL.toUpperCase()}_`));
      return insertBefore(REASONS_FILE, text, /^ {2}\/\/ The mesh and what stands below it\n {2}DEADLINE_EXCEEDED:/, rename(reasons, words));
    },
  },
  {
    path: ERRORS_FILE,
    about: 'what those mean',
    add(text, { words }) {
      const rows = findOnce(ERRORS_FILE, text, linesOf(`\\| \`${MODEL.toUpperCase()}_`));
      return insertBefore(ERRORS_FILE, text, /^\| `DEADLINE_EXCEEDED` \|/, rename(rows, words));
    },
  },
  {
    path: COMPOSE_FILE,
    about: 'its container and its database',
    add(text, { words, port, modelPort, last }) {
      const database = findOnce(COMPOSE_FILE, text, linesOf(`  DATABASE_URL_${MODEL.toUpperCase()}: `));
      const container = findOnce(COMPOSE_FILE, text, containerOf(MODEL));
      if (!container.includes(String(modelPort))) throw outdated(COMPOSE_FILE, `has no port ${modelPort} for ${MODEL}`);
      const listed = insertAfter(COMPOSE_FILE, text, linesOf(`  DATABASE_URL_${last.toUpperCase()}: `), rename(database, words));
      // A new service publishes nothing.
      const silent = applyChanges(COMPOSE_FILE, container, [{ find: ', MESH_EVENTS_URL: *event-log', put: '' }]);
      const ported = silent.replaceAll(String(modelPort), String(port));
      return insertAfter(COMPOSE_FILE, listed, containerOf(last), rename(ported, words));
    },
  },
  {
    path: DATABASES_FILE,
    about: 'the role and the database that the container needs',
    add(text, { words, last }) {
      const statements = findOnce(DATABASES_FILE, text, linesOf(`.*\\bshop_${MODEL}\\b`));
      return insertAfter(DATABASES_FILE, text, linesOf(`.*\\bshop_${last}\\b`), `\n${rename(statements, words)}`);
    },
  },
  {
    path: IMAGE_FILE,
    about: 'the services that the image runs by default',
    add(text, { words, last }) {
      return insertAfter(IMAGE_FILE, text, new RegExp(`^CMD \\["serve", .*"${last}"(?=\\]$)`), `, "${words.singular}"`);
    },
  },
];

function loaderOf(service: string): string {
  return `  ${service}: \\(\\) => import`;
}

/** Neighbouring lines that begin with this. */
function linesOf(beginning: string): RegExp {
  return new RegExp(`(?:^${beginning}.*\\n)+`);
}

/** A service's block in docker-compose.yml, with the empty line behind it. */
function containerOf(service: string): RegExp {
  return new RegExp(`^ {2}${service}:\\n(?:.+\\n)+\\n`);
}

function insertAfter(path: string, text: string, place: RegExp, addition: string): string {
  const found = findOnce(path, text, place);
  // By a function: a `$` in the text is a `$`.
  return text.replace(found, () => found + addition);
}

function insertBefore(path: string, text: string, place: RegExp, addition: string): string {
  const found = findOnce(path, text, place);
  return text.replace(found, () => addition + found);
}
