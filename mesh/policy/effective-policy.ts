import { type Layer, mergeSection, originOf } from './merge.ts';
import type { PolicyDocument } from './policy-document.ts';
import { METHOD_SECTIONS, type PolicySections, SECTION_DEFAULTS, type SectionName } from './sections.ts';
import { levelsOf, type Target } from './target.ts';

/** Everybody who has a say, by target. */
export interface Voices {
  readonly documents: ReadonlyMap<string, PolicyDocument>;
  readonly settings: ReadonlyMap<string, PolicyDocument>;
}

/** Who has a say in a target's calls now, strongest first: documents, then settings, each from precise to general. */
export function layersFor(target: Target, { documents, settings }: Voices, nowMs: number): readonly Layer[] {
  const levels = levelsOf(target);
  const from = (kind: string, said: ReadonlyMap<string, PolicyDocument>): Layer[] =>
    levels.flatMap((level) => {
      const document = said.get(level);
      return document && document.expiresMs > nowMs ? [{ origin: `${kind} ${level}`, parts: document.parts }] : [];
    });
  return [...from('document', documents), ...from('setting', settings)];
}

/** One number of a mechanism as it holds for a target. */
export interface EffectiveNumber {
  /** `retries.maxAttempts`. */
  readonly name: string;
  readonly value: boolean | number | readonly string[];
  /** `document order.PlaceOrder`, `setting *`, `default`. */
  readonly origin: string;
}

/** Everything that holds for a target, with who says so; of a method only what can be set for a method. */
export function effectivePolicy(target: Target, voices: Voices, nowMs: number): readonly EffectiveNumber[] {
  const layers = layersFor(target, voices, nowMs);
  return sectionsOf(target).flatMap((section) => numbersOf(section, layers));
}

function sectionsOf({ method }: Target): readonly SectionName[] {
  // Object.keys forgets the names that the type knows.
  return method === undefined ? (Object.keys(SECTION_DEFAULTS) as SectionName[]) : METHOD_SECTIONS;
}

function numbersOf<Name extends SectionName>(section: Name, layers: readonly Layer[]): EffectiveNumber[] {
  // Object.entries forgets the names that the type knows, and what is behind them.
  const fields = Object.entries(mergeSection(section, layers)) as [keyof PolicySections[Name] & string, EffectiveNumber['value']][];
  return fields.map(([field, value]) => ({ name: `${section}.${field}`, value, origin: originOf(section, field, layers) }));
}
