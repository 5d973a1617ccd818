import type { DestinationPolicy, MethodPolicy, ServerPolicy } from './call-policy.ts';
import { DESTINATION_DEFAULTS, METHOD_DEFAULTS, SERVER_DEFAULTS } from './defaults.ts';

/** Every mechanism's numbers by the mechanism's name. */
export type PolicySections = MethodPolicy & DestinationPolicy & ServerPolicy;

export type SectionName = keyof PolicySections;

/** Those that somebody has set. */
export type PolicyParts = { readonly [Name in SectionName]?: Partial<PolicySections[Name]> };

/** What can be set for one method; everything else holds for a service as a whole. */
export const METHOD_SECTIONS = ['retries', 'hedging'] as const satisfies readonly (keyof MethodPolicy)[];
export const DESTINATION_SECTIONS = ['budget', 'balancing', 'ejection', 'circuit'] as const satisfies readonly (keyof DestinationPolicy)[];
export const SERVER_SECTIONS = ['admission'] as const satisfies readonly (keyof ServerPolicy)[];

/** What holds where nobody says otherwise. */
export const SECTION_DEFAULTS: PolicySections = { ...METHOD_DEFAULTS, ...DESTINATION_DEFAULTS, ...SERVER_DEFAULTS };
