import { type PolicyParts, type PolicySections, SECTION_DEFAULTS, type SectionName } from './sections.ts';

/** What one voice says, and whose it is. */
export interface Layer {
  /** For people: `document order.PlaceOrder`, `setting *`. */
  readonly origin: string;
  readonly parts: PolicyParts;
}

/** What has to stay below an upper bound, kept there. */
const WITHIN_BOUNDS: { readonly [Name in SectionName]: (section: PolicySections[Name]) => Partial<PolicySections[Name]> } = {
  retries: ({ baseMs, maxMs }) => ({ baseMs: Math.min(baseMs, maxMs) }),
  hedging: () => ({}),
  budget: () => ({}),
  balancing: () => ({}),
  ejection: ({ baseMs, maxMs }) => ({ baseMs: Math.min(baseMs, maxMs) }),
  circuit: () => ({}),
  admission: ({ minLimit, initialLimit, maxLimit }) => ({
    minLimit: Math.min(minLimit, maxLimit),
    initialLimit: Math.min(Math.max(minLimit, initialLimit), maxLimit),
  }),
};

/**
 * One mechanism's numbers, each from the strongest layer that sets it; `layers` has the strongest first. Where numbers of
 * different layers contradict each other, the upper bound holds: with `maxMs` 10 in a document and `baseMs` 25 by default,
 * both are 10.
 */
export function mergeSection<Name extends SectionName>(section: Name, layers: readonly Layer[]): PolicySections[Name] {
  const merged = layers.reduceRight<PolicySections[Name]>((weaker, { parts }) => ({ ...weaker, ...parts[section] }), SECTION_DEFAULTS[section]);
  const bounded = { ...merged, ...WITHIN_BOUNDS[section](merged) };
  Object.freeze(bounded);
  return bounded;
}

/** The same for several mechanisms. */
export function mergeSections<Name extends SectionName>(sections: readonly Name[], layers: readonly Layer[]): Pick<PolicySections, Name> {
  const merged = Object.fromEntries(sections.map((section) => [section, mergeSection(section, layers)]));
  // One entry for each of the names.
  return Object.freeze(merged) as Pick<PolicySections, Name>;
}

/** Who says what a number of a mechanism is. */
export function originOf<Name extends SectionName>(section: Name, field: keyof PolicySections[Name], layers: readonly Layer[]): string {
  const strongest = layers.find(({ parts }) => parts[section]?.[field] !== undefined);
  return strongest?.origin ?? 'default';
}
