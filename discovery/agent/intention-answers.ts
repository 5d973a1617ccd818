import type { StoredIntention } from './intention-entries.ts';
import type { IntentionRecord } from './intention-records.ts';
import { INTENTIONS_KIND } from './intention-request.ts';

// The shapes below are Consul's, field by field; the conformance suite compares the ones that clients read.

/** As in `/v1/connect/intentions`. */
export function intentionAnswer({ entry, source }: StoredIntention) {
  const { Name, Action, Permissions, Precedence, Description, Type } = source;
  return {
    ...(Description !== undefined && { Description }),
    SourceNS: 'default',
    SourceName: Name,
    SourcePartition: 'default',
    DestinationNS: 'default',
    DestinationName: entry.name,
    DestinationPartition: 'default',
    SourceType: Type,
    ...(Action !== undefined && { Action }),
    ...(Permissions !== undefined && { Permissions }),
    Precedence,
    CreateIndex: entry.createIndex,
    ModifyIndex: entry.modifyIndex,
  };
}

/** As in `/v1/config/service-intentions/:name`. */
export function entryAnswer({ name, sources, meta, createIndex, modifyIndex }: IntentionRecord) {
  const Meta = Object.keys(meta).length > 0 ? { Meta: meta } : {};
  return { Kind: INTENTIONS_KIND, Name: name, Sources: sources, ...Meta, CreateIndex: createIndex, ModifyIndex: modifyIndex };
}
