import type { Fields } from './fields.ts';

export interface HeaderRecord {
  readonly Name: string;
  readonly Present?: true;
  readonly Exact?: string;
  readonly Prefix?: string;
  readonly Suffix?: string;
  readonly Contains?: string;
  readonly Regex?: string;
  readonly Invert?: true;
  readonly IgnoreCase?: true;
}

export interface PermissionRecord {
  readonly Action: 'allow' | 'deny';
  readonly HTTP: {
    readonly PathExact?: string;
    readonly PathPrefix?: string;
    readonly PathRegex?: string;
    readonly Header?: readonly HeaderRecord[];
    readonly Methods?: readonly string[];
  };
}

/** One source of an entry, in the words of Consul: it is stored, and answered, as it was sent. */
export interface SourceRecord {
  readonly Name: string;
  readonly Action?: 'allow' | 'deny';
  readonly Permissions?: readonly PermissionRecord[];
  readonly Precedence: number;
  readonly Type: 'consul';
  readonly Description?: string;
}

/** The configuration entry of kind `service-intentions` of one destination. Sources are sorted, the strongest first. */
export interface IntentionRecord {
  readonly name: string;
  readonly sources: readonly SourceRecord[];
  readonly meta: Fields;
  readonly createIndex: number;
  readonly modifyIndex: number;
}

/** What is said about one destination, before it is stored. */
export type IntentionWrite = Pick<IntentionRecord, 'name' | 'sources' | 'meta'>;
