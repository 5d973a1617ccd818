import { customCleanEnv, makeExactValidator, type ValidatorSpec } from 'envalid';
import ms, { type StringValue } from 'ms';

import { refusal } from './errors.ts';

/** One setting: type, default and doc in one place. The key it stands under is its environment variable. */
export type Setting<T> = ValidatorSpec<T> & { readonly secret: boolean };

/** A bag of settings by environment variable, such as `{ MESH_DRAIN: duration({ … }) }`. */
export type SettingSpecs = Readonly<Record<string, Setting<unknown>>>;

/** The values of a bag of settings. */
export type SettingValues<S extends SettingSpecs> = { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

interface Declaration<T> {
  /** Meaning and unit, one sentence. */
  readonly doc: string;
  readonly default: T;
  /** Masked wherever settings are shown. */
  readonly secret?: boolean;
}

export const text = (declaration: Declaration<string>): Setting<string> => declare(parseText, declaration);
export const flag = (declaration: Declaration<boolean>): Setting<boolean> => declare(parseFlag, declaration);
/** A whole number within `min` and `max`. */
export const integer = (declaration: Declaration<number> & { min: number; max: number }): Setting<number> =>
  declare((value) => parseInteger(value, declaration.min, declaration.max), declaration);
/** A time span such as `500ms`, `2s`, `5m`; the value is in milliseconds. */
export const duration = (declaration: Declaration<number>): Setting<number> => declare(parseDurationMs, declaration);
/** One word out of a closed list. */
export const oneOf = <T extends string>(choices: readonly T[], declaration: Declaration<T>): Setting<T> =>
  declare((value) => parseChoice(value, choices), declaration);

function declare<T>(parse: (value: string) => T, { doc, default: fallback, secret = false }: Declaration<T>): Setting<T> {
  const validator = makeExactValidator<T>(parse);
  // envalid types a default as NonNullable; T here is always a plain value.
  return { ...validator({ desc: doc, default: fallback as NonNullable<T> }), secret };
}

/** Where values come from, strongest first. */
export interface SettingSources {
  /** Command-line flags, under the setting's variable name. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `mesh.config.ts`. */
  readonly file: Readonly<Record<string, string | undefined>>;
}

export type Origin = 'flag' | 'environment' | 'mesh.config.ts' | 'default';

export interface ResolvedSettings<S extends SettingSpecs> {
  readonly values: SettingValues<S>;
  readonly origins: Readonly<Record<string, Origin>>;
}

/** Reads every setting of `specs` from the strongest source that has it. Throws INVALID_SETTING naming each bad one. */
export function resolveSettings<S extends SettingSpecs>(specs: S, sources: SettingSources): ResolvedSettings<S> {
  refuseUnknown(specs, sources);
  const texts: Record<string, string> = {};
  const origins: Record<string, Origin> = {};
  for (const name of Object.keys(specs)) {
    const found = strongest(name, sources);
    origins[name] = found?.origin ?? 'default';
    if (found) texts[name] = found.value;
  }
  const values = customCleanEnv(texts, specs, (cleaned) => cleaned, {
    reporter: ({ errors }) => {
      const problems = Object.entries(errors).map(([name, error]) => `${name} (${origins[name]}): ${error?.message}`);
      if (problems.length > 0) throw refusal('INVALID_SETTING', problems.join('; '));
    },
  });
  // envalid's CleanedEnv says the same as SettingValues in its own conditional types.
  return { values: values as unknown as SettingValues<S>, origins };
}

function strongest(name: string, sources: SettingSources): { origin: Origin; value: string } | undefined {
  const candidates: [Origin, string | undefined][] = [
    ['flag', sources.flags[name]],
    ['environment', sources.environment[name]],
    ['mesh.config.ts', sources.file[name]],
  ];
  for (const [origin, value] of candidates) {
    if (value !== undefined && value !== '') return { origin, value };
  }
  return undefined;
}

function refuseUnknown(specs: SettingSpecs, { environment, file }: SettingSources): void {
  const ours = Object.keys(environment).filter((name) => name.startsWith('MESH_'));
  for (const name of [...ours, ...Object.keys(file)]) {
    if (Object.hasOwn(specs, name)) continue;
    throw refusal('INVALID_SETTING', `${name} is not a setting of shopmesh; remove it, or see \`mesh config\` for the names`);
  }
}

/** `500ms`, `2s`, `5m` or plain milliseconds, as milliseconds. Throws a sentence. */
export function parseDurationMs(value: string): number {
  // ms() throws for less than 1 and more than 99 characters, types its input as known literals, and returns undefined for what it cannot read.
  const parsed: number | undefined = value.length > 0 && value.length < 100 ? ms(value as StringValue) : undefined;
  if (parsed === undefined || !Number.isFinite(parsed) || parsed < 0) {
    throw new Error(`"${value}" is not a time span; write it like 500ms, 2s or 5m`);
  }
  return parsed;
}

function parseText(value: string): string {
  return value;
}

function parseFlag(value: string): boolean {
  if (value === 'true' || value === '1') return true;
  if (value === 'false' || value === '0') return false;
  throw new Error(`"${value}" is neither true nor false`);
}

function parseInteger(value: string, min: number, max: number): number {
  const parsed = /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
  if (!(parsed >= min && parsed <= max)) {
    throw new Error(`"${value}" is not a whole number from ${min} to ${max}`);
  }
  return parsed;
}

function parseChoice<T extends string>(value: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw new Error(`"${value}" is not one of ${choices.join(', ')}`);
  return found;
}
