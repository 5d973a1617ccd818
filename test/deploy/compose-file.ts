import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parse } from 'yaml';

import { MODULES } from '#modules';

export const projectRoot = join(import.meta.dirname, '..', '..');

export interface HealthCheck {
  readonly test: readonly string[];
}

/** A service as docker-compose.yml has it, with its anchors merged: the fields that the tests look at. */
export interface ComposeService {
  readonly image: string;
  readonly build?: string;
  readonly hostname?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly ports?: readonly string[];
  readonly configs?: readonly { readonly source: string; readonly target: string }[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: HealthCheck;
  readonly restart?: string;
  readonly stop_grace_period?: string;
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly configs: Readonly<Record<string, { readonly file: string }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly networks: Readonly<Record<string, unknown>>;
}

export const composeText = readFileSync(join(projectRoot, 'docker-compose.yml'), 'utf8');

// What the fields hold is for the tests to say.
export const composeFile = parse(composeText, { merge: true }) as ComposeFile;

export function composeService(name: string): ComposeService {
  const found = composeFile.services[name];
  if (found === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return found;
}

/** `${NAME:-default}` and `${NAME:?what to do}`, the two forms that the file uses. */
const VARIABLE = /\$\{([A-Z_]+):([-?])([^}]*)\}/g;

/** Every variable that whoever runs docker-compose may set. */
export function variablesOf(text: string): string[] {
  return [...new Set([...text.matchAll(VARIABLE)].map(([, name = '']) => name))];
}

/** A value as a container gets it, given the variables that are set outside. */
export function interpolate(value: string, outside: Readonly<Record<string, string>>): string {
  return String(value).replaceAll(VARIABLE, (_whole, name: string, sign: string, rest: string) => {
    const found = outside[name] ?? (sign === '-' ? rest : undefined);
    if (found === undefined) throw new Error(`${name}: ${rest}`);
    return found;
  });
}

const OUTSIDE = { STRIPE_API_KEY: 'sk_test_compose' };

/** What a container gets, with what must be set outside. */
export function environmentOf(name: string): Record<string, string> {
  const entries = Object.entries(composeService(name).environment ?? {});
  return Object.fromEntries(entries.map(([key, value]) => [key, interpolate(value, OUTSIDE)]));
}

/** What the servers that are not ours read, and who says so. */
export const OTHERS_VARIABLES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  postgres: {
    POSTGRES_PASSWORD: "the image's own: password of the superuser, refused when empty",
    SHOP_DATABASE_PASSWORD: 'deploy/compose/postgres.sql reads it by \\getenv',
  },
  jaeger: { OTEL_TRACES_SAMPLER: "OpenTelemetry's: Jaeger's own spans, of its queries" },
  consul: {},
};

/** The only doors to the machine, and only for the machine itself. */
export const PUBLISHED: Readonly<Record<string, readonly string[]>> = {
  consul: ['127.0.0.1:8500:8500'],
  jaeger: ['127.0.0.1:16686:16686'],
  order: [`127.0.0.1:${MODULES.order}:${MODULES.order}`],
};
