import { type Attributes, type Span, SpanKind, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api';

import { databaseError, sqlState } from './database-errors.ts';
import { readDatabaseUrl } from './database-url.ts';
import type { Statement } from './statement.ts';

/** Wraps the run of a statement in a CLIENT span, when a span is active; polling without one leaves none. */
export type StatementSpans = <T>(statement: Statement, run: () => Promise<T>) => Promise<T>;

/**
 * Attributes by the semantic conventions for PostgreSQL
 * (https://opentelemetry.io/docs/specs/semconv/db/postgresql/). Values never get in:
 * statements are parameterized, and of an error only its SQLSTATE is kept, because
 * Postgres repeats values in its messages.
 */
export function createStatementSpans(tracer: Tracer, url: string, schema: string): StatementSpans {
  const common = commonAttributes(url, schema);

  return async (statement, run) => {
    if (trace.getActiveSpan() === undefined) return run();
    const attributes = {
      ...common,
      'db.operation.name': operationOf(statement.text),
      'db.query.summary': statement.name,
      'db.query.text': statement.text,
    };
    const span = tracer.startSpan(statement.name, { kind: SpanKind.CLIENT, attributes });
    try {
      return await run();
    } catch (thrown) {
      recordFailure(span, thrown);
      throw thrown;
    } finally {
      span.end();
    }
  };
}

function commonAttributes(url: string, schema: string): Attributes {
  const { database, server, port } = readDatabaseUrl(url);
  return {
    'db.system.name': 'postgresql',
    'db.namespace': `${database}|${schema}`,
    'server.address': server,
    'server.port': port,
  };
}

function operationOf(text: string): string {
  return /^\s*(\w+)/.exec(text)?.[1]?.toUpperCase() ?? 'UNKNOWN';
}

function recordFailure(span: Span, thrown: unknown): void {
  const state = sqlState(thrown);
  if (state !== undefined) span.setAttribute('db.response.status_code', state);
  span.setAttribute('error.type', state ?? databaseError(thrown).reason);
  span.setStatus({ code: SpanStatusCode.ERROR });
}
